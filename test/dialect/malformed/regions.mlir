// RUN: mamba-opt %s -verify-diagnostics --split-input-file

// Bodies that only the generic form can write.

func.func @no_region(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op requires one region}}
  %y = "ssm.fused"(%x) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @two_regions(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op requires one region}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    ssm.yield %v : f32
  }, {}) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @no_block(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op region #0 ('body') failed to verify constraint: region with 1 blocks}}
  %y = "ssm.fused"(%x) ({}) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @empty_block(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op expects a non-empty block}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
  }) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @two_blocks(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op expects region #0 to have 0 or 1 blocks}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    ssm.yield %v : f32
  ^bb1:
    ssm.yield
  }) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @no_arguments(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C3) body has 0 arguments, expected 1, one an input}}
  %y = "ssm.fused"(%x) ({
    ssm.yield
  }) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @no_terminator(%x: tensor<4xf32>) {
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    // expected-error@+1 {{block with no terminator}}
    %s = arith.addf %v, %v : f32
  }) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @foreign_terminator(%x: tensor<4xf32>) {
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    // expected-error@+1 {{'func.return' op expects parent op 'func.func'}}
    func.return %v : f32
  }) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @cyclic_body(%x: tensor<4xf32>) {
  %y = ssm.fused (%v = %x[d] : tensor<4xf32>) -> ([d] : tensor<4xf32>) {
    // expected-error@+1 {{operand #0 does not dominate this use}}
    %p = arith.addf %q, %v : f32
    // expected-note@+1 {{operand defined here}}
    %q = arith.addf %p, %v : f32
    ssm.yield %q : f32
  }
  return
}

// -----

func.func @fused_in_fused(%x: tensor<4xf32>) {
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    // expected-error@+1 {{'ssm.fused' op (C6) is no scalar op of arith, math or complex}}
    "ssm.fused"() ({
      ssm.yield
    }) {input_accesses = [], result_accesses = []} : () -> ()
    ssm.yield %v : f32
  }) {input_accesses = [#ssm.access<d>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @yield_alone(%x: f32) {
  // expected-error@+1 {{'ssm.yield' op expects parent op 'ssm.fused'}}
  ssm.yield %x : f32
}
