// RUN: mamba-opt --split-input-file --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 8, chunks = 3, unroll = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// What a chunk adds to a state is a sum of its steps' terms, each times
// exp2(w c): lanes scan w once a tile, and nothing else until the last one.
// CHECK: gpu.func @decays_0_carries
// CHECK: arith.subi
// CHECK: scf.for %[[TURN:.*]] = %{{.*}} : i64
// The last tile comes first.
// CHECK: arith.subi %{{.*}}, %[[TURN]] overflow<nsw> : i64
// CHECK-COUNT-2: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// A loop over n: an exponential a step and state, one of eight a polynomial.
// CHECK: scf.for %{{.*}} : i32
// CHECK: llvm.load %{{.*}} : !llvm.ptr<3> -> vector<4xf32>
// CHECK-COUNT-7: math.exp2 %{{[0-9]+}} : f32
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: math.exp2 %{{[0-9]+}} {ssm.on_fma} : f32
// CHECK: llvm.store %{{.*}} : vector<4xf32>, !llvm.ptr<3>
// CHECK-NOT: gpu.shuffle
// Behind the tiles the lanes' sums are joined.
// CHECK: nvvm.bar.warp.sync
// CHECK: scf.for
// CHECK-COUNT-8: gpu.shuffle xor
// CHECK: gpu.func @decays_0_chunks0
func.func @decays(%x_: tensor<2x96x32xf32>, %a_: tensor<32x8xf32>)
    -> tensor<2x96x32xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d] : tensor<2x96x32xf32>,
                  %a = %a_[d, n] : tensor<32x8xf32>)
      -> ([b, l, d] : tensor<2x96x32xf32>) {
    %t = arith.mulf %x, %a : f32
    %e = math.exp2 %t : f32
    %h, %last = ssm.recurrence %e, %x : f32
    %y = ssm.sum %h over n : f32
    ssm.yield %y : f32
  }
  return %0 : tensor<2x96x32xf32>
}

// -----

// A decay that is no exponential of a step times a constant is scanned.
// CHECK: gpu.func @gates_0_carries
// CHECK: scf.for %{{.*}} : i64
// CHECK: gpu.shuffle up
// CHECK: gpu.func @gates_0_chunks0
func.func @gates(%x_: tensor<2x96x32xf32>, %a_: tensor<32x8xf32>)
    -> tensor<2x96x32xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d] : tensor<2x96x32xf32>,
                  %a = %a_[d, n] : tensor<32x8xf32>)
      -> ([b, l, d] : tensor<2x96x32xf32>) {
    %t = arith.mulf %x, %a : f32
    %h, %last = ssm.recurrence %t, %x : f32
    %y = ssm.sum %h over n : f32
    ssm.yield %y : f32
  }
  return %0 : tensor<2x96x32xf32>
}
