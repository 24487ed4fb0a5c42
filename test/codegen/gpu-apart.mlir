// RUN: mamba-opt --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Of the four lanes along the channels, two add what they have; their two sums
// a warp go to shared memory, in words of 16 bytes, and are added with those of
// the other three warps: a thread reads those of two steps and states before it
// stores any.
// CHECK: gpu.func @apart_0
// CHECK: gpu.shuffle xor %{{.*}}, %c16_i32
// CHECK-NOT: gpu.shuffle xor %{{.*}}, %c8_i32
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<3>
// CHECK: gpu.barrier
// CHECK-COUNT-16: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> f32
// CHECK-NOT: llvm.load %{{.*}} : !llvm.ptr<3>
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr<1>
func.func @apart(%x_: tensor<2x64x32x4xf32>) -> tensor<2x64x1x4xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d, n] : tensor<2x64x32x4xf32>)
      -> ([b, l, g, n] : tensor<2x64x1x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 8, warps_d = 4, apart = 2>) {
    %g = ssm.total %x over <g> : f32 -> f32
    ssm.yield %g : f32
  }
  return %0 : tensor<2x64x1x4xf32>
}
