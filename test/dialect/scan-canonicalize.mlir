// RUN: mamba-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @zero_init
func.func @zero_init(%a: tensor<?x?x?x4xf32>) -> tensor<?x?x?x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<8x4xf32>
  %h0 = tensor.cast %zero : tensor<8x4xf32> to tensor<8x4xf32>
  // CHECK: ssm.scan %[[A:.*]], %[[A]] : tensor<?x?x?x4xf32>
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x?x4xf32>, tensor<8x4xf32>
  return %h : tensor<?x?x?x4xf32>
}

// -----

// CHECK-LABEL: func.func @complex_zero_init
func.func @complex_zero_init(%a: tensor<?x?x8x4xcomplex<f32>>)
    -> tensor<?x?x8x4xcomplex<f32>> {
  %h0 = arith.constant dense<(0.0, -0.0)> : tensor<8x4xcomplex<f32>>
  // CHECK: ssm.scan %[[A:.*]], %[[A]] : tensor<?x?x8x4xcomplex<f32>>{{$}}
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x8x4xcomplex<f32>>, tensor<8x4xcomplex<f32>>
  return %h : tensor<?x?x8x4xcomplex<f32>>
}

// -----

// CHECK-LABEL: func.func @other_init_stays
func.func @other_init_stays(%a: tensor<?x?x8xf32>, %b: tensor<?x?x2xcomplex<f32>>)
    -> (tensor<?x?x8xf32>, tensor<?x?x2xcomplex<f32>>) {
  %h0 = arith.constant dense<1.0> : tensor<8xf32>
  // CHECK: ssm.scan {{.*}} init(
  %h, %last = ssm.scan %a, %a init(%h0) : tensor<?x?x8xf32>, tensor<8xf32>
  %h1 = arith.constant dense<(0.0, 1.0)> : tensor<2xcomplex<f32>>
  // CHECK: ssm.scan {{.*}} init(
  %g, %glast = ssm.scan %b, %b init(%h1) : tensor<?x?x2xcomplex<f32>>, tensor<2xcomplex<f32>>
  return %h, %g : tensor<?x?x8xf32>, tensor<?x?x2xcomplex<f32>>
}

// -----

// Where the decay is infinite, the state is NaN and not zero.
// CHECK-LABEL: func.func @zero_input_is_no_zero_state
func.func @zero_input_is_no_zero_state(%a: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x4xf32>
  // CHECK: %[[H:.*]], %{{.*}} = ssm.scan
  // CHECK: return %[[H]]
  %h, %last = ssm.scan %a, %zero : tensor<2x3x4xf32>
  return %h : tensor<2x3x4xf32>
}

// -----

// Saved states that are zero are no initial state either.
// CHECK-LABEL: func.func @zero_saved_states
func.func @zero_saved_states(%a: tensor<2x20x4xf32>) -> tensor<2x20x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x4xf32>
  // CHECK: ssm.scan %{{.*}}, %{{.*}} : tensor<2x20x4xf32>
  %h, %last = ssm.scan %a, %a init(%zero every 8) : tensor<2x20x4xf32>, tensor<2x3x4xf32>
  return %h : tensor<2x20x4xf32>
}

// -----

// CHECK-LABEL: func.func @unused
func.func @unused(%a: tensor<2x3x4xf32>) {
  // CHECK-NOT: ssm.scan
  %h, %last = ssm.scan %a, %a : tensor<2x3x4xf32>
  return
}
