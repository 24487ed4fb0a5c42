// RUN: mamba-opt --ssm-differentiate %s | FileCheck %s
// RUN: mamba-opt --pass-pipeline="builtin.module(ssm-differentiate,func.func(ssm-fuse))" %s | FileCheck %s --check-prefix=FUSED

// The gradient of a half that is broadcast is summed in single precision, and
// rounded once.
// CHECK-LABEL: func.func @spread_backward(
// CHECK:       linalg.generic {{.*}}"reduction"{{.*}} ins(%{{.*}} : tensor<?x?x?xf16>) outs(%{{.*}} : tensor<?xf32>)
// CHECK:         %[[TERM:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK:         arith.addf %{{.*}}, %[[TERM]]
// CHECK:       %[[SUM:.*]] = arith.truncf %{{.*}} : tensor<?xf32> to tensor<?xf16>
// CHECK:       return %{{.*}}, %[[SUM]] : tensor<?x?x?xf16>, tensor<?xf16>

// FUSED-LABEL: func.func @spread_backward(
// FUSED:       ssm.total %{{.*}} over <b, l> : f32 -> f16
func.func @spread(%x: tensor<?x?x?xf16>, %s: tensor<?xf16>) -> tensor<?x?x?xf16> {
  %y = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, l, d)>, affine_map<(b, l, d) -> (d)>,
                       affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x, %s : tensor<?x?x?xf16>, tensor<?xf16>) outs(%x : tensor<?x?x?xf16>) {
  ^bb0(%e: f16, %w: f16, %out: f16):
    %sum = arith.addf %e, %w : f16
    linalg.yield %sum : f16
  } -> tensor<?x?x?xf16>
  return %y : tensor<?x?x?xf16>
}
