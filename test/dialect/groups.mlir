// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @groups
// CHECK-SAME: (%[[B:.*]]: tensor<?x?x2x4xf32>, %[[U:.*]]: tensor<?x?x?xbf16>)
func.func @groups(%B: tensor<?x?x2x4xf32>, %u: tensor<?x?x?xbf16>)
    -> tensor<?x?x2x4xf32> {
  // CHECK: %[[X:.*]] = ssm.spread_groups %[[B]] like %[[U]] : tensor<?x?x2x4xf32>, tensor<?x?x?xbf16> -> tensor<?x?x?x4xf32>
  %x = ssm.spread_groups %B like %u
    : tensor<?x?x2x4xf32>, tensor<?x?x?xbf16> -> tensor<?x?x?x4xf32>
  // CHECK: ssm.sum_groups %[[X]] : tensor<?x?x?x4xf32> -> tensor<?x?x2x4xf32>
  %s = ssm.sum_groups %x : tensor<?x?x?x4xf32> -> tensor<?x?x2x4xf32>
  return %s : tensor<?x?x2x4xf32>
}

// CHECK-LABEL: func.func @complex
func.func @complex(%x: tensor<2x3x6x4xcomplex<f64>>) {
  // CHECK: ssm.sum_groups %{{.*}} : tensor<2x3x6x4xcomplex<f64>> -> tensor<2x3x1x4xcomplex<f64>>
  %s = ssm.sum_groups %x
    : tensor<2x3x6x4xcomplex<f64>> -> tensor<2x3x1x4xcomplex<f64>>
  return
}
