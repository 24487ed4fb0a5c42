// RUN: mamba-opt --ssm-differentiate="function=layer" %s | FileCheck %s
// RUN: mamba-opt --ssm-differentiate="function=layer" %s | mamba-opt | FileCheck %s

#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>

// Gradients of what has floating-point numbers, with the names and layouts of
// what they belong to.
// CHECK-LABEL: func.func @layer(
// CHECK-LABEL: func.func @layer_backward(
// CHECK-SAME:    %[[U:[^:]*]]: tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 1, align = 16>, ssm.name = "u"}
// CHECK-SAME:    %[[A:[^:]*]]: tensor<?x4xf32> {ssm.name = "A"}
// CHECK-SAME:    %[[B:[^:]*]]: tensor<?x?x2x4xf32>
// CHECK-SAME:    tensor<?xi32>
// CHECK-SAME:    %[[DLAST:[^:]*]]: tensor<?x?x4xf32> {ssm.name = "dresult0"}
// CHECK-SAME:    -> (tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 1, align = 16>, ssm.name = "du"}
// CHECK-SAME:    tensor<?x4xf32> {ssm.name = "dA"}, tensor<?x?x2x4xf32> {ssm.name = "dargument2"}

// Forward, as far as it is needed.
// CHECK:         %[[U32:.*]] = arith.extf %[[U]]
// CHECK:         %[[DT:.*]] = math.absf %[[U32]]
// CHECK:         %[[ABAR:.*]], %[[BBAR:.*]] = ssm.discretize mamba %[[DT]], %[[A]], %[[B]], %[[U32]]

// The scan in the other direction starts from the last state's gradient.
// CHECK:         %[[ZERO:.*]] = linalg.generic
// CHECK:         %[[AFTER:.*]], %{{.*}} = ssm.scan reverse exclusive %[[ABAR]], %[[ZERO]] init(%[[DLAST]])
// CHECK:         %[[BEFORE:.*]], %{{.*}} = ssm.scan exclusive %[[ABAR]], %[[BBAR]]
// CHECK:         %[[DABAR:.*]] = linalg.generic {{.*}} ins(%[[AFTER]], %[[BEFORE]]

// What delta shares over n is a sum over n, what A shares one over b and l.
// CHECK:         %[[SPREAD:.*]] = ssm.spread_groups %[[B]] like %[[U32]]
// CHECK:         linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK:         %[[DA:.*]] = linalg.generic {{.*}} iterator_types = ["reduction", "reduction", "parallel", "parallel"]
// CHECK:         %[[DB:.*]] = ssm.sum_groups
// CHECK:         arith.truncf
// CHECK:         return %{{.*}}, %[[DA]], %[[DB]] : tensor<?x?x?xbf16>, tensor<?x4xf32>, tensor<?x?x2x4xf32>
func.func @layer(%u: tensor<?x?x?xbf16> {ssm.name = "u", ssm.layout = #ssm.layout<unit = 1, align = 16>},
                 %A: tensor<?x4xf32> {ssm.name = "A"}, %B: tensor<?x?x2x4xf32>,
                 %index: tensor<?xi32>) -> (tensor<?x?x4xf32>) {
  %u32 = arith.extf %u : tensor<?x?x?xbf16> to tensor<?x?x?xf32>
  %dt = math.absf %u32 : tensor<?x?x?xf32>
  %a, %b = ssm.discretize mamba %dt, %A, %B, %u32
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  return %last : tensor<?x?x4xf32>
}

// Only the function that was asked for.
// CHECK: func.func @other
// CHECK-NOT: @other_backward
func.func @other(%x: tensor<3xf32>) -> tensor<3xf32> {
  return %x : tensor<3xf32>
}
