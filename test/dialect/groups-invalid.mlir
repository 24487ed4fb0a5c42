// RUN: mamba-opt --split-input-file --verify-diagnostics %s

func.func @spread_C1(%B: tensor<?x?x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.spread_groups' op (C1) 'value' has type 'tensor<?x?x4xf32>', expected (b, l, g, n)}}
  %x = ssm.spread_groups %B like %u : tensor<?x?x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @spread_C2(%B: tensor<?x?x2x4xf32>, %u: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.spread_groups' op (C2) 'like' has type 'tensor<?x?xf32>', expected (b, l, d)}}
  %x = ssm.spread_groups %B like %u : tensor<?x?x2x4xf32>, tensor<?x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @spread_C3(%B: tensor<?x5x2x4xf32>, %u: tensor<?x6x?xf32>) {
  // expected-error@+1 {{'ssm.spread_groups' op (C3) dimension 1 (l) of 'like' is 6, expected 5}}
  %x = ssm.spread_groups %B like %u : tensor<?x5x2x4xf32>, tensor<?x6x?xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

func.func @spread_C3_groups(%B: tensor<?x?x2x4xf32>, %u: tensor<?x?x5xf32>) {
  // expected-error@+1 {{'ssm.spread_groups' op (C3) 'value' has 2 groups, which do not divide the 5 channels}}
  %x = ssm.spread_groups %B like %u : tensor<?x?x2x4xf32>, tensor<?x?x5xf32> -> tensor<?x?x5x4xf32>
  return
}

// -----

func.func @spread_C4(%B: tensor<?x?x2x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.spread_groups' op (C4) 'result' has type 'tensor<?x?x4xf32>', expected (b, l, d, n)}}
  %x = ssm.spread_groups %B like %u : tensor<?x?x2x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x4xf32>
  return
}

// -----

func.func @spread_C4_element(%B: tensor<?x?x2x4xf32>, %u: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.spread_groups' op (C4) found element type 'f64' of 'result', expected 'f32', that of 'value'}}
  %x = ssm.spread_groups %B like %u : tensor<?x?x2x4xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x4xf64>
  return
}

// -----

func.func @sum_C1(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{'ssm.sum_groups' op (C1) 'value' has type 'tensor<?x?x4xf32>', expected (b, l, d, n)}}
  %s = ssm.sum_groups %x : tensor<?x?x4xf32> -> tensor<?x?x2x4xf32>
  return
}

// -----

func.func @sum_C2(%x: tensor<?x?x?x4xf32>) {
  // expected-error@+1 {{'ssm.sum_groups' op (C2) 'result' has type 'tensor<?x?x4xf32>', expected (b, l, g, n)}}
  %s = ssm.sum_groups %x : tensor<?x?x?x4xf32> -> tensor<?x?x4xf32>
  return
}

// -----

func.func @sum_C2_element(%x: tensor<?x?x?x4xf32>) {
  // expected-error@+1 {{'ssm.sum_groups' op (C2) found element type 'complex<f32>' of 'result', expected 'f32', that of 'value'}}
  %s = ssm.sum_groups %x : tensor<?x?x?x4xf32> -> tensor<?x?x2x4xcomplex<f32>>
  return
}

// -----

func.func @sum_C3(%x: tensor<?x?x?x4xf32>) {
  // expected-error@+1 {{'ssm.sum_groups' op (C3) 'result' has a dynamic or empty group extent, expected a static positive one}}
  %s = ssm.sum_groups %x : tensor<?x?x?x4xf32> -> tensor<?x?x?x4xf32>
  return
}
