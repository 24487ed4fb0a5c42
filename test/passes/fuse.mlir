// RUN: mamba-opt --ssm-fuse --split-input-file %s | FileCheck %s
// RUN: mamba-opt --ssm-fuse %examples/01-selective-scan/selective_scan.mlir \
// RUN:   | FileCheck %s --check-prefix=EXAMPLE

// The layer of example 01 is one op. Products of few axes come first: delta u
// once a step and channel, before B.

// EXAMPLE-LABEL: func.func @selective_scan
// EXAMPLE-SAME: ssm.name = "u"
// EXAMPLE-NEXT: %[[R:[a-z0-9_]+]]:2 = ssm.fused (%[[U:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : tensor<?x?x?xbf16>, %[[DELTA:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : tensor<?x?x?xbf16>, %[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : tensor<?x16xf32>, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, g, n] : tensor<?x?x1x16xbf16>, %[[C:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, g, n] : tensor<?x?x1x16xbf16>, %[[D:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d] : tensor<?xf32>, %[[Z:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : tensor<?x?x?xbf16>, %[[BIAS:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d] : tensor<?xf32>)
// EXAMPLE-SAME: -> ([b, l, d] : tensor<?x?x?xbf16>, [b, d, n] : tensor<?x?x16xf32>)
// EXAMPLE: %[[U32:[a-z0-9_]+]] = arith.extf %[[U]]
// EXAMPLE: %[[DELTA32:[a-z0-9_]+]] = arith.extf %[[DELTA]]
// EXAMPLE: %[[B32:[a-z0-9_]+]] = arith.extf %[[B]]
// EXAMPLE: %[[C32:[a-z0-9_]+]] = arith.extf %[[C]]
// EXAMPLE: %[[Z32:[a-z0-9_]+]] = arith.extf %[[Z]]
// EXAMPLE: %[[BIASED:[a-z0-9_]+]] = arith.addf %[[DELTA32]], %[[BIAS]] fastmath<contract>
// EXAMPLE: math.log1p
// EXAMPLE: %[[DT:[a-z0-9_]+]] = arith.select
// EXAMPLE: %[[X:[a-z0-9_]+]] = arith.mulf %[[DT]], %[[A]] fastmath<contract>
// EXAMPLE: %[[DECAY:[a-z0-9_]+]] = math.exp %[[X]]
// EXAMPLE: %[[DU:[a-z0-9_]+]] = arith.mulf %[[DT]], %[[U32]]
// EXAMPLE: %[[IN:[a-z0-9_]+]] = arith.mulf %[[DU]], %[[B32]]
// EXAMPLE: %[[H:[a-z0-9_]+]], %[[LAST:[a-z0-9_]+]] = ssm.recurrence %[[DECAY]], %[[IN]]
// EXAMPLE: %[[HC:[a-z0-9_]+]] = arith.mulf %[[H]], %[[C32]]
// EXAMPLE: %[[Y:[a-z0-9_]+]] = ssm.sum %[[HC]] over n
// EXAMPLE: %[[SKIP:[a-z0-9_]+]] = arith.mulf %[[D]], %[[U32]]
// EXAMPLE: %[[SUM:[a-z0-9_]+]] = arith.addf %[[Y]], %[[SKIP]]
// EXAMPLE: arith.negf %[[Z32]]
// EXAMPLE: %[[OUT:[a-z0-9_]+]] = arith.truncf %{{.*}} : f32 to bf16
// EXAMPLE: ssm.yield %[[OUT]], %[[LAST]]
// EXAMPLE: return %[[R]]#0, %[[R]]#1

// minGRU: a recurrence without states, from a user's own elementwise ops; a
// scalar constant comes from outside of their region.

