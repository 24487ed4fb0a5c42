// RUN: mamba-opt %s --ssm-lower-to-cpu --canonicalize --cse | FileCheck %s

// A selective scan: what depends on no state is computed once a step, into
// tables of a tile; the states are the outer loop, with the state in a register
// over the steps of the tile; the sum over n adds up in a table.

// CHECK: module attributes {ssm.plan = {{.*}}inputs = 5{{.*}}name = "scan", results = 2
// CHECK-LABEL: func.func @scan_0(
// CHECK-SAME: %[[ARGS:.*]]: !llvm.ptr, %[[FIRST:.*]]: i64, %[[END:.*]]: i64)
// CHECK-SAME: ssm.launch = {{.*}}grid = ["b/1", "d/16"]
// CHECK-NOT: func.func @scan(

// CHECK: scf.for %[[TASK:.*]] = %[[FIRST]] to %[[END]]

// A is transposed into a table, and log2(e) A computed, once a task.
// CHECK: %[[A:.*]] = llvm.load {{.*}} -> vector<16xf32>
// CHECK: arith.mulf %[[A]], %{{.*}} : vector<16xf32>

// The tiles of 16 steps; the last one may be shorter.
// CHECK: scf.for %[[DONE:.*]] = %c0{{.*}} to %[[L:.*]] step %c16
// CHECK: %[[LEFT:.*]] = arith.subi %[[L]], %[[DONE]]
// CHECK: %[[STEPS:.*]] = arith.minsi %[[LEFT]], %c16

// Once a step: delta u. Channels are contiguous, so they are loaded as vectors,
// lane by lane where the last vector is not full. delta is kept for the loop
// over n too: a table is nearer than the rows in memory.
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %[[STEPS]]
// CHECK: scf.if %{{.*}} -> (vector<16xf32>{{.*}}) {
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK: } else {
// CHECK: %[[DU:.*]] = arith.mulf %{{.*}}, %{{.*}} fastmath<contract> : vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>

// For every state, for every step of the tile.
// CHECK: scf.for %[[N:.*]] = %c0{{.*}} to %c4
// CHECK: %[[H:.*]] = scf.for %{{.*}} = %c0{{.*}} to %[[STEPS]] {{.*}} iter_args(%[[PREVIOUS:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK: %[[B:.*]] = llvm.load {{.*}} -> f32
// CHECK: %[[C:.*]] = llvm.load {{.*}} -> f32
// CHECK: %[[DECAY:.*]] = math.exp2
// CHECK: %[[BS:.*]] = vector.broadcast %[[B]] : f32 to vector<16xf32>
// CHECK: %[[IN:.*]] = arith.mulf %{{.*}}, %[[BS]]
// CHECK: %[[NEXT:.*]] = math.fma %[[DECAY]], %[[PREVIOUS]], %[[IN]] : vector<16xf32>
// CHECK: %[[CS:.*]] = vector.broadcast %[[C]]
// CHECK: %[[HC:.*]] = arith.mulf %[[NEXT]], %[[CS]]
// CHECK: %[[Y:.*]] = arith.addf %{{.*}}, %[[HC]]
// CHECK: llvm.store %[[Y]]
// CHECK: scf.yield %[[NEXT]]
// CHECK: llvm.store %[[H]]

func.func @scan(%u_: tensor<?x?x?xf32>, %delta_: tensor<?x?x?xf32>,
                %A_: tensor<?x4xf32>, %B_: tensor<?x?x1x4xf32>,
                %C_: tensor<?x?x1x4xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x4xf32>) {
  %y, %hT = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>,
                       %dt = %delta_[b, l, d] : tensor<?x?x?xf32>,
                       %a = %A_[d, n] : tensor<?x4xf32>,
                       %b = %B_[b, l, g, n] : tensor<?x?x1x4xf32>,
                       %c = %C_[b, l, g, n] : tensor<?x?x1x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x4xf32>) {
    %log2e = arith.constant 1.44269504 : f32
    %a2 = arith.mulf %a, %log2e : f32
    %x = arith.mulf %dt, %a2 : f32
    %decay = math.exp2 %x : f32
    %du = arith.mulf %dt, %u : f32
    %in = arith.mulf %du, %b : f32
    %h, %last = ssm.recurrence %decay, %in : f32
    %hc = arith.mulf %h, %c : f32
    %s = ssm.sum %hc over n : f32
    ssm.yield %s, %last : f32, f32
  }
  return %y, %hT : tensor<?x?x?xf32>, tensor<?x?x4xf32>
}
