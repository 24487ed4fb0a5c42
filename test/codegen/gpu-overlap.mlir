// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,PLAIN
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4, stages = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,STAGES
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4, unroll = 8, stages = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,ALL
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4, prefetch = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,AHEAD

// What a thread has under way beside what it computes: the states behind those
// of a trip of the loop over n, and its steps of the next tile.

// CHECK: gpu.func @scan_0

// A thread with 4 steps needs 4 exponentials a state and one for its segment.
// Its steps are loaded in their tile. The length is a multiple of 4, so no
// access asks whether L ends within them.
// PLAIN: scf.for
// PLAIN-NOT: scf.if %{{.*}} -> (vector
// PLAIN: %[[END:.*]] = arith.subi %{{.*}}, %c4_i64
// PLAIN: arith.minsi %{{.*}}, %[[END]]
// PLAIN: llvm.load {{.*}} : !llvm.ptr<1> -> vector<4xf32>
// PLAIN: scf.for %{{.*}} = %c0_i32 to %c8_i32 step %c1_i32
// PLAIN-COUNT-5: math.exp2
// PLAIN-NOT: math.exp2
// PLAIN: gpu.return

// Two stages: the first state's exponentials before the loop, those of two
// states in it, and of the last state behind it.
// STAGES-COUNT-5: math.exp2
// STAGES: scf.for %{{.*}} = %c0_i32 to %c6_i32 step %c2_i32
// STAGES-COUNT-10: math.exp2
// STAGES: scf.yield
// STAGES-COUNT-5: math.exp2
// STAGES-NOT: math.exp2
// STAGES: gpu.return

// No second group of 8 states to begin: one stage.
// ALL-COUNT-40: math.exp2
// ALL-NOT: math.exp2
// ALL: gpu.return

// The first tile's steps before the loop over tiles; the next one's in it,
// behind the barrier.
// AHEAD: llvm.load {{.*}} : !llvm.ptr<1> -> vector<4xf32>
// AHEAD: scf.for {{.*}} -> ({{.*}}vector<4xf32>
// AHEAD: nvvm.bar.warp.sync
// AHEAD: llvm.load {{.*}} : !llvm.ptr<1> -> vector<4xf32>
// AHEAD: math.exp2
#bdl = #ssm.layout<unit = 1, align = 16>
func.func @scan(%delta: tensor<?x?x?xf32> {ssm.layout = #bdl}, %A: tensor<?x8xf32>)
    -> (tensor<?x?x?xf32> {ssm.layout = #bdl})
    attributes {ssm.length_multiple = 4 : i64} {
  %y = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[d, n] : tensor<?x8xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %h, %last = ssm.recurrence %decay, %dt : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}
