// RUN: mamba-opt --ssm-lower-to-gpu --canonicalize --cse --split-input-file %s | FileCheck %s

// Where tiles begin with segments whose states were saved, there is no kernel
// that finds them: tiles of 32 steps, and states of every 16 of them.
// CHECK: ssm.plan = {{.*}}axes = "bldn", divisors = array<i64: 1, 16, 1, 1>{{.*}}name = "arg2"
// CHECK-NOT: name = "checkpoints"
// CHECK-NOT: @replay_0_checkpoints
// CHECK: gpu.func @replay_0(
// CHECK: scf.for
// CHECK: arith.muli %{{.*}}, %c2_i64{{.*}} : i64
func.func @replay(%a_: tensor<?x?x?x4xf32>, %b_: tensor<?x?x?x4xf32>, %s_: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %b = %b_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %s = %s_[b, l/16, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %h, %last = ssm.recurrence %a, %b init(%s) : f32
    %g, %first = ssm.recurrence reverse %a, %h : f32
    ssm.yield %g : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}

// -----

// Segments of 24 steps begin within tiles of 32: the kernel of the states
// starts from the first of them.
// CHECK: name = "checkpoints"
// CHECK: gpu.func @coarse_0_checkpoints
func.func @coarse(%a_: tensor<?x?x?x4xf32>, %s_: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>,
                   %s = %s_[b, l/24, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %h, %last = ssm.recurrence %a, %a init(%s) : f32
    %g, %first = ssm.recurrence reverse %a, %h : f32
    ssm.yield %g : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}

// -----

// A thread of 4 steps stores at its first one, where a segment of 8 begins.
// CHECK: gpu.func @save_0(
// CHECK: %[[REST:.*]] = arith.remui %{{.*}}, %c8_i64
// CHECK-NEXT: arith.cmpi eq, %[[REST]], %c0_i64
func.func @save(%a_: tensor<?x?x?x4xf32>) -> tensor<?x?x?x4xf32> {
  %y_ = ssm.fused (%a = %a_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l/8, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4>) {
    %h, %last = ssm.recurrence exclusive %a, %a : f32
    ssm.yield %h : f32
  }
  return %y_ : tensor<?x?x?x4xf32>
}
