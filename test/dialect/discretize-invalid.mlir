// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1(%delta: tensor<?x?xf32>, %A: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C1) 'delta' has type 'tensor<?x?xf32>', expected (b, l, d) or (d)}}
  %a, %b = ssm.discretize zoh %delta, %A, %A, %u
    : tensor<?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C2(%A: tensor<4xf32>, %B: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C2) 'A' has type 'tensor<4xf32>', expected (d, n)}}
  %a, %b = ssm.discretize zoh %u, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C3(%A: tensor<?x4xf32>, %B: tensor<?x?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C3) 'B' has type 'tensor<?x?x4xf32>', expected (b, l, g, n) or (d, n)}}
  %a, %b = ssm.discretize zoh %u, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C4(%delta: tensor<?xf32>, %A: tensor<?x4xf32>, %u: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C4) 'u' has type 'tensor<?x?xf32>', expected (b, l, d)}}
  %a, %b = ssm.discretize zoh %delta, %A, %A, %u
    : tensor<?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C5_extents(%delta: tensor<2x?x?xf32>, %A: tensor<?x4xf32>, %u: tensor<3x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C5) dimension 0 (b) of 'delta' is 2, expected 3}}
  %a, %b = ssm.discretize zoh %delta, %A, %A, %u
    : tensor<2x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<3x?x?xf32> -> tensor<3x?x?x4xf32>
  return
}

// -----

func.func @C5_result(%A: tensor<?x4xf32>, %u: tensor<3x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C5) dimension 3 (n) of 'a_bar' is 5, expected 4}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<3x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<3x?x?xf32> -> tensor<3x?x?x5xf32>
  return
}

// -----

func.func @C5_groups(%A: tensor<5x4xf32>, %B: tensor<?x?x2x4xf32>, %u: tensor<?x?x5xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C5) 'B' has 2 groups, which do not divide the 5 channels}}
  %a, %b = ssm.discretize zoh %u, %A, %B, %u
    : tensor<?x?x5xf32>, tensor<5x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x5xf32> -> tensor<?x?x5x4xf32>
  return
}

// -----

func.func @C5_dynamic_groups(%A: tensor<?x4xf32>, %B: tensor<?x?x?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C5) 'B' has a dynamic or empty group extent, expected a static positive one}}
  %a, %b = ssm.discretize zoh %u, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x?x?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C6_precision(%A: tensor<?x4xf64>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C6) found element type 'f64', expected 'f32' or its complex type}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<?x?x?xf32>, tensor<?x4xf64>, tensor<?x4xf64>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C6_complex_delta(%delta: tensor<?xcomplex<f32>>, %A: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op operand #0 must be ranked tensor of f32 or f64 values, but got 'tensor<?xcomplex<f32>>'}}
  %a, %b = ssm.discretize zoh %delta, %A, %A, %u
    : tensor<?xcomplex<f32>>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C6_half(%A: tensor<?x4xf32>, %u: tensor<?x?x?xbf16>) {
  // expected-error@+1 {{'ssm.discretize' op operand #0 must be ranked tensor of f32 or f64 values, but got 'tensor<?x?x?xbf16>'}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<?x?x?xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xbf16> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C7_rank(%A: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C7) 'a_bar' has type 'tensor<?x?x4xf32>', expected (b, l, d, n)}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x4xf32>
  return
}

// -----

func.func @C7_complex(%A: tensor<?x4xcomplex<f32>>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C7) found result element type 'f32', expected 'complex<f32>'}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<?x?x?xf32>, tensor<?x4xcomplex<f32>>, tensor<?x4xcomplex<f32>>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C7_two_types(%A: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C7) 'b_bar' has type 'tensor<2x?x?x4xf32>', expected 'tensor<?x?x?x4xf32>', that of 'a_bar'}}
  %0:2 = "ssm.discretize"(%u, %A, %A, %u) {rule = #ssm<rule zoh>}
    : (tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32>)
    -> (tensor<?x?x?x4xf32>, tensor<2x?x?x4xf32>)
  return
}

// -----

func.func @C8(%A: tensor<?x?xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C8) the state extent of 'tensor<?x?xf32>' is dynamic or zero, expected a static positive number}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @C8_empty(%A: tensor<?x0xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.discretize' op (C8) the state extent of 'tensor<?x0xf32>' is dynamic or zero, expected a static positive number}}
  %a, %b = ssm.discretize zoh %u, %A, %A, %u
    : tensor<?x?x?xf32>, tensor<?x0xf32>, tensor<?x0xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x0xf32>
  return
}

// -----

func.func @unknown_rule(%A: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{unknown rule 'foh', expected zoh, mamba, bilinear or euler}}
  %a, %b = ssm.discretize foh %u, %A, %A, %u
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @too_few_operands(%A: tensor<?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{custom op 'ssm.discretize' expected 4 operands}}
  %a, %b = ssm.discretize zoh %u, %A, %A
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?x4xf32>
  return
}
