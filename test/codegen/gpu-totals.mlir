// RUN: mamba-opt --split-input-file --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Partial sums: over channels by block of 16, over steps by sequence.
// CHECK: ssm.plan = {{.*}}axes = "dbnl", divisors = array<i64: 16, 1, 1, 1>{{.*}}extents = array<i64: -1, -1, 4, -1>{{.*}}name = "partial_sums"{{.*}}axes = "bnd"{{.*}}extents = array<i64: -1, 4, -1>{{.*}}name = "partial_sums"

// CHECK: gpu.func @totals_0
// Sums over channels: lanes give each other half of their steps.
// CHECK: gpu.shuffle xor %{{.*}}, %c16_i32
// CHECK: gpu.shuffle xor %{{.*}}, %c8_i32
// Sums over steps: a thread adds to an entry of its own.
// CHECK: %[[BEFORE:.*]] = llvm.load %[[ENTRY:.*]] {alignment = 4 : i64} : !llvm.ptr<3> -> f32
// CHECK: %[[AFTER:.*]] = arith.addf %[[BEFORE]]
// CHECK: llvm.store %[[AFTER]], %[[ENTRY]]
// The sums of the block's warps are added behind a barrier.
// CHECK: gpu.barrier
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr<1>

// Then those of all blocks, in order, and rounded once: many at a time, without
// asking whether they exist, then the rest. Each total has blocks of its own.
// CHECK: gpu.func @totals_0_totals
// CHECK-SAME: grid = ["l/64", "b/1", "+d/64"]
// CHECK: %[[ID:.*]] = gpu.block_id
// CHECK: %[[BLOCK:.*]] = arith.index_cast %[[ID]]
// CHECK: arith.cmpi slt, %[[BLOCK]], %[[BLOCKS:.*]] : i32
// CHECK: scf.for %{{.*}} step %c32_i64
// CHECK-NOT: arith.select
// CHECK: scf.for %{{.*}} step %c8_i64
// CHECK: arith.select
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: %[[REST:.*]] = arith.subi %[[BLOCK]], %[[BLOCKS]]
// CHECK: arith.cmpi sge, %[[REST]], %c0_i32
// CHECK: scf.for %{{.*}} step %c32_i64
// CHECK-NOT: atomic
func.func @totals(%x_: tensor<?x?x?x4xf32>)
    -> (tensor<?x?x1x4xbf16>, tensor<?x4xf32>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, g, n] : tensor<?x?x1x4xbf16>, [d, n] : tensor<?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4, warps_d = 4>) {
    %g = ssm.total %x over <g> : f32 -> bf16
    %s = ssm.total %x over <b, l> : f32 -> f32
    ssm.yield %g, %s : bf16, f32
  }
  return %0, %1 : tensor<?x?x1x4xbf16>, tensor<?x4xf32>
}

// -----

// A total without states has more neighbours a block. Sums over sequences and
// chunks are one loop.

// CHECK: gpu.func @together_0_totals
// CHECK-SAME: grid = ["d/64", "+d/256"]
// CHECK: %[[SUMS:.*]] = arith.muli %{{.*}}, %c3_i64
// CHECK: scf.for %{{.*}} step %c32_i64
// CHECK-NOT: scf.for
// CHECK: scf.for %{{.*}} to %[[SUMS]] step %c8_i64
// CHECK: gpu.return
// CHECK-NOT: gpu.func @together_0_total
func.func @together(%x_: tensor<?x?x?x4xf32>, %y_: tensor<?x?x?xf32>)
    -> (tensor<?x4xf32>, tensor<?xf32>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x4xf32>,
                      %y = %y_[b, l, d] : tensor<?x?x?xf32>)
      -> ([d, n] : tensor<?x4xf32>, [d] : tensor<?xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4, chunks = 3>) {
    %s = ssm.total %x over <b, l> : f32 -> f32
    %one = arith.constant 1.0 : f32
    %h, %last = ssm.recurrence %one, %y : f32
    %t = ssm.total %h over <b, l> : f32 -> f32
    ssm.yield %s, %t : f32, f32
  }
  return %0, %1 : tensor<?x4xf32>, tensor<?xf32>
}

// -----

// Groups and states that no block holds: in slices. Without an axis along which
// results lie side by side, all threads of a block have states.

// CHECK: gpu.func @slices_0_totals
// CHECK-SAME: grid = ["./35", "b/32", "+./2"]
func.func @slices(%x_: tensor<?x?x?x7xf32>)
    -> (tensor<?x40x7xf32>, tensor<40x7xf32>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x7xf32>)
      -> ([b, g, n] : tensor<?x40x7xf32>, [g, n] : tensor<40x7xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %s = ssm.total %x over <l, g> : f32 -> f32
    %t = ssm.total %x over <b, l, g> : f32 -> f32
    ssm.yield %s, %t : f32, f32
  }
  return %0, %1 : tensor<?x40x7xf32>, tensor<40x7xf32>
}