#bld = affine_map<(b, l, d) -> (b, l, d)>
// CHECK-LABEL: func.func @min_gru
func.func @min_gru(%z: tensor<?x?x?xf32>, %x: tensor<?x?x?xf32>,
                   %h0: tensor<?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>) {
  // CHECK: %[[R:[a-z0-9_]+]]:2 = ssm.fused (%[[Z:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : tensor<?x?x?xf32>, %[[X:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : tensor<?x?x?xf32>, %[[H0:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, d] : tensor<?x?xf32>)
  // CHECK-SAME: -> ([b, l, d] : tensor<?x?x?xf32>, [b, d] : tensor<?x?xf32>) {
  // CHECK-NEXT: %[[ONE:[a-z0-9_]+]] = arith.constant 1.0
  // CHECK-NEXT: %[[NEG:[a-z0-9_]+]] = arith.negf %[[Z]]
  // CHECK-NEXT: %[[E:[a-z0-9_]+]] = math.exp %[[NEG]]
  // CHECK-NEXT: %[[DEN:[a-z0-9_]+]] = arith.addf %[[ONE]], %[[E]] fastmath<contract>
  // CHECK-NEXT: %[[G:[a-z0-9_]+]] = arith.divf %[[ONE]], %[[DEN]]
  // CHECK-NEXT: %[[A:[a-z0-9_]+]] = arith.subf %[[ONE]], %[[G]]
  // CHECK-NEXT: %[[B:[a-z0-9_]+]] = arith.mulf %[[G]], %[[X]]
  // CHECK-NEXT: %[[H:[a-z0-9_]+]], %[[LAST:[a-z0-9_]+]] = ssm.recurrence %[[A]], %[[B]] init(%[[H0]]) : f32
  // CHECK-NEXT: ssm.yield %[[H]], %[[LAST]]
  // CHECK: return %[[R]]#0, %[[R]]#1
  %one = arith.constant 1.0 : f32
  %a, %b = linalg.generic {
      indexing_maps = [#bld, #bld, #bld, #bld],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%z, %x : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%z, %z : tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  ^bb0(%zz: f32, %xx: f32, %o0: f32, %o1: f32):
    %n = arith.negf %zz : f32
    %e = math.exp %n : f32
    %s = arith.addf %one, %e : f32
    %g = arith.divf %one, %s : f32
    %keep = arith.subf %one, %g : f32
    %in = arith.mulf %g, %xx : f32
    linalg.yield %keep, %in : f32, f32
  } -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>)
  %h, %last = ssm.scan %a, %b init(%h0) : tensor<?x?x?xf32>, tensor<?x?xf32>
  return %h, %last : tensor<?x?x?xf32>, tensor<?x?xf32>
}

// -----

// An initial state for all sequences, and the last states as a result.

// CHECK-LABEL: func.func @init_and_last
// CHECK: ssm.fused ({{.*}}, %[[H0:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : tensor<?x4xf32>) -> ([b, d, n] : tensor<?x?x4xf32>, [b, l, d, n] : tensor<?x?x?x4xf32>)
// CHECK: %[[H:[a-z0-9_]+]], %[[LAST:[a-z0-9_]+]] = ssm.recurrence reverse %{{.*}}, %{{.*}} init(%[[H0]])
// CHECK: ssm.yield %[[LAST]], %[[H]]
func.func @init_and_last(%a: tensor<?x?x?x4xf32>, %b: tensor<?x?x?x4xf32>,
                         %h0: tensor<?x4xf32>)
    -> (tensor<?x?x4xf32>, tensor<?x?x?x4xf32>) {
  %h, %last = ssm.scan reverse %a, %b init(%h0)
    : tensor<?x?x?x4xf32>, tensor<?x4xf32>
  return %last, %h : tensor<?x?x4xf32>, tensor<?x?x?x4xf32>
}

// -----

// Axes come backward through a transpose, a broadcast and a cast.

// CHECK-LABEL: func.func @axes_from_uses
// CHECK: ssm.fused (%[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, d, l] : tensor<?x?x?xf32>, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l] : tensor<2x8xf32>)
// CHECK-SAME: -> ([b, l, d] : tensor<?x?x?xf32>) {
// CHECK-NEXT: %[[E:[a-z0-9_]+]] = math.tanh %[[B]]
// CHECK-NEXT: ssm.recurrence %[[A]], %[[E]]
func.func @axes_from_uses(%a: tensor<?x?x?xf32>, %b: tensor<2x8xf32>,
                          %shape: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %at = linalg.transpose ins(%a : tensor<?x?x?xf32>)
    outs(%shape : tensor<?x?x?xf32>) permutation = [0, 2, 1]
  %cast = tensor.cast %b : tensor<2x8xf32> to tensor<?x?xf32>
  %tanh = math.tanh %cast : tensor<?x?xf32>
  %wide = linalg.broadcast ins(%tanh : tensor<?x?xf32>)
    outs(%shape : tensor<?x?x?xf32>) dimensions = [2]
  %h, %last = ssm.scan %at, %wide : tensor<?x?x?xf32>
  return %h : tensor<?x?x?xf32>
}

// -----

// Shapes are no inputs; a filled tensor is a constant; an extent of 1 is a
// group; `outs` that a region reads is an input. No ssm op: rank 3 is b, l, d.

