// RUN: mamba-opt --ssm-fuse --canonicalize --cse --split-input-file %s | FileCheck %s

// A sum over sequences and steps is a total of the kernel that computes its
// terms. What reads it is the next kernel.

// CHECK-LABEL: func.func @normalized
// CHECK: %[[FIRST:.*]]:2 = ssm.fused ({{.*}}) -> ([d] : tensor<?xf32>, [b, l, d] : tensor<?x?x?xf32>) {
// CHECK: %[[H:[a-z0-9_]+]], %{{.*}} = ssm.recurrence
// CHECK: %[[SUM:[a-z0-9_]+]] = ssm.total %[[H]] over <b, l> : f32 -> f32
// CHECK: ssm.yield %[[SUM]], %[[H]]
// CHECK: %[[SECOND:.*]] = ssm.fused (%[[V:.*]] = %[[FIRST]]#1[b, l, d] : tensor<?x?x?xf32>, %[[S:.*]] = %[[FIRST]]#0[d] : tensor<?xf32>)
// CHECK: arith.mulf %[[V]], %[[S]]
// CHECK: return %[[SECOND]], %[[FIRST]]#0
func.func @normalized(%x: tensor<?x?x?xf32>, %D: tensor<?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %D, %c0 : tensor<?xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%d) : tensor<?xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>)
    -> tensor<?xf32>
  %h, %last = ssm.scan %x, %x : tensor<?x?x?xf32>
  %sum = linalg.reduce { arith.addf } ins(%h : tensor<?x?x?xf32>)
    outs(%start : tensor<?xf32>) dimensions = [0, 1]
  %y = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, l, d)>,
                       affine_map<(b, l, d) -> (d)>,
                       affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%h, %sum : tensor<?x?x?xf32>, tensor<?xf32>)
    outs(%x : tensor<?x?x?xf32>) {
  ^bb0(%v: f32, %s: f32, %out: f32):
    %p = arith.mulf %v, %s : f32
    linalg.yield %p : f32
  } -> tensor<?x?x?xf32>
  return %y, %sum : tensor<?x?x?xf32>, tensor<?xf32>
}

// -----

// Groups are summed like what they were spread to, and rounded in the same op.

// CHECK-LABEL: func.func @groups
// CHECK-COUNT-1: ssm.fused ({{.*}}) -> ([b, l, g, n] : tensor<?x?x2x4xbf16>) {
// CHECK: %[[T:[a-z0-9_]+]] = ssm.total %{{.*}} over <g> : f32 -> bf16
// CHECK: ssm.yield %[[T]]
// CHECK-NOT: ssm.fused
func.func @groups(%x: tensor<?x?x?x4xf32>) -> tensor<?x?x2x4xbf16> {
  %h, %last = ssm.scan %x, %x : tensor<?x?x?x4xf32>
  %s = ssm.sum_groups %h : tensor<?x?x?x4xf32> -> tensor<?x?x2x4xf32>
  %r = arith.truncf %s : tensor<?x?x2x4xf32> to tensor<?x?x2x4xbf16>
  return %r : tensor<?x?x2x4xbf16>
}

// -----

// Over states and channels: first the states, in each thread.

// CHECK-LABEL: func.func @states_and_channels
// CHECK: %[[N:[a-z0-9_]+]] = ssm.sum %{{.*}} over n : f32
// CHECK: %[[T:[a-z0-9_]+]] = ssm.total %[[N]] over <d> : f32 -> f32
// CHECK: ssm.yield %[[T]]
func.func @states_and_channels(%x: tensor<2x5x6x4xf32>) -> tensor<2x5xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x5xf32>
  %h, %last = ssm.scan %x, %x : tensor<2x5x6x4xf32>
  %s = linalg.reduce { arith.addf } ins(%h : tensor<2x5x6x4xf32>)
    outs(%zero : tensor<2x5xf32>) dimensions = [2, 3]
  return %s : tensor<2x5xf32>
}
