// RUN: mamba-opt --ssm-differentiate %s | FileCheck %s

// A fused op's gradients are those of the model IR that computes the same.
// CHECK-LABEL: func.func @layer(
// CHECK:         ssm.fused
// CHECK-LABEL: func.func @layer_backward(
// CHECK-NOT:     ssm.fused
// CHECK:         ssm.spread_groups
// CHECK:         ssm.scan reverse exclusive
// CHECK:         ssm.scan exclusive
// CHECK:         ssm.sum_groups
// CHECK-NOT:     ssm.fused
func.func @layer(%u: tensor<?x?x?xf32>, %A: tensor<4x?xf32>,
                 %B: tensor<?x?x2x4xbf16>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[n, d] : tensor<4x?xf32>,
                  %b = %B[b, l, g, n] : tensor<?x?x2x4xbf16>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %w = arith.extf %b : bf16 to f32
    %t = math.tanh %a : f32
    %in = arith.mulf %x, %w : f32
    %h, %last = ssm.recurrence %t, %in : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}
