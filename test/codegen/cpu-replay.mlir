// RUN: mamba-opt --split-input-file --ssm-lower-to-cpu --canonicalize --cse %s | FileCheck %s

// The states at the start of each tile of 4 steps, of the one scan that gives
// the states both before and after a step.
// CHECK: ssm.plan = {{.*}}axes = "lbnd", divisors = array<i64: 4, 1, 1, 1>{{.*}}name = "checkpoints"
// CHECK-NOT: name = "checkpoints"
// CHECK: func.func @replay_0_checkpoints(
// CHECK: math.fma
// CHECK-NOT: math.fma
// CHECK: func.func @replay_0(
// Each state is replayed over the tile, then scanned.
// CHECK: scf.for {{.*}} iter_args
// CHECK: math.fma
// CHECK: scf.for {{.*}} iter_args
// CHECK: math.fma
// CHECK-NOT: math.fma
func.func @replay(%a_: tensor<?x?x?x4xf32>, %b_: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %b = %b_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.cpu_schedule<vector = 8, items = 4>) {
    %h, %last = ssm.recurrence %a, %b : f32
    %before, %end = ssm.recurrence exclusive %a, %b : f32
    %g, %first = ssm.recurrence reverse %a, %h : f32
    %y = arith.mulf %g, %before : f32
    ssm.yield %y : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}

// -----

// A loop over n behind a sum replays each state again.
// CHECK: func.func @again_0_checkpoints(
// CHECK: func.func @again_0(
// CHECK: math.fma
// CHECK: math.tanh
// CHECK: scf.for {{.*}} iter_args
// CHECK: math.fma
// CHECK: scf.for {{.*}} iter_args
// CHECK: math.fma
// CHECK-NOT: math.fma
func.func @again(%a_: tensor<?x?x?x4xf32>, %b_: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %b = %b_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.cpu_schedule<vector = 8, items = 4>) {
    %h, %last = ssm.recurrence %a, %b : f32
    %s = ssm.sum %h over n : f32
    %t = math.tanh %s : f32
    %in = arith.mulf %t, %h : f32
    %g, %first = ssm.recurrence reverse %a, %in : f32
    ssm.yield %g : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}
