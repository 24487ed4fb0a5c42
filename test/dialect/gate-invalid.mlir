// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1_two_types(%y: tensor<2xf32>, %z: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.gate' op failed to verify that all of {y, z, result} have same type}}
  %o = "ssm.gate"(%y, %z) {activation = #ssm<activation silu>} : (tensor<2xf32>, tensor<?xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @C1_complex(%y: tensor<?xcomplex<f32>>) {
  // expected-error@+1 {{'ssm.gate' op operand #0 must be ranked tensor of f32 or f64 values, but got 'tensor<?xcomplex<f32>>'}}
  %o = ssm.gate silu %y, %y : tensor<?xcomplex<f32>>
  return
}

// -----

func.func @unknown_activation(%y: tensor<?xf32>) {
  // expected-error@+1 {{unknown activation 'relu', expected identity, silu, sigmoid or gelu}}
  %o = ssm.gate relu %y, %y : tensor<?xf32>
  return
}

// -----

func.func @missing_activation(%y: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.gate' op requires attribute 'activation'}}
  %o = "ssm.gate"(%y, %y) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}
