// RUN: mamba-opt %s -verify-diagnostics --split-input-file

// Operands and attributes that only the generic form can write.

func.func @missing_accesses(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op requires attribute 'input_accesses'}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    ssm.yield %v : f32
  }) {result_accesses = [#ssm.access<d>]} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @accesses_of_another_kind(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op attribute 'input_accesses' failed to satisfy constraint: array of #ssm.access, one an input}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    ssm.yield %v : f32
  }) {input_accesses = [affine_map<(d0) -> (d0)>], result_accesses = [#ssm.access<d>]}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @accesses_are_no_array(%x: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op attribute 'result_accesses' failed to satisfy constraint: array of #ssm.access, one a result}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    ssm.yield %v : f32
  }) {input_accesses = [#ssm.access<d>], result_accesses = #ssm.access<d>}
    : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @scan_of_one_operand(%a: tensor<2x3x4xf32>) {
  // expected-error@+1 {{'ssm.scan' op expected 2 or more operands, but found 1}}
  %0:2 = "ssm.scan"(%a) : (tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x4xf32>)
  return
}

// -----

func.func @scan_of_four_operands(%a: tensor<2x3x4xf32>) {
  // expected-error@+1 {{'ssm.scan' op operand group starting at #2 requires 0 or 1 element, but found 2}}
  %0:2 = "ssm.scan"(%a, %a, %a, %a)
    : (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>)
    -> (tensor<2x3x4xf32>, tensor<2x4xf32>)
  return
}

// -----

func.func @scan_with_one_result(%a: tensor<2x3x4xf32>) {
  // expected-error@+1 {{'ssm.scan' op expected 2 or more results}}
  %0 = "ssm.scan"(%a, %a) : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @scan_of_rank_0(%a: tensor<f32>) {
  // expected-error@+1 {{'ssm.scan' op (C1) 'a' has type 'tensor<f32>', expected (b, l, d, n) or (b, l, d)}}
  %0:2 = ssm.scan %a, %a : tensor<f32>
  return
}

// -----

func.func @discretize_of_rank_0(%a: tensor<f32>) {
  // expected-error@+1 {{'ssm.discretize' op (C1) 'delta' has type 'tensor<f32>', expected (b, l, d) or (d)}}
  %0:2 = "ssm.discretize"(%a, %a, %a, %a) {rule = #ssm<rule zoh>}
    : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return
}

// -----

func.func @rule_of_another_kind(%u: tensor<2x3x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{'ssm.discretize' op attribute 'rule' failed to satisfy constraint}}
  %0:2 = "ssm.discretize"(%u, %A, %A, %u) {rule = 0 : i32}
    : (tensor<2x3x4xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<2x3x4xf32>)
    -> (tensor<2x3x4x2xf32>, tensor<2x3x4x2xf32>)
  return
}

// -----

func.func @unranked(%a: tensor<*xf32>) {
  // expected-error@+1 {{'ssm.gate' op operand #0 must be ranked tensor of f32 or f64 values, but got 'tensor<*xf32>'}}
  %0 = ssm.gate silu %a, %a : tensor<*xf32>
  return
}

// -----

func.func @memref(%a: memref<2x3x4xf32>) {
  // expected-error@+1 {{invalid kind of type specified: expected builtin.tensor, but found 'memref<2x3x4xf32>'}}
  %0:2 = ssm.scan %a, %a : memref<2x3x4xf32>
  return
}

// -----

// expected-error@+1 {{invalid dimension}}
func.func private @extent_beyond_64_bits(tensor<99999999999999999999x4xf32>)

// -----

// expected-error@+2 {{integer value too large}}
// expected-error@+1 {{failed to parse SSM_ScheduleAttr parameter 'lanes'}}
func.func private @field_beyond_64_bits() attributes {a = #ssm.schedule<lanes = 99999999999999999999>}

// -----

// Extents are only compared, never multiplied.
func.func @huge(%a: tensor<9223372036854775807x9223372036854775807x9223372036854775807x4xf32>) {
  %0:2 = ssm.scan %a, %a : tensor<9223372036854775807x9223372036854775807x9223372036854775807x4xf32>
  return
}

// -----

func.func @unknown_op(%a: f32) {
  // expected-error@+1 {{custom op 'ssm.convolve' is unknown}}
  %0 = ssm.convolve %a : f32
  return
}

// -----

// expected-error@+1 {{dialect 'ssm' provides no type parsing hook}}
func.func private @unknown_type(!ssm.state)
