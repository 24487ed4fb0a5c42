// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<items = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Steps of x lie 4096 elements apart, known to the code: of its strides only
// that of sequences is an argument. y has two.
// CHECK: ssm.plan = {{.*}} layout = #ssm.layout<unit = 2, align = 16, stride = 4096, dim = 1>, name = "arg0"
// CHECK: gpu.func @rows_0
// CHECK-SAME: %[[YL:arg4]]: i64
// CHECK-SAME: args = ["ptr 0", "ptr 1", "stride 0 0", "stride 1 0", "stride 1 1", "extent l", "extent d"]
// CHECK: arith.muli %{{.*}}, %c4096{{[_a-z0-9]*}}{{.*}} : i64
// CHECK: llvm.load
// CHECK: arith.muli %{{.*}}, %[[YL]] {{.*}}: i64
// CHECK: llvm.store
func.func @rows(%x_: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 2, align = 16, stride = 4096, dim = 1>})
    -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    %s = arith.addf %x, %x : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}
