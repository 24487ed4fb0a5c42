// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1(%h: tensor<?x?x4xf32>, %C: tensor<?x4xf32>) {
  // expected-error@+1 {{'ssm.readout' op (C1) 'states' has type 'tensor<?x?x4xf32>', expected (b, l, d, n)}}
  %y = ssm.readout %h, %C : tensor<?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  return
}

// -----

func.func @C2(%h: tensor<?x?x?x4xf32>, %C: tensor<?x?x4xf32>) {
  // expected-error@+1 {{'ssm.readout' op (C2) 'C' has type 'tensor<?x?x4xf32>', expected (b, l, g, n) or (d, n)}}
  %y = ssm.readout %h, %C : tensor<?x?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x?xf32>
  return
}

// -----

func.func @C3_extents(%h: tensor<?x?x?x4xf32>, %C: tensor<?x5xf32>) {
  // expected-error@+1 {{'ssm.readout' op (C3) dimension 1 (n) of 'C' is 5, expected 4}}
  %y = ssm.readout %h, %C : tensor<?x?x?x4xf32>, tensor<?x5xf32> -> tensor<?x?x?xf32>
  return
}

// -----

func.func @C3_groups(%h: tensor<?x?x8x4xf32>, %C: tensor<?x?x3x4xf32>) {
  // expected-error@+1 {{'ssm.readout' op (C3) 'C' has 3 groups, which do not divide the 8 channels}}
  %y = ssm.readout %h, %C : tensor<?x?x8x4xf32>, tensor<?x?x3x4xf32> -> tensor<?x?x8xf32>
  return
}

// -----

func.func @C4_precision(%h: tensor<?x?x?x4xf32>, %C: tensor<?x4xf64>) {
  // expected-error@+1 {{'ssm.readout' op (C4) found element type 'f64', expected 'f32' or its complex type}}
  %y = ssm.readout %h, %C : tensor<?x?x?x4xf32>, tensor<?x4xf64> -> tensor<?x?x?xf32>
  return
}

// -----

func.func @C4_complex_result(%h: tensor<?x?x?x4xcomplex<f32>>, %C: tensor<?x4xf32>) {
  // expected-error@+1 {{'ssm.readout' op result #0 must be ranked tensor of f32 or f64 values, but got 'tensor<?x?x?xcomplex<f32>>'}}
  %y = ssm.readout %h, %C : tensor<?x?x?x4xcomplex<f32>>, tensor<?x4xf32> -> tensor<?x?x?xcomplex<f32>>
  return
}

// -----

func.func @C5(%h: tensor<?x?x?x4xf32>, %C: tensor<?x4xf32>) {
  // expected-error@+1 {{'ssm.readout' op (C5) 'y' has type 'tensor<?x?xf32>', expected (b, l, d)}}
  %y = ssm.readout %h, %C : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  return
}

// -----

func.func @C6(%h: tensor<?x?x?x?xf32>, %C: tensor<?x4xf32>) {
  // expected-error@+1 {{'ssm.readout' op (C6) the state extent of 'tensor<?x?x?x?xf32>' is dynamic or zero, expected a static positive number}}
  %y = ssm.readout %h, %C : tensor<?x?x?x?xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  return
}
