// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<items = 4, warps_l = 3, relay = 1, unroll = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Three warps take tiles of four steps in turn; one block has 32 channels.
// CHECK: gpu.func @scan_0
// CHECK-SAME: grid = ["d/32", "b/1"]
// CHECK: %[[TEAM:.*]] = arith.divui %{{.*}}, %c32_i32

// A barrier of 32 arrivals for each of four trips and each team, and no one
// looks at them before they are there.
// CHECK: scf.if
// CHECK:   scf.for %{{.*}} = %c0_i32 to %c4_i32 step %c1_i32
// CHECK:     nvvm.mbarrier.init %{{.*}}, %c32_i32
// CHECK: gpu.barrier
// CHECK-NOT: gpu.barrier

// Turn k of a team is its tile team + 3 k.
// CHECK: scf.for %[[TURN:.*]] = %c0_i64 to
// CHECK:   %[[SKIPPED:.*]] = arith.muli %[[TURN]], %c3_i64
// CHECK:   arith.addi %{{.*}}, %[[SKIPPED]]
// What it stages is its own: its warp is all that waits.
// CHECK:   nvvm.bar.warp.sync
// CHECK:   scf.for

// The exponentials come first, then the wait for the tile before; the first
// team is one turn behind.
// CHECK-COUNT-8: math.exp2
// CHECK:     %[[IS_FIRST:.*]] = arith.cmpi eq, %[[TEAM]], %c0_i32
// CHECK:     %[[BEHIND:.*]] = arith.extui %[[IS_FIRST]]
// CHECK:     arith.addi %{{.*}}, %[[BEHIND]]
// CHECK:     scf.while
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:     llvm.load
// No pass but one, and no shuffle.
// CHECK-NOT: gpu.shuffle
// CHECK-COUNT-8: math.fma

// The states are written before the next team hears of it.
// CHECK:     llvm.store
// CHECK:     nvvm.bar.warp.sync
// CHECK:     nvvm.mbarrier.arrive
// CHECK: gpu.barrier
// CHECK: gpu.return
func.func @scan(%delta: tensor<?x?x?xf32>, %A: tensor<?x8xf32>,
                %B: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %last = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                     %a = %A[d, n] : tensor<?x8xf32>,
                     %b = %B[b, l, n] : tensor<?x?x8xf32>)
      -> ([b, d, n] : tensor<?x?x8xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %in = arith.mulf %dt, %b : f32
    %h, %end = ssm.recurrence %decay, %in : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?x8xf32>
}
