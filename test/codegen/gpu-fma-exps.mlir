// RUN: mamba-opt --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Of a thread's eight steps two leave the pipe of exponentials alone, far from
// each other; what has no n keeps it.
// CHECK: gpu.func @decays_0
// CHECK-COUNT-8: math.exp2 %{{.*}} fastmath<contract> : f32
// CHECK: scf.for
// CHECK-COUNT-3: math.exp2 %{{[0-9]+}} fastmath<contract> : f32
// CHECK-NEXT: math.exp2 %{{[0-9]+}} fastmath<contract> {ssm.on_fma} : f32
// CHECK-COUNT-3: math.exp2 %{{[0-9]+}} fastmath<contract> : f32
// CHECK-NEXT: math.exp2 %{{[0-9]+}} fastmath<contract> {ssm.on_fma} : f32
// CHECK-NOT: ssm.on_fma
func.func @decays(%x_: tensor<2x64x32xf32>, %a_: tensor<32x4xf32>)
    -> tensor<2x64x32xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d] : tensor<2x64x32xf32>,
                  %a = %a_[d, n] : tensor<32x4xf32>)
      -> ([b, l, d] : tensor<2x64x32xf32>)
      schedule(#ssm.schedule<items = 8, fma_exps = 2>) {
    %p = math.exp2 %x : f32
    %t = arith.mulf %x, %a : f32
    %e = math.exp2 %t : f32
    %h, %last = ssm.recurrence %e, %p : f32
    %y = ssm.sum %h over n : f32
    ssm.yield %y : f32
  }
  return %0 : tensor<2x64x32xf32>
}
