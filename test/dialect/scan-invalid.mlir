// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1_rank(%a: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C1) 'a' has type 'tensor<?x?xf32>', expected (b, l, d, n) or (b, l, d)}}
  %h, %last = ssm.scan %a, %a : tensor<?x?xf32>
  return
}

// -----

func.func @C1_two_types(%a: tensor<?x?x?xf32>, %b: tensor<2x?x?xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C1) 'b' has type 'tensor<2x?x?xf32>', expected 'tensor<?x?x?xf32>'}}
  %h, %last = "ssm.scan"(%a, %b) : (tensor<?x?x?xf32>, tensor<2x?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>)
  return
}

// -----

func.func @C2_states(%a: tensor<?x?x?x4xf32>, %h0: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C2) 'init' has type 'tensor<4xf32>', expected (b, d, n) or (d, n)}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x?x4xf32>, tensor<4xf32>
  return
}

// -----

func.func @C2_no_states(%a: tensor<?x?x?xf32>, %h0: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C2) 'init' has type 'tensor<?x?x?xf32>', expected (b, d) or (d)}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x?xf32>, tensor<?x?x?xf32>
  return
}

// -----

func.func @C3(%a: tensor<?x?x3x4xf32>, %h0: tensor<?x2x4xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C3) dimension 1 (d) of 'init' is 2, expected 3}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x3x4xf32>, tensor<?x2x4xf32>
  return
}

// -----

func.func @C4(%a: tensor<?x?x?x4xcomplex<f32>>, %h0: tensor<?x4xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C4) found element type 'f32' of 'init', expected 'complex<f32>', that of 'a'}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x?x4xcomplex<f32>>, tensor<?x4xf32>
  return
}

// -----

func.func @C4_half(%a: tensor<?x?x?x4xf16>) {
  // expected-error@+1 {{'ssm.scan' op operand #0 must be ranked tensor of f32, f64 or complex of these values, but got 'tensor<?x?x?x4xf16>'}}
  %h, %last = ssm.scan %a, %a : tensor<?x?x?x4xf16>
  return
}

// -----

func.func @C5_states(%a: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C5) 'states' has type 'tensor<?x?xf32>', expected 'tensor<?x?x?xf32>'}}
  %h, %last = "ssm.scan"(%a, %a) : (tensor<?x?x?xf32>, tensor<?x?x?xf32>)
    -> (tensor<?x?xf32>, tensor<?x?xf32>)
  return
}

// -----

func.func @C5_last(%a: tensor<2x?x3xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C5) 'last' has type 'tensor<3x2xf32>', expected 'tensor<2x3xf32>'}}
  %h, %last = "ssm.scan"(%a, %a) : (tensor<2x?x3xf32>, tensor<2x?x3xf32>)
    -> (tensor<2x?x3xf32>, tensor<3x2xf32>)
  return
}

// -----

func.func @C6(%a: tensor<?x?x?x?xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C6) the state extent of 'tensor<?x?x?x?xf32>' is dynamic or zero, expected a static positive number}}
  %h, %last = ssm.scan %a, %a : tensor<?x?x?x?xf32>
  return
}

// -----

func.func @C6_init(%a: tensor<?x?x?x4xf32>, %h0: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C6) the state extent of 'tensor<?x?xf32>' is dynamic or zero, expected a static positive number}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x?x4xf32>, tensor<?x?xf32>
  return
}

// -----

func.func @too_many_operands(%a: tensor<?x?x?xf32>) {
  // expected-error@+1 {{expected 2 operands}}
  %h, %last = ssm.scan %a, %a, %a : tensor<?x?x?xf32>
  return
}

// -----

func.func @init_without_type(%a: tensor<?x?x?xf32>, %h0: tensor<?xf32>) {
  // expected-error@+1 {{expected ','}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x?xf32>
  return
}

// -----

func.func @C7_never(%a: tensor<?x?x?xf32>) {
  // expected-error@+1 {{(C7) saves states every 0 steps, expected a positive number}}
  %h, %last, %saved = ssm.scan %a, %a save every 0 : tensor<?x?x?xf32>
  return
}

// -----

func.func @C7_both(%a: tensor<?x?x?xf32>, %s: tensor<?x?x?xf32>) {
  // expected-error@+1 {{(C7) starts from saved states and saves some, expected one of both}}
  %h, %last, %saved = ssm.scan %a, %a init(%s every 8) save every 8 : tensor<?x?x?xf32>, tensor<?x?x?xf32>
  return
}

// -----

func.func @C7_init(%a: tensor<2x20x3xf32>, %s: tensor<2x4x3xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C7) 'init' has type 'tensor<2x4x3xf32>', expected 'tensor<2x3x3xf32>'}}
  %h, %last = ssm.scan %a, %a init(%s every 8) : tensor<2x20x3xf32>, tensor<2x4x3xf32>
  return
}

// -----

func.func @C7_saved(%a: tensor<2x20x3xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C7) 'saved' has type 'tensor<2x20x3xf32>', expected 'tensor<2x3x3xf32>'}}
  %h, %last, %s = "ssm.scan"(%a, %a) {every = 8} : (tensor<2x20x3xf32>, tensor<2x20x3xf32>)
    -> (tensor<2x20x3xf32>, tensor<2x3xf32>, tensor<2x20x3xf32>)
  return
}

// -----

func.func @C7_how_often(%a: tensor<2x20x3xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C7) saves states, and nothing says how often; expected 'every'}}
  %h, %last, %s = "ssm.scan"(%a, %a) : (tensor<2x20x3xf32>, tensor<2x20x3xf32>)
    -> (tensor<2x20x3xf32>, tensor<2x3xf32>, tensor<2x3x3xf32>)
  return
}

// -----

func.func @C7_of_what(%a: tensor<2x20x3xf32>) {
  // expected-error@+1 {{'ssm.scan' op (C7) has 'every', and neither saves states nor starts from saved ones}}
  %h, %last = "ssm.scan"(%a, %a) {every = 8} : (tensor<2x20x3xf32>, tensor<2x20x3xf32>)
    -> (tensor<2x20x3xf32>, tensor<2x3xf32>)
  return
}
