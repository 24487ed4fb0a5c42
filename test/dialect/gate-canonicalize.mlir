// RUN: mamba-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @identity_of_one
// CHECK-SAME: (%[[Y:.*]]: tensor<4xf32>)
func.func @identity_of_one(%y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %a = ssm.gate identity %y, %one : tensor<4xf32>
  %b = ssm.gate identity %one, %y : tensor<4xf32>
  // CHECK-NEXT: return %[[Y]], %[[Y]]
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @others_stay
func.func @others_stay(%y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %two = arith.constant dense<2.0> : tensor<4xf32>
  // CHECK: ssm.gate silu
  %a = ssm.gate silu %y, %one : tensor<4xf32>
  // CHECK: ssm.gate identity
  %b = ssm.gate identity %y, %two : tensor<4xf32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}
