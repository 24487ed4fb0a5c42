// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 8, chunks = 3>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,EVEN,FEW
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 8, chunks = 3, carry_parts = 5>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,PARTS
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 8, chunks = 3, last_chunk = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,FEW,LONG
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 8, chunks = 3, handoff = 1>}" --ssm-lower-to-gpu %s > %t.handoff
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 8, chunks = 3, handoff = 1, carry_parts = 5, last_chunk = 4>}" --ssm-lower-to-gpu %s | diff - %t.handoff

// Two chunks' segments are found, of blocks of their own; a third one holds what
// lies before the last chunk.
// EVEN: extents = array<i64: -1, 3, -1, 8>, {{[^}]*}} name = "chunk_carry"
// PARTS: extents = array<i64: -1, 11, -1, 8>, {{[^}]*}} name = "chunk_carry"
// LONG: extents = array<i64: -1, 3, -1, 8>, {{[^}]*}} name = "chunk_carry"
// CHECK: gpu.func @scan_0_carries
// EVEN-SAME: grid = ["d/8", "b/1", "./2"]
// PARTS-SAME: grid = ["d/8", "b/1", "./10"]
// LONG-SAME: grid = ["d/8", "b/1", "./2"]

// Parts end where their chunk does.
// PARTS: %[[BLOCKS:.*]] = arith.divui %{{.*}}, %c10_i64
// PARTS: %[[SEQUENCES:.*]] = arith.divui %[[BLOCKS]], %{{.*}} : i64
// PARTS: %[[SEGMENT:.*]] = arith.divui %{{.*}}, %[[SEQUENCES]] : i64
// PARTS: %[[TILES:.*]] = arith.divui %{{.*}}, %c32_i64
// PARTS: %[[EACH:.*]] = arith.divui %{{.*}}, %c3_i64
// PARTS: %[[CHUNK:.*]] = arith.divui %[[SEGMENT]], %c5_i64
// PARTS: arith.minsi %{{.*}}, %[[TILES]]
// PARTS: %[[END:.*]] = arith.minsi %{{.*}}, %[[TILES]]
// PARTS: arith.divui %{{.*}}, %c5_i64
// PARTS: arith.remui %[[SEGMENT]], %c5_i64
// PARTS-COUNT-2: arith.minsi %{{.*}}, %[[END]]

// All of a chunk's parts are read before what lies before it is written.
// CHECK: gpu.func @scan_0_chunks0
// FEW-COUNT-4: llvm.load
// FEW-COUNT-6: llvm.store
// PARTS-COUNT-20: llvm.load
// PARTS-COUNT-6: llvm.store
// CHECK-NOT: llvm.store

// All sequences' last chunks start first: they may be longest.
// CHECK: gpu.func @scan_0(
// CHECK-SAME: grid = ["d/8", "b/1", "./3"]
// CHECK: %[[BLOCKS:.*]] = arith.divui %{{.*}}, %c3_i64
// CHECK: %[[SEQUENCES:.*]] = arith.divui %[[BLOCKS]], %{{.*}} : i64
// CHECK: %[[BLOCK:.*]] = arith.divui %{{.*}}, %[[SEQUENCES]] : i64
// CHECK: arith.remui %{{.*}}, %[[SEQUENCES]] : i64
// CHECK: %[[MAIN:.*]] = arith.subi %c2_i64, %[[BLOCK]]
// What lies before it is where its first part's segment was.
// PARTS: arith.muli %[[MAIN]], %c5_i64
// LONG: %[[ALL:.*]] = arith.divui %{{.*}}, %c32_i64
// LONG: arith.divui %{{.*}}, %c6_i64
// LONG: %[[LAST:.*]] = arith.cmpi eq, %[[MAIN]], %c2_i64
// LONG: arith.select %[[LAST]], %[[ALL]]
func.func @scan(%x_: tensor<2x?x32xf32>, %a_: tensor<32x8xf32>)
    -> tensor<2x?x32xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d] : tensor<2x?x32xf32>,
                  %a = %a_[d, n] : tensor<32x8xf32>)
      -> ([b, l, d] : tensor<2x?x32xf32>) {
    %t = arith.mulf %x, %a : f32
    %h, %last = ssm.recurrence %t, %x : f32
    %y = ssm.sum %h over n : f32
    ssm.yield %y : f32
  }
  return %0 : tensor<2x?x32xf32>
}
