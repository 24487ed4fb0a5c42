// RUN: mamba-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @one_input_read_twice
func.func @one_input_read_twice(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: ssm.fused (%[[V:.*]] = %{{.*}}[b, l] : tensor<?x?xf32>) ->
  // CHECK-NEXT: arith.mulf %[[V]], %[[V]]
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>, %w = %x[b, l] : tensor<?x?xf32>)
      -> ([b, l] : tensor<?x?xf32>) {
    %p = arith.mulf %v, %w : f32
    ssm.yield %p : f32
  }
  return %y : tensor<?x?xf32>
}

// -----

// The same tensor along other axes is another input.
// CHECK-LABEL: func.func @other_access_stays
func.func @other_access_stays(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: ssm.fused (%{{.*}} = %{{.*}}[b, l] : tensor<?x?xf32>, %{{.*}} = %{{.*}}[l, b] : tensor<?x?xf32>)
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>, %w = %x[l, b] : tensor<?x?xf32>)
      -> ([b, l] : tensor<?x?xf32>) {
    %p = arith.mulf %v, %w : f32
    ssm.yield %p : f32
  }
  return %y : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @unread_inputs
func.func @unread_inputs(%x: tensor<?x?xf32>, %w: tensor<?xf32>, %k: tensor<4xf32>) -> tensor<?x?xf32> {
  // The extent of n counts for the sum, so its only tensor stays.
  // CHECK: ssm.fused (%{{.*}} = %{{.*}}[b, l] : tensor<?x?xf32>, %{{.*}} = %{{.*}}[n] : tensor<4xf32>) ->
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>, %a = %w[b] : tensor<?xf32>, %c = %k[n] : tensor<4xf32>)
      -> ([b, l] : tensor<?x?xf32>) {
    %s = ssm.sum %v over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @splat_inputs
func.func @splat_inputs(%x: tensor<?x8xcomplex<f32>>) -> tensor<?x8xcomplex<f32>> {
  %bias = arith.constant dense<2.0> : tensor<8xbf16>
  %w = arith.constant dense<(1.0, -1.0)> : tensor<8xcomplex<f32>>
  // CHECK: ssm.fused (%[[V:.*]] = %{{.*}}[b, d] : tensor<?x8xcomplex<f32>>) ->
  // CHECK-DAG: %[[W:.*]] = complex.constant [1.000000e+00 : f32, -1.000000e+00 : f32]
  // CHECK-DAG: %[[B:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK: complex.create %[[B]], %[[B]]
  // CHECK: complex.mul %[[V]], %[[W]]
  %y = ssm.fused (%v = %x[b, d] : tensor<?x8xcomplex<f32>>, %c = %bias[d] : tensor<8xbf16>,
                  %k = %w[d] : tensor<8xcomplex<f32>>)
      -> ([b, d] : tensor<?x8xcomplex<f32>>) {
    %e = arith.extf %c : bf16 to f32
    %m = complex.create %e, %e : complex<f32>
    %p = complex.mul %v, %k : complex<f32>
    %q = complex.mul %p, %m : complex<f32>
    ssm.yield %q : complex<f32>
  }
  return %y : tensor<?x8xcomplex<f32>>
}

// -----

// A splat that alone tells an extent stays an input, but nobody reads it.
// CHECK-LABEL: func.func @splat_with_the_only_extent
func.func @splat_with_the_only_extent(%x: tensor<?xf32>) -> tensor<?x8xf32> {
  %bias = arith.constant dense<2.0> : tensor<8xf32>
  // CHECK: ssm.fused (%[[V:.*]] = %{{.*}}[b] : tensor<?xf32>, %{{.*}} = %{{.*}}[d] : tensor<8xf32>)
  // CHECK-NEXT: %[[C:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK-NEXT: arith.addf %[[V]], %[[C]]
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>, %c = %bias[d] : tensor<8xf32>)
      -> ([b, d] : tensor<?x8xf32>) {
    %s = arith.addf %v, %c : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @unread_result
func.func @unread_result(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  // CHECK: %[[R:.*]] = ssm.fused (%{{.*}} = %{{.*}}[b, l] : tensor<?x?xf32>) -> ([b] : tensor<?xf32>) schedule(#ssm.schedule<items = 4>) attributes {tag = "kept"} {
  // CHECK-NEXT: %{{.*}}, %[[LAST:.*]] = ssm.recurrence
  // CHECK-NEXT: ssm.yield %[[LAST]] : f32
  // CHECK: return %[[R]]
  %y, %t = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>, [b] : tensor<?xf32>)
      schedule(#ssm.schedule<items = 4>) attributes {tag = "kept"} {
    %h, %last = ssm.recurrence %v, %v : f32
    %e = math.exp %h : f32
    ssm.yield %e, %last : f32, f32
  }
  return %t : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @body
func.func @body(%x: tensor<?x?x4xf32>) -> (tensor<?x?x4xf32>, tensor<?x?xf32>) {
  %y, %z = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>)
      -> ([b, l, n] : tensor<?x?x4xf32>, [b, l] : tensor<?x?xf32>) {
    %zero = arith.constant 0.0 : f32
    // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
    // CHECK-NEXT: %[[H:.*]], %{{.*}} = ssm.recurrence %[[V:.*]], %[[V]] : f32
    // CHECK-NEXT: ssm.yield %[[H]], %[[ZERO]] : f32, f32
    %h, %last = ssm.recurrence %v, %v init(%zero) : f32
    %s = ssm.sum %zero over n : f32
    ssm.yield %h, %s : f32, f32
  }
  return %y, %z : tensor<?x?x4xf32>, tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @unread
func.func @unread(%x: tensor<?xf32>) {
  // CHECK-NOT: ssm.fused
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

// (C10) The unread result stays: for its recurrence, the other one is replayed,
// which the sum's loop over n reads again.

// CHECK-LABEL: func.func @unread_replays
// CHECK: ssm.fused {{.*}} -> ([b, l, n] : tensor<?x?x4xf32>, [b, l, n] : tensor<?x?x4xf32>)
// CHECK: ssm.recurrence reverse
func.func @unread_replays(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y:2 = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>)
      -> ([b, l, n] : tensor<?x?x4xf32>, [b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %s = ssm.sum %h over n : f32
    %q = arith.mulf %h, %s : f32
    %g, %first = ssm.recurrence reverse %v, %q : f32
    ssm.yield %q, %g : f32, f32
  }
  return %y#0 : tensor<?x?x4xf32>
}

// -----

// Where no loop reads it again, it goes.

// CHECK-LABEL: func.func @unread_reverse
// CHECK: ssm.fused {{.*}} -> ([b, l, n] : tensor<?x?x4xf32>)
// CHECK-NOT: reverse
func.func @unread_reverse(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y:2 = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>)
      -> ([b, l, n] : tensor<?x?x4xf32>, [b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %g, %first = ssm.recurrence reverse %v, %h : f32
    ssm.yield %h, %g : f32, f32
  }
  return %y#0 : tensor<?x?x4xf32>
}
