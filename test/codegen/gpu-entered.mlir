// RUN: mamba-opt --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// The next state is a (h + g): the scan adds first, and gives the sum as well.

// CHECK-LABEL: gpu.func @entered_0
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[SUM:.*]] = arith.addf %[[H:.*]], %[[G:.*]] fastmath<contract> : f32
// CHECK-NEXT: %[[NEXT:.*]] = arith.mulf %[[A:.*]], %[[SUM]] fastmath<contract> : f32
// CHECK-NEXT: %[[SUM2:.*]] = arith.addf %[[NEXT]], %{{.*}} fastmath<contract> : f32
// CHECK-NEXT: arith.mulf %{{.*}}, %[[SUM2]] fastmath<contract> : f32
// CHECK-NOT: arith.addf
// CHECK-NOT: arith.mulf
// CHECK: return
func.func @entered(%as: tensor<?x?x?x4xf32>, %gs: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %r = ssm.fused (%a = %as[b, l, d, n] : tensor<?x?x?x4xf32>,
                  %g = %gs[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>)
      schedule(#ssm.schedule<lanes = 1, items = 2>) {
    %b = arith.mulf %a, %g fastmath<contract> : f32
    %h, %last = ssm.recurrence exclusive %a, %b : f32
    %sum = arith.addf %h, %g fastmath<contract> : f32
    ssm.yield %sum : f32
  }
  return %r : tensor<?x?x?x4xf32>
}
