// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @selective_scan
func.func @selective_scan(%u_: tensor<?x?x?xf32>, %delta: tensor<?x?x?xf32>,
                          %A: tensor<?x16xf32>, %B: tensor<?x?x2x16xbf16>,
                          %h0: tensor<?x16xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x16xf32>) {
  // CHECK: %{{.*}}:2 = ssm.fused (
  // CHECK-SAME: %[[U:[a-z0-9]+]] = %{{[a-z0-9]+}}[b, l, d] : tensor<?x?x?xf32>,
  // CHECK-SAME: %[[DT:[a-z0-9]+]] = %{{[a-z0-9]+}}[b, l, d] : tensor<?x?x?xf32>,
  // CHECK-SAME: %[[A:[a-z0-9]+]] = %{{[a-z0-9]+}}[d, n] : tensor<?x16xf32>,
  // CHECK-SAME: %[[B:[a-z0-9]+]] = %{{[a-z0-9]+}}[b, l, g, n] : tensor<?x?x2x16xbf16>,
  // CHECK-SAME: %[[H0:[a-z0-9]+]] = %{{[a-z0-9]+}}[d, n] : tensor<?x16xf32>)
  // CHECK-SAME: -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x16xf32>)
  // CHECK-SAME: {
  %y, %hT = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>,
                       %dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                       %a = %A[d, n] : tensor<?x16xf32>,
                       %b16 = %B[b, l, g, n] : tensor<?x?x2x16xbf16>,
                       %init = %h0[d, n] : tensor<?x16xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x16xf32>) {
    // CHECK: arith.mulf %[[DT]], %[[A]] : f32
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp %x : f32
    %du = arith.mulf %dt, %u : f32
    // CHECK: %[[B32:[a-z0-9]+]] = arith.extf %[[B]] : bf16 to f32
    %bm = arith.extf %b16 : bf16 to f32
    %in = arith.mulf %du, %bm : f32
    // CHECK: %[[H:[a-z0-9]+]], %[[LAST:[a-z0-9]+]] = ssm.recurrence %{{.*}}, %{{.*}} init(%[[H0]]) : f32
    %h, %last = ssm.recurrence %decay, %in init(%init) : f32
    %hc = arith.mulf %h, %bm : f32
    // CHECK: %[[S:[a-z0-9]+]] = ssm.sum %{{.*}} over n : f32
    %s = ssm.sum %hc over n : f32
    // CHECK: ssm.yield %[[S]], %[[LAST]] : f32, f32
    ssm.yield %s, %last : f32, f32
  }
  return %y, %hT : tensor<?x?x?xf32>, tensor<?x?x16xf32>
}

// CHECK-LABEL: func.func @schedules
func.func @schedules(%x: tensor<?x?xcomplex<f32>>) -> tensor<?x?xcomplex<f32>> {
  // CHECK: schedule(#ssm.schedule<lanes = 32, items = 4, warps_l = 2>) {
  %y = ssm.fused (%v = %x[l, b] : tensor<?x?xcomplex<f32>>) -> ([b, l] : tensor<?x?xcomplex<f32>>)
      schedule(#ssm.schedule<lanes = 32, items = 4, warps_l = 2>) {
    // An attribute of someone else's, whatever it is called, stays.
    // CHECK: ssm.recurrence reverse exclusive %{{.*}}, %{{.*}} {every = 3 : i64} : complex<f32>
    %p, %first2 = ssm.recurrence reverse exclusive %v, %v {every = 3 : i64} : complex<f32>
    // CHECK: ssm.recurrence reverse %{{.*}}, %{{.*}} : complex<f32>
    %h, %first = ssm.recurrence reverse %v, %v : complex<f32>
    ssm.yield %h : complex<f32>
  }
  // CHECK: schedule(#ssm.cpu_schedule<vector = 8>) attributes {tag = "kept"} {
  %z = ssm.fused (%v = %y[l, b] : tensor<?x?xcomplex<f32>>) -> ([b, l] : tensor<?x?xcomplex<f32>>)
      schedule(#ssm.cpu_schedule<vector = 8>) attributes {tag = "kept"} {
    ssm.yield %v : complex<f32>
  }
  return %z : tensor<?x?xcomplex<f32>>
}

// CHECK-LABEL: func.func @small
func.func @small(%x: tensor<f32>) -> tensor<f32> {
  // CHECK: ssm.fused () -> () {
  // CHECK-NEXT: ssm.yield
  ssm.fused () -> () {
    ssm.yield
  }
  // CHECK: ssm.fused (%{{.*}} = %{{[a-z0-9]+}}[] : tensor<f32>) -> ([] : tensor<f32>) {
  %y = ssm.fused (%v = %x[] : tensor<f32>) -> ([] : tensor<f32>) {
    ssm.yield %v : f32
  }
  return %y : tensor<f32>
}

// A sum and the recurrence over it: two loops over n.
// CHECK-LABEL: func.func @two_levels
func.func @two_levels(%x: tensor<?x?x4xf32>, %w: tensor<4xf32>) -> tensor<?x?x4xf32> {
  %y = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>, %k = %w[n] : tensor<4xf32>)
      -> ([b, l, n] : tensor<?x?x4xf32>) {
    %norm = ssm.sum %v over n : f32
    %in = arith.divf %v, %norm : f32
    // CHECK: ssm.recurrence
    %h, %last = ssm.recurrence %k, %in : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x4xf32>
}

// States that one op saves, and another one starts from.
// CHECK-LABEL: func.func @saved_states
func.func @saved_states(%x: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // CHECK: ([b, l/64, d] : tensor<?x?x?xf32>)
  %saved = ssm.fused (%v = %x[b, l, d] : tensor<?x?x?xf32>) -> ([b, l/64, d] : tensor<?x?x?xf32>) {
    %p, %last = ssm.recurrence exclusive %v, %v : f32
    ssm.yield %p : f32
  }
  // CHECK: ssm.fused (%{{.*}} = %{{.*}}[b, l, d] : tensor<?x?x?xf32>, %{{.*}} = %{{.*}}[b, l/64, d] : tensor<?x?x?xf32>)
  %y = ssm.fused (%v = %x[b, l, d] : tensor<?x?x?xf32>, %s = %saved[b, l/64, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %h, %last = ssm.recurrence %v, %v init(%s) : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
}