// CHECK-LABEL: func.func @elementwise
// CHECK: ssm.fused (%[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : tensor<?x?x?xf32>, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, g] : tensor<?x1xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
// CHECK-NEXT: %[[TWO:[a-z0-9_]+]] = arith.constant 2.0
// CHECK-NEXT: %[[M:[a-z0-9_]+]] = arith.mulf %[[TWO]], %[[A]]
// CHECK-NEXT: %[[E:[a-z0-9_]+]] = math.exp %[[M]]
// CHECK-NEXT: %[[S:[a-z0-9_]+]] = arith.addf %[[B]], %[[E]]
// CHECK-NEXT: ssm.yield %[[S]]
// CHECK-NOT: tensor.dim
func.func @elementwise(%a: tensor<?x?x?xf32>, %b: tensor<?x1xf32>)
    -> tensor<?x?x?xf32> {
  %c0 = arith.constant 0 : index
  %d0 = tensor.dim %a, %c0 : tensor<?x?x?xf32>
  %empty = tensor.empty(%d0, %d0, %d0) : tensor<?x?x?xf32>
  %two = arith.constant 2.0 : f32
  %fill = linalg.fill ins(%two : f32) outs(%empty : tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32>
  %m = linalg.mul ins(%fill, %a : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
    outs(%empty : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %e = linalg.exp ins(%m : tensor<?x?x?xf32>)
    outs(%empty : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, 0)>,
                       affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%b : tensor<?x1xf32>) outs(%e : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.addf %x, %o : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// -----

// A splat constant, linalg.map; one argument read with two accesses is two
// inputs.

// CHECK-LABEL: func.func @two_accesses
// CHECK: ssm.fused (%[[H0:[a-z0-9_]+]] = %[[ARG:[a-z0-9_]+]][b, d, n] : tensor<4x4x4xf32>, %[[A:[a-z0-9_]+]] = %[[ARG]][b, l, d] : tensor<4x4x4xf32>)
// CHECK: %[[HALF:[a-z0-9_]+]] = arith.constant 5.0
// CHECK: %[[SCALED:[a-z0-9_]+]] = arith.mulf %[[A]], %[[HALF]]
// CHECK: ssm.recurrence %[[SCALED]], %[[SCALED]] init(%[[H0]])
func.func @two_accesses(%a: tensor<4x4x4xf32>) -> tensor<4x4x4x4xf32> {
  %half = arith.constant dense<0.5> : tensor<4x4x4xf32>
  %m = linalg.map { arith.mulf }
    ins(%a, %half : tensor<4x4x4xf32>, tensor<4x4x4xf32>)
    outs(%a : tensor<4x4x4xf32>)
  %shape = tensor.empty() : tensor<4x4x4x4xf32>
  %wide = linalg.broadcast ins(%m : tensor<4x4x4xf32>)
    outs(%shape : tensor<4x4x4x4xf32>) dimensions = [3]
  %h, %last = ssm.scan %wide, %wide init(%a)
    : tensor<4x4x4x4xf32>, tensor<4x4x4xf32>
  return %h : tensor<4x4x4x4xf32>
}

// -----

// Constants as operands of ssm ops.

// CHECK-LABEL: func.func @constant_system
// CHECK: %[[DELTA:[a-z0-9_]+]] = arith.constant 1.000000e-01
// CHECK: %[[A:[a-z0-9_]+]] = complex.constant [-1.0{{.*}}, 2.0{{.*}}] : complex<f32>
// CHECK: complex.re %[[A]]
// CHECK: ssm.recurrence
func.func @constant_system(%u: tensor<?x?x2xf32>, %B: tensor<2x4xf32>)
    -> tensor<?x?x2x4xcomplex<f32>> {
  %delta = arith.constant dense<0.1> : tensor<2xf32>
  %A = arith.constant dense<(-1.0, 2.0)> : tensor<2x4xcomplex<f32>>
  %a, %b = ssm.discretize mamba %delta, %A, %B, %u
    : tensor<2xf32>, tensor<2x4xcomplex<f32>>, tensor<2x4xf32>, tensor<?x?x2xf32>
    -> tensor<?x?x2x4xcomplex<f32>>
  %h, %last = ssm.scan %a, %b : tensor<?x?x2x4xcomplex<f32>>
  return %h : tensor<?x?x2x4xcomplex<f32>>
}

// -----

// Every result is one of its own: an argument, and one value twice.

// CHECK-LABEL: func.func @own_results
// CHECK: %[[R:[a-z0-9_]+]]:3 = ssm.fused (%[[Y:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d]
// CHECK: %[[G:[a-z0-9_]+]] = arith.mulf
// CHECK: ssm.yield %[[Y]], %[[G]], %[[G]]
// CHECK: return %[[R]]#0, %[[R]]#1, %[[R]]#2
func.func @own_results(%y: tensor<2x3x4xf32>, %z: tensor<2x3x4xf32>)
    -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<?x?x?xf32>) {
  %g = ssm.gate identity %y, %z : tensor<2x3x4xf32>
  %cast = tensor.cast %g : tensor<2x3x4xf32> to tensor<?x?x?xf32>
  return %y, %g, %cast : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<?x?x?xf32>
}

// -----

// Names come from locations; a fused function stays as it is.

// CHECK-LABEL: func.func @names
// CHECK-SAME: tensor<?x?x?xf32> {ssm.name = "u"}
func.func @names(%a: tensor<?x?x?xf32> loc("u")) -> tensor<?x?x?xf32> {
  %r = math.exp %a : tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @already_fused
// CHECK-NEXT: ssm.fused
// CHECK-NEXT: ssm.yield
func.func @already_fused(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%x = %a[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    ssm.yield %x : f32
  }
  return %r : tensor<?x?x?xf32>
}
