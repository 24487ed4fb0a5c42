// RUN: mamba-opt --ssm-fuse --split-input-file %s | FileCheck %s

// Where the rules of ssm.fused demand more than one op.

// Two directions that nothing reads together are two kernels. The
// discretization depends on no scan and is computed in both; the sum of the
// readouts is in the second.

// CHECK-LABEL: func.func @bidirectional
// CHECK: %[[FORTH:[a-z0-9_]+]] = ssm.fused ({{.*}}) -> ([b, l, d] : tensor<?x?x?xf32>) {
// CHECK: math.exp
// CHECK: ssm.recurrence %
// CHECK-NOT: ssm.recurrence
// CHECK: %[[Y:[a-z0-9_]+]] = ssm.sum
// CHECK: ssm.yield %[[Y]]
// CHECK: %[[BACK:[a-z0-9_]+]] = ssm.fused ({{.*}}, %[[OTHER:[a-z0-9_]+]] = %[[FORTH]][b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
// CHECK: math.exp
// CHECK: ssm.recurrence reverse
// CHECK: %[[X:[a-z0-9_]+]] = ssm.sum
// CHECK: %[[SUM:[a-z0-9_]+]] = arith.addf %[[OTHER]], %[[X]]
// CHECK: ssm.yield %[[SUM]]
// CHECK: return %[[BACK]]
func.func @bidirectional(%u: tensor<?x?x?xf32>, %delta: tensor<?x?x?xf32>,
                         %A: tensor<?x4xf32>, %B: tensor<?x?x2x4xf32>,
                         %C: tensor<?x?x2x4xf32>) -> tensor<?x?x?xf32> {
  %a, %b = ssm.discretize mamba %delta, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  %g, %first = ssm.scan reverse %a, %b : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xf32>, tensor<?x?x2x4xf32> -> tensor<?x?x?xf32>
  %x = ssm.readout %g, %C
    : tensor<?x?x?x4xf32>, tensor<?x?x2x4xf32> -> tensor<?x?x?xf32>
  %sum = arith.addf %y, %x : tensor<?x?x?xf32>
  return %sum : tensor<?x?x?xf32>
}

// -----

// Where each step needs the states of both, memory would have to hold those of
// one: they are one kernel, which replays them.

// CHECK-LABEL: func.func @both_ways
// CHECK: ssm.fused
// CHECK: %[[H:[a-z0-9_]+]], %{{.*}} = ssm.recurrence exclusive
// CHECK: %[[G:[a-z0-9_]+]], %{{.*}} = ssm.recurrence reverse
// CHECK: arith.mulf %[[H]], %[[G]]
// CHECK-NOT: ssm.fused
func.func @both_ways(%a: tensor<?x?x?x4xf32>, %b: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %h, %last = ssm.scan exclusive %a, %b : tensor<?x?x?x4xf32>
  %g, %first = ssm.scan reverse %a, %b : tensor<?x?x?x4xf32>
  %p = arith.mulf %h, %g : tensor<?x?x?x4xf32>
  return %p : tensor<?x?x?x4xf32>
}

// -----

// (C8) The last states of both are read, so neither can be replayed.

