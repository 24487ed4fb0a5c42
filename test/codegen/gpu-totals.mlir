// RUN: mamba-opt --split-input-file --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Partial sums: over channels by block of 16, over steps by sequence.
// CHECK: ssm.plan = {{.*}}axes = "dbnl", divisors = array<i64: 16, 1, 1, 1>{{.*}}extents = array<i64: -1, -1, 4, -1>{{.*}}name = "partial_sums"{{.*}}axes = "bnd"{{.*}}extents = array<i64: -1, 4, -1>{{.*}}name = "partial_sums"

// CHECK: gpu.func @totals_0
// Sums over channels: lanes give each other half of their steps.
// CHECK: gpu.shuffle xor %{{.*}}, %c16_i32
// CHECK: gpu.shuffle xor %{{.*}}, %c8_i32
// Sums over steps: a thread adds to an entry of its own.
// CHECK: %[[BEFORE:.*]] = llvm.load %[[ENTRY:.*]] {alignment = 4 : i64} : !llvm.ptr<3> -> f32
// CHECK: %[[AFTER:.*]] = arith.addf %[[BEFORE]]
// CHECK: llvm.store %[[AFTER]], %[[ENTRY]]
// The sums of the block's warps are added behind a barrier.
// CHECK: gpu.barrier
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr<1>

// Then those of all blocks, in order, and rounded once: many at a time, without
// asking whether they exist, then the rest.
// CHECK: gpu.func @totals_0_total0
// CHECK-SAME: grid = ["l/32", "b/1"]
// CHECK: scf.for
// CHECK: scf.for %{{.*}} step %c32_i64
// CHECK-NOT: arith.select
// CHECK: scf.for %{{.*}} step %c8_i64
// CHECK: arith.select
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: gpu.func @totals_0_total1
// CHECK-SAME: grid = ["d/32"]
// CHECK: scf.for
// CHECK-NOT: atomic
func.func @totals(%x_: tensor<?x?x?x4xf32>)
    -> (tensor<?x?x1x4xbf16>, tensor<?x4xf32>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, g, n] : tensor<?x?x1x4xbf16>, [d, n] : tensor<?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4, warps_d = 4>) {
    %g = ssm.total %x over <g> : f32 -> bf16
    %s = ssm.total %x over <b, l> : f32 -> f32
    ssm.yield %g, %s : bf16, f32
  }
  return %0, %1 : tensor<?x?x1x4xbf16>, tensor<?x4xf32>
}

// -----

// Totals whose elements differ by states alone are added in one launch, each by
// blocks of its own, as many neighbours a block as the one with most states wants.

// CHECK: gpu.func @together_0_total0
// CHECK-SAME: grid = ["d/32", "./2"]
// CHECK: arith.cmpi eq, %{{.*}}, %c0_i64
// CHECK: scf.for %{{.*}} = %{{.*}} to %c128
// CHECK: arith.cmpi eq, %{{.*}}, %c1_i64
// CHECK: scf.for %{{.*}} = %{{.*}} to %c32
// CHECK: gpu.return
// CHECK-NOT: gpu.func @together_0_total
func.func @together(%x_: tensor<?x?x?x4xf32>, %y_: tensor<?x?x?xf32>)
    -> (tensor<?x4xf32>, tensor<?xf32>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x4xf32>,
                      %y = %y_[b, l, d] : tensor<?x?x?xf32>)
      -> ([d, n] : tensor<?x4xf32>, [d] : tensor<?xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %s = ssm.total %x over <b, l> : f32 -> f32
    %t = ssm.total %y over <b, l> : f32 -> f32
    ssm.yield %s, %t : f32, f32
  }
  return %0, %1 : tensor<?x4xf32>, tensor<?xf32>
}
