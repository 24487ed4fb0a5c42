// RUN: mamba-opt --ssm-differentiate --canonicalize --cse %s | FileCheck %s
// RUN: mamba-opt --ssm-differentiate --ssm-fuse %s | FileCheck %s --check-prefix=FUSED

// C is read twice. Its gradients are added before the channels of its group are
// summed up, so that they are one total of one kernel.

// CHECK-LABEL: func.func @twice_backward(
// CHECK-NOT:     ssm.sum_groups
// CHECK:         arith.addf
// CHECK:         %[[DC:.*]] = ssm.sum_groups
// CHECK-NOT:     ssm.sum_groups
// CHECK:         return {{.*}}%[[DC]] :

// FUSED-LABEL: func.func @twice_backward(
// FUSED:         ssm.fused
// FUSED:           %[[SUM:.*]] = arith.addf
// FUSED-NEXT:      ssm.total %[[SUM]] over <g>
// FUSED-NOT:     ssm.fused
func.func @twice(%h: tensor<?x?x?x4xf32>, %m: tensor<?x?x?x4xf32>,
                 %C: tensor<?x?x2x4xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %y = ssm.readout %h, %C
      : tensor<?x?x?x4xf32>, tensor<?x?x2x4xf32> -> tensor<?x?x?xf32>
  %z = ssm.readout %m, %C
      : tensor<?x?x?x4xf32>, tensor<?x?x2x4xf32> -> tensor<?x?x?xf32>
  return %y, %z : tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