// CHECK-LABEL: func.func @both_last
// CHECK: ssm.fused
// CHECK: ssm.recurrence %
// CHECK: ssm.fused
// CHECK: ssm.recurrence reverse
func.func @both_last(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %h, %last = ssm.scan %a, %b : tensor<?x?x?xf32>
  %g, %first = ssm.scan reverse %a, %b : tensor<?x?x?xf32>
  %p = arith.mulf %h, %g : tensor<?x?x?xf32>
  return %p, %last, %first
    : tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// -----

// Scans of one direction share a kernel, also with another one between them.

// CHECK-LABEL: func.func @three_scans
// CHECK: %[[F:[a-z0-9_]+]]:2 = ssm.fused
// CHECK: ssm.recurrence %
// CHECK: ssm.recurrence %
// CHECK: %[[R:[a-z0-9_]+]] = ssm.fused
// CHECK: ssm.recurrence reverse
// CHECK-NOT: ssm.fused
// CHECK: return %[[F]]#0, %[[R]], %[[F]]#1
func.func @three_scans(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?xf32>
  %g, %l1 = ssm.scan reverse %a, %b : tensor<?x?x?xf32>
  %f, %l2 = ssm.scan %b, %a : tensor<?x?x?xf32>
  return %h, %g, %f : tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>
}

// -----

// A coupled pair of recurrences without states is one kernel.

// CHECK-LABEL: func.func @coupled
// CHECK: ssm.fused
// CHECK: %[[H:[a-z0-9_]+]], %{{.*}} = ssm.recurrence
// CHECK: ssm.recurrence %{{.*}}, %[[H]]
// CHECK-NOT: ssm.fused
func.func @coupled(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?xf32>
  %g, %l1 = ssm.scan %a, %h : tensor<?x?x?xf32>
  return %g : tensor<?x?x?xf32>
}

// -----

// (C9) The last state, as an initial one: the second scan reads both.

// CHECK-LABEL: func.func @last_as_init
// CHECK: %[[F:[a-z0-9_]+]]:2 = ssm.fused ({{.*}}) -> ([b, l, d] : tensor<?x?x?xf32>, [b, d] : tensor<?x?xf32>)
// CHECK: %[[G:[a-z0-9_]+]] = ssm.fused ({{.*}}%[[H:[a-z0-9_]+]] = %[[F]]#0[b, l, d] : tensor<?x?x?xf32>, %[[LAST:[a-z0-9_]+]] = %[[F]]#1[b, d] : tensor<?x?xf32>)
// CHECK: ssm.recurrence %{{.*}}, %[[H]] init(%[[LAST]])
func.func @last_as_init(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %h, %last = ssm.scan %a, %b : tensor<?x?x?xf32>
  %g, %l1 = ssm.scan %a, %h init(%last) : tensor<?x?x?xf32>, tensor<?x?xf32>
  return %g : tensor<?x?x?xf32>
}

// -----

// (C9) A last state in a value of every step. The small last state passes
// through memory, not its broadcast; what needs no step stays in front.

// CHECK-LABEL: func.func @last_of_each_step
// CHECK: %[[F:[a-z0-9_]+]]:2 = ssm.fused ({{.*}}) -> ([b, l, d] : tensor<?x?x?xf32>, [b, d] : tensor<?x?xf32>) {
// CHECK: math.tanh
// CHECK: %[[G:[a-z0-9_]+]] = ssm.fused (%{{.*}} = %[[F]]#0[b, l, d] : {{.*}}, %{{.*}} = %[[F]]#1[b, d]
// CHECK-NOT: math.tanh
// CHECK: return %[[G]]
func.func @last_of_each_step(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %h, %last = ssm.scan %a, %b : tensor<?x?x?xf32>
  %t = math.tanh %last : tensor<?x?xf32>
  %wide = linalg.broadcast ins(%t : tensor<?x?xf32>)
    outs(%a : tensor<?x?x?xf32>) dimensions = [1]
  %r = arith.mulf %h, %wide : tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// -----

// (C10) States again after a sum over them: states and sum pass through
// memory, the broadcast of the sum does not.

// CHECK-LABEL: func.func @states_after_sum
// CHECK: %[[F:[a-z0-9_]+]]:2 = ssm.fused ({{.*}}) -> ([b, l, d, n] : tensor<?x?x?x4xf32>, [b, l, d] : tensor<?x?x?xf32>) {
// CHECK: %[[G:[a-z0-9_]+]] = ssm.fused (%{{.*}} = %{{[a-z0-9_]+}}[b, l, d, n] : {{.*}}, %[[H:[a-z0-9_]+]] = %[[F]]#0[b, l, d, n] : {{.*}}, %[[Y:[a-z0-9_]+]] = %[[F]]#1[b, l, d] : tensor<?x?x?xf32>)
// CHECK: %[[IN:[a-z0-9_]+]] = arith.mulf %[[Y]], %[[H]]
// CHECK: ssm.recurrence %{{.*}}, %[[IN]]
func.func @states_after_sum(%a: tensor<?x?x?x4xf32>, %b: tensor<?x?x?x4xf32>,
                            %C: tensor<?x4xf32>) -> tensor<?x?x4xf32> {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %in = arith.mulf %wide, %h : tensor<?x?x?x4xf32>
  %g, %last = ssm.scan %a, %in : tensor<?x?x?x4xf32>
  return %last : tensor<?x?x4xf32>
}

// -----

// A sum alone may feed states of the next loop over n in one kernel.

// CHECK-LABEL: func.func @sum_feeds_states
// CHECK: ssm.fused
// CHECK: %[[Y:[a-z0-9_]+]] = ssm.sum
// CHECK: ssm.recurrence %{{.*}}, %[[Y]]
// CHECK-NOT: ssm.fused
func.func @sum_feeds_states(%a: tensor<?x?x?x4xf32>, %b: tensor<?x?x?x4xf32>,
                            %C: tensor<?x4xf32>) -> tensor<?x?x4xf32> {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %g, %last = ssm.scan %a, %wide : tensor<?x?x?x4xf32>
  return %last : tensor<?x?x4xf32>
}

// -----

// Memory holds no i1: the comparison is made again where it is needed.

// CHECK-LABEL: func.func @no_bits_in_memory
// CHECK: %[[F:[a-z0-9_]+]]:2 = ssm.fused
// CHECK: ssm.fused ({{.*}} = %[[F]]#{{.}}[b, l, d] : tensor<?x?x?xf32>)
// CHECK: arith.cmpf
// CHECK: arith.select
func.func @no_bits_in_memory(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?xf32>
  %bits = arith.cmpf olt, %h, %a : tensor<?x?x?xf32>
  %g, %l1 = ssm.scan reverse %a, %b : tensor<?x?x?xf32>
  %r = arith.select %bits, %g, %a : tensor<?x?x?xi1>, tensor<?x?x?xf32>
  return %r, %l0, %l1 : tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// -----

// (C10) A sum of arguments is a sum as well: states of the first loop over n
// reach the second one through memory.

// CHECK-LABEL: func.func @states_after_sum_of_arguments
// CHECK: %[[F:[a-z0-9_]+]] = ssm.fused ({{.*}}) -> ([b, l, d, n] : tensor<?x?x?x4xf32>) {
// CHECK-NOT: ssm.sum
// CHECK: ssm.fused ({{.*}} = %[[F]][b, l, d, n] : tensor<?x?x?x4xf32>)
// CHECK: ssm.sum
// CHECK: ssm.recurrence
func.func @states_after_sum_of_arguments(%a: tensor<?x?x?x4xf32>,
                                         %C: tensor<?x4xf32>)
    -> tensor<?x?x4xf32> {
  %y = ssm.readout %a, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %h, %l0 = ssm.scan %a, %a : tensor<?x?x?x4xf32>
  %in = arith.mulf %wide, %h : tensor<?x?x?x4xf32>
  %g, %last = ssm.scan %a, %in : tensor<?x?x?x4xf32>
  return %last : tensor<?x?x4xf32>
}

// -----

// (C10) Scans that the others of a kernel replay run again in each loop over n
// that reads them: the gradient of what is not linear in a sum is one kernel.

// CHECK-LABEL: func.func @replayed_behind_sum
// CHECK: ssm.fused ({{.*}}) -> ([b, l, d, n] : tensor<?x?x?x4xf32>) {
// CHECK: %[[H:.*]], %{{.*}} = ssm.recurrence %
// CHECK: ssm.sum
// CHECK: %[[IN:.*]] = arith.mulf %{{.*}}, %{{.*}}
// CHECK: %[[G:.*]], %{{.*}} = ssm.recurrence reverse %{{.*}}, %[[IN]]
// CHECK: arith.mulf %[[G]], %[[H]]
// CHECK-NOT: ssm.fused
func.func @replayed_behind_sum(%a: tensor<?x?x?x4xf32>,
                               %b: tensor<?x?x?x4xf32>, %C: tensor<?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %in = arith.mulf %wide, %h : tensor<?x?x?x4xf32>
  %g, %l1 = ssm.scan reverse %a, %in : tensor<?x?x?x4xf32>
  %r = arith.mulf %g, %h : tensor<?x?x?x4xf32>
  return %r : tensor<?x?x?x4xf32>
}

// -----

// Not where a result is their last state: then nothing replays them.

// CHECK-LABEL: func.func @last_state_behind_sum
// CHECK: %[[F:[a-z0-9_]+]]:3 = ssm.fused ({{.*}}) -> ([b, d, n] : tensor<?x?x4xf32>, [b, l, d, n] : tensor<?x?x?x4xf32>, [b, l, d] : tensor<?x?x?xf32>) {
// CHECK: ssm.fused ({{.*}} = %[[F]]#1[b, l, d, n] : tensor<?x?x?x4xf32>
// CHECK: ssm.recurrence reverse
func.func @last_state_behind_sum(%a: tensor<?x?x?x4xf32>,
                                 %b: tensor<?x?x?x4xf32>, %C: tensor<?x4xf32>)
    -> (tensor<?x?x?x4xf32>, tensor<?x?x4xf32>) {
  %h, %l0 = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %in = arith.mulf %wide, %h : tensor<?x?x?x4xf32>
  %g, %l1 = ssm.scan reverse %a, %in : tensor<?x?x?x4xf32>
  %r = arith.mulf %g, %h : tensor<?x?x?x4xf32>
  return %r, %l0 : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>
}

// -----

// A scan that has nothing to do with them does not keep scans from running
// again.

// CHECK-LABEL: func.func @replayed_beside_others
// CHECK: ssm.fused
// CHECK: ssm.sum
// CHECK: ssm.recurrence reverse
// CHECK-NOT: ssm.fused
func.func @replayed_beside_others(%a: tensor<?x?x?x4xf32>,
                                  %b: tensor<?x?x?x4xf32>, %C: tensor<?x4xf32>,
                                  %p: tensor<?x?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x?x4xf32>) {
  %x, %l0 = ssm.scan reverse %p, %p : tensor<?x?x?xf32>
  %h, %l1 = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %in = arith.mulf %wide, %h : tensor<?x?x?x4xf32>
  %g, %l2 = ssm.scan reverse %a, %in : tensor<?x?x?x4xf32>
  %r = arith.mulf %g, %h : tensor<?x?x?x4xf32>
  return %x, %r : tensor<?x?x?xf32>, tensor<?x?x?x4xf32>
}
