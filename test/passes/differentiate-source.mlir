// RUN: mamba-opt --ssm-differentiate %s | FileCheck %s

// Numbers that are made of nothing, constants or not, get no gradient.
#i = affine_map<(i) -> (i)>
// CHECK-LABEL: func.func @unknown_backward
// CHECK: %[[P:.*]] = ub.poison : f32
// CHECK: arith.mulf %{{.*}}, %[[P]]
func.func @unknown(%x: tensor<3xf32>, %s: tensor<3xf32>) -> tensor<3xf32> {
  %y = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]}
      ins(%x : tensor<3xf32>) outs(%s : tensor<3xf32>) {
  ^bb0(%e: f32, %o: f32):
    %p = ub.poison : f32
    %0 = arith.mulf %e, %p : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  return %y : tensor<3xf32>
}
