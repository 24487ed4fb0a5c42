// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @input_dependent
func.func @input_dependent(%delta: tensor<?x?x?xf32>, %A: tensor<?x16xf32>,
                           %B: tensor<?x?x2x16xf32>, %u: tensor<?x?x?xf32>)
    -> (tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>) {
  // CHECK: %{{.*}}, %{{.*}} = ssm.discretize mamba %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x?xf32>, tensor<?x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x16xf32>
  %a, %b = ssm.discretize mamba %delta, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<?x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x16xf32>
  return %a, %b : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
}

// CHECK-LABEL: func.func @constant_complex
func.func @constant_complex(%delta: tensor<?xf32>, %A: tensor<?x4xcomplex<f32>>,
                            %B: tensor<?x4xf32>, %u: tensor<2x?x?xf32>) {
  // CHECK: ssm.discretize zoh {{.*}} -> tensor<2x?x?x4xcomplex<f32>>
  %a, %b = ssm.discretize zoh %delta, %A, %B, %u
    : tensor<?xf32>, tensor<?x4xcomplex<f32>>, tensor<?x4xf32>, tensor<2x?x?xf32>
    -> tensor<2x?x?x4xcomplex<f32>>
  return
}

// CHECK-LABEL: func.func @rules_and_attributes
func.func @rules_and_attributes(%delta: tensor<3xf64>, %A: tensor<3x4xf64>,
                                %u: tensor<1x0x3xf64>) {
  // CHECK: ssm.discretize bilinear {{.*}} : tensor<3xf64>
  %a, %b = ssm.discretize bilinear %delta, %A, %A, %u
    : tensor<3xf64>, tensor<3x4xf64>, tensor<3x4xf64>, tensor<1x0x3xf64>
    -> tensor<1x0x3x4xf64>
  // CHECK: ssm.discretize euler {{.*}} {tag = "kept"} : tensor<3xf64>
  %c, %d = ssm.discretize euler %delta, %A, %A, %u {tag = "kept"}
    : tensor<3xf64>, tensor<3x4xf64>, tensor<3x4xf64>, tensor<1x0x3xf64>
    -> tensor<1x0x3x4xf64>
  return
}
