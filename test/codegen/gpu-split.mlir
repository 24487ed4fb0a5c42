// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, split = 1, items = 4, unroll = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Two lanes share the 8 states of a channel: 4 each, in two trips.

// CHECK-LABEL: gpu.func @scan_0
// CHECK: scf.for

// Each tells the other its 4 steps of both inputs of the loop over n, and
// puts them in order.
// CHECK-COUNT-8: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// CHECK: scf.for %{{.*}} = %c0_i32 to %c4_i32 step %c2_i32

// A lane's states of a trip are neighbours; the other lane has the next ones.
// CHECK: %[[TRIPS:.*]] = arith.muli %{{.*}}, %c2_i32
// CHECK: arith.addi %[[TRIPS]], %{{.*}}

// All 8 steps of 2 states, in one pass; nothing is shuffled.
// CHECK-COUNT-16: math.exp2
// CHECK-NOT: math.exp2
// CHECK-NOT: gpu.shuffle

// Behind the loop, 4 sums change hands, and each lane has its own steps.
// CHECK: scf.yield
// CHECK-COUNT-4: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
// CHECK: gpu.return
func.func @scan(%delta: tensor<?x?x?xf32>, %u: tensor<?x?x?xf32>,
                %A: tensor<?x8xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %x = %u[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[d, n] : tensor<?x8xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %e = arith.mulf %dt, %a : f32
    %decay = math.exp2 %e : f32
    %h, %end = ssm.recurrence %decay, %x : f32
    %s = ssm.sum %h over n : f32
    %r = arith.addf %s, %x : f32
    ssm.yield %r : f32
  }
  return %y : tensor<?x?x?xf32>
}
