// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @grouped
func.func @grouped(%h: tensor<?x?x8x16xf32>, %C: tensor<?x?x2x16xf32>) -> tensor<?x?x8xf32> {
  // CHECK: ssm.readout %{{.*}}, %{{.*}} : tensor<?x?x8x16xf32>, tensor<?x?x2x16xf32> -> tensor<?x?x8xf32>
  %y = ssm.readout %h, %C : tensor<?x?x8x16xf32>, tensor<?x?x2x16xf32> -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// CHECK-LABEL: func.func @constant_complex
func.func @constant_complex(%h: tensor<?x?x?x3xcomplex<f64>>, %C: tensor<?x3xf64>) -> tensor<?x?x?xf64> {
  // CHECK: ssm.readout %{{.*}}, %{{.*}} {tag = "kept"} : tensor<?x?x?x3xcomplex<f64>>, tensor<?x3xf64> -> tensor<?x?x?xf64>
  %y = ssm.readout %h, %C {tag = "kept"} : tensor<?x?x?x3xcomplex<f64>>, tensor<?x3xf64> -> tensor<?x?x?xf64>
  return %y : tensor<?x?x?xf64>
}
