// RUN: mamba-opt --ssm-lower-to-cpu --canonicalize --cse %s | FileCheck %s

// Partial sums: over channels by vector of 8, over steps by chunk and sequence.
// CHECK: ssm.plan = {{.*}}axes = "dbnl", divisors = array<i64: 8, 1, 1, 1>{{.*}}name = "partial_sums"{{.*}}axes = ".bnd"{{.*}}extents = array<i64: 3, -1, 4, -1>{{.*}}name = "partial_sums"

// CHECK: func.func @totals_0(
// Lanes without a channel add nothing.
// CHECK: %[[HELD:.*]] = arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<8xi1>, vector<8xf32>
// CHECK: vector.reduction <add>, %[[HELD]] fastmath<reassoc> : vector<8xf32> into f32

// Neighbouring steps are summed side by side, and rounded once.
// CHECK: func.func @totals_0_total0
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>)
// CHECK: arith.truncf %{{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK: func.func @totals_0_total1
// CHECK: grid = ["d/64"]
func.func @totals(%x_: tensor<?x?x?x4xf32>)
    -> (tensor<?x?x1x4xbf16>, tensor<?x4xf32>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, g, n] : tensor<?x?x1x4xbf16>, [d, n] : tensor<?x4xf32>)
      schedule(#ssm.cpu_schedule<vector = 8, items = 4, chunks = 3>) {
    %g = ssm.total %x over <g> : f32 -> bf16
    %s = ssm.total %x over <b, l> : f32 -> f32
    ssm.yield %g, %s : bf16, f32
  }
  return %0, %1 : tensor<?x?x1x4xbf16>, tensor<?x4xf32>
}
