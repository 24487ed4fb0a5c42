// RUN: mamba-opt --split-input-file --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// The states at the start of each tile of 32 steps, of the one scan that gives
// the states both before and after a step.
// CHECK: ssm.plan = {{.*}}axes = "bldn", divisors = array<i64: 1, 32, 1, 1>{{.*}}name = "checkpoints"
// CHECK-NOT: name = "checkpoints"

// CHECK: gpu.func @replay_0_checkpoints
// CHECK-SAME: grid = ["d/4", "b/1"]
// Lanes take what the ones before them have.
// CHECK: gpu.shuffle up
// CHECK-NOT: gpu.shuffle down

// CHECK: gpu.func @replay_0(
// The tiles come from the last one.
// CHECK: %[[LAST:[0-9a-z]+]] = arith.subi %[[TILES:[0-9]+]], %c1_i64
// CHECK: scf.for %[[TURN:.*]] = %c0_i64 to %[[TILES]] step
// CHECK: arith.subi %[[LAST]], %[[TURN]]
// What is replayed goes up the lanes, the other one down. Missing steps of the
// last tile come first in it: a = 1 and b = 0.
// CHECK: gpu.shuffle up
// CHECK: arith.select %{{.*}}, %{{.*}}, %cst : f32
// CHECK: gpu.shuffle down
// CHECK-NOT: gpu.shuffle up
func.func @replay(%a_: tensor<?x?x?x4xf32>, %b_: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %b = %b_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %h, %last = ssm.recurrence %a, %b : f32
    %before, %end = ssm.recurrence exclusive %a, %b : f32
    %g, %first = ssm.recurrence reverse %a, %h : f32
    %y = arith.mulf %g, %before : f32
    ssm.yield %y : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}

// -----

// A loop over n behind a sum replays the states again.
// CHECK: gpu.func @again_0_checkpoints
// CHECK: gpu.shuffle up
// CHECK: gpu.func @again_0(
// CHECK: gpu.shuffle up
// CHECK-NOT: gpu.shuffle down
// CHECK: math.tanh
// CHECK: gpu.shuffle up
// CHECK: gpu.shuffle down
func.func @again(%a_: tensor<?x?x?x4xf32>, %b_: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %b = %b_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %h, %last = ssm.recurrence %a, %b : f32
    %s = ssm.sum %h over n : f32
    %t = math.tanh %s : f32
    %in = arith.mulf %t, %h : f32
    %g, %first = ssm.recurrence reverse %a, %in : f32
    ssm.yield %g : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}
