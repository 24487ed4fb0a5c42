// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1(%x: tensor<?x?xf32>, %w: tensor<f64>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>, %k = %w[] : tensor<f64>) -> ([b, l] : tensor<?x?xf32>) {
    // expected-error@+1 {{'ssm.recurrence' op (C1) found type 'f64', expected 'f32', that of 'a'}}
    %h, %last = "ssm.recurrence"(%v, %k) : (f32, f64) -> (f32, f32)
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @C1_half(%x: tensor<?x?xbf16>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xbf16>) -> ([b, l] : tensor<?x?xbf16>) {
    // expected-error@+1 {{'ssm.recurrence' op operand #0 must be f32, f64 or complex of these, but got 'bf16'}}
    %h, %last = ssm.recurrence %v, %v : bf16
    ssm.yield %h : bf16
  }
  return
}

// -----

func.func @C2(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    // expected-error@+1 {{'ssm.recurrence' op (C2) 'init' depends on l, expected a value of every sequence}}
    %h, %last = ssm.recurrence %v, %v init(%v) : f32
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @outside_of_a_body(%v: f32) {
  // expected-error@+1 {{'ssm.recurrence' op expects parent op 'ssm.fused'}}
  %h, %last = ssm.recurrence %v, %v : f32
  return
}

// -----

func.func @sum_outside_of_a_body(%v: f32) {
  // expected-error@+1 {{'ssm.sum' op expects parent op 'ssm.fused'}}
  %s = ssm.sum %v over n : f32
  return
}

// -----

func.func @sum_over_other_axes(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    // expected-error@+1 {{expected 'n'}}
    %s = ssm.sum %v over l : f32
    ssm.yield %s : f32
  }
  return
}
