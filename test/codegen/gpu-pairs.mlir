// RUN: mamba-opt --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// Lanes that sum over channels take the states of a pair in two orders, so that
// in their first exchange each gives what it took second, whatever it is.

// CHECK-LABEL: gpu.func @pairs_0
// CHECK: scf.for %[[N:.*]] = %c0_i32 to %c4_i32 step %c2_i32
// CHECK: %[[NEXT:.*]] = arith.addi %[[N]], %c1_i32
// CHECK: %[[FIRST:.*]] = arith.select %[[UPPER:.*]], %[[NEXT]], %[[N]]
// CHECK: arith.select %[[UPPER]], %[[N]], %[[NEXT]]
// CHECK: %[[KEPT:.*]] = arith.select %[[EXISTS:.*]], %{{.*}}#0, %cst
// CHECK: %[[OTHER:.*]] = arith.select %[[EXISTS]], %{{.*}}#0, %cst
// CHECK: %[[GIVEN:.*]], %{{.*}} = gpu.shuffle xor %[[OTHER]], %c16_i32
// CHECK: %[[SUM:.*]] = arith.addf %[[KEPT]], %[[GIVEN]]
// The next exchange is one of halves of the steps.
// CHECK: %[[HALF:.*]] = arith.select %{{.*}}, %[[SUM]], %{{.*}} : f32
// CHECK: gpu.shuffle xor %[[HALF]], %c8_i32
func.func @pairs(%x_: tensor<?x?x64x4xf32>) -> tensor<?x?x1x4xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x64x4xf32>)
      -> ([b, l, g, n] : tensor<?x?x1x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4, unroll = 2>) {
    %g = ssm.total %x over <g> : f32 -> f32
    ssm.yield %g : f32
  }
  return %0 : tensor<?x?x1x4xf32>
}
