// RUN: mamba-opt --ssm-differentiate %s | FileCheck %s

// Only the first column is read: the gradient of the other one stays zero.
#first = affine_map<(i) -> (i, 0)>
#i = affine_map<(i) -> (i)>
// CHECK-LABEL: func.func @column_backward
// CHECK: %[[ZEROS:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<3x2xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[ZEROS]] : tensor<3x2xf32>)
func.func @column(%x: tensor<3x2xf32>, %s: tensor<3xf32>) -> tensor<3xf32> {
  %y = linalg.generic {indexing_maps = [#first, #i], iterator_types = ["parallel"]}
      ins(%x : tensor<3x2xf32>) outs(%s : tensor<3xf32>) {
  ^bb0(%e: f32, %o: f32):
    %0 = arith.mulf %e, %o : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  return %y : tensor<3xf32>
}
