// RUN: mamba-opt %s --ssm-differentiate --ssm-recompute=every=32 --split-input-file | FileCheck %s
// RUN: mamba-opt %s --ssm-differentiate --ssm-recompute=every=0 --split-input-file | FileCheck %s --check-prefix=NONE

// Forward returns what gradients start from; both of backward's scans of the
// states do, and h0 is not needed any more. (Its gradient is.)
// CHECK: func.func @f(%[[A:.*]]: tensor<?x?x?x4xf32>, %[[B:.*]]: tensor<?x?x?x4xf32>, %[[H0:.*]]: tensor<?x4xf32>) -> (tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32> {ssm.name = "saved0"})
// CHECK: %[[H:.*]], %{{.*}}, %[[SAVED:.*]] = ssm.scan %[[A]], %[[B]] init(%[[H0]]) save every 32
// CHECK: return %[[H]], %[[SAVED]]
// CHECK: func.func @f_backward
// CHECK-SAME: (%[[A:.*]]: tensor<?x?x?x4xf32>, %{{.*}}: tensor<?x?x?x4xf32>, %{{.*}}: tensor<?x?x?x4xf32> {ssm.name = "dresult0"}, %[[SAVED:.*]]: tensor<?x?x?x4xf32> {ssm.name = "saved0"})
// CHECK-SAME: tensor<?x4xf32> {ssm.name = "dargument2"}
// CHECK: ssm.scan reverse exclusive
// CHECK: ssm.scan exclusive %{{.*}}, %{{.*}} init(%[[SAVED]] every 32)

// NONE: func.func @f(
// NONE-SAME: -> tensor<?x?x?x4xf32> {
// NONE: func.func @f_backward(
// NONE-NOT: saved0
// NONE: ssm.scan exclusive %{{.*}}, %{{.*}} init(%{{.*}}) : tensor
func.func @f(%a: tensor<?x?x?x4xf32>, %b: tensor<?x?x?x4xf32>,
             %h0: tensor<?x4xf32>) -> tensor<?x?x?x4xf32> {
  %h, %last = ssm.scan %a, %b init(%h0) : tensor<?x?x?x4xf32>, tensor<?x4xf32>
  return %h : tensor<?x?x?x4xf32>
}

// -----

// The gradients of a sum need neither of its operands.
// CHECK: func.func @sum({{.*}}) -> tensor<?x?x?xf32> {
// CHECK: func.func @sum_backward(%{{[a-z0-9]+}}: tensor<?x?x?xf32> {ssm.name = "dresult0"}) ->
func.func @sum(%x: tensor<?x?x?xf32>, %y: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %0 = arith.addf %x, %y : tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// -----

// Scans that are computed in the same way are found through the bodies of what
// they are computed from; two different ones are saved as two.
// CHECK: func.func @two
// CHECK: ssm.scan %{{.*}} save every 32
// CHECK: ssm.scan reverse %{{.*}} save every 32
// CHECK: func.func @two_backward
// CHECK-SAME: ssm.name = "saved0"
// CHECK-SAME: ssm.name = "saved1"
#id = affine_map<(b, l, d) -> (b, l, d)>
func.func @two(%x: tensor<?x?x?xf32>, %y: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %a = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x?xf32>) outs(%x : tensor<?x?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %e = math.exp %in : f32
    linalg.yield %e : f32
  } -> tensor<?x?x?xf32>
  %h, %last = ssm.scan %a, %y : tensor<?x?x?xf32>
  %g, %first = ssm.scan reverse %a, %y : tensor<?x?x?xf32>
  %0 = arith.mulf %h, %g : tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// -----

// What is written as the kernel itself is expanded first, as its gradients were.
// CHECK: func.func @kernel
// CHECK-NOT: ssm.fused
// CHECK: ssm.scan %{{.*}} save every 32
// CHECK: func.func @kernel_backward
// CHECK-SAME: ssm.name = "saved0"
func.func @kernel(%x: tensor<?x?x?xf32>, %r: tensor<?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%u = %x[b, l, d] : tensor<?x?x?xf32>, %rate = %r[d] : tensor<?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %a = math.exp %rate : f32
    %b = arith.mulf %u, %rate : f32
    %h, %last = ssm.recurrence %a, %b : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
}
