// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @activations
// CHECK-SAME: (%[[Y:.*]]: tensor<?x?x?xf32>, %[[Z:.*]]: tensor<?x?x?xf32>)
func.func @activations(%y: tensor<?x?x?xf32>, %z: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // CHECK: %[[A:.*]] = ssm.gate identity %[[Y]], %[[Z]] : tensor<?x?x?xf32>
  %a = ssm.gate identity %y, %z : tensor<?x?x?xf32>
  // CHECK: %[[B:.*]] = ssm.gate silu %[[A]], %[[Z]] : tensor<?x?x?xf32>
  %b = ssm.gate silu %a, %z : tensor<?x?x?xf32>
  // CHECK: %[[C:.*]] = ssm.gate sigmoid %[[B]], %[[Z]] {tag = "kept"} : tensor<?x?x?xf32>
  %c = ssm.gate sigmoid %b, %z {tag = "kept"} : tensor<?x?x?xf32>
  // CHECK: ssm.gate gelu %[[C]], %[[Z]] : tensor<?x?x?xf32>
  %d = ssm.gate gelu %c, %z : tensor<?x?x?xf32>
  return %d : tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @any_rank
func.func @any_rank(%y: tensor<f64>) -> tensor<f64> {
  // CHECK: ssm.gate silu %[[Y:.*]], %[[Y]] : tensor<f64>
  %o = ssm.gate silu %y, %y : tensor<f64>
  return %o : tensor<f64>
}
