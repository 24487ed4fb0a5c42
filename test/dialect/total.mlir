// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @totals
func.func @totals(%x: tensor<?x?x6x4xf32>, %w: tensor<?x?x3x4xf32>)
    -> (tensor<6x4xf32>, tensor<?x?x2x4xbf16>, tensor<f64>) {
  // The groups of a result are its own.
  // CHECK: -> ([d, n] : tensor<6x4xf32>, [b, l, g, n] : tensor<?x?x2x4xbf16>, [] : tensor<f64>)
  %0:3 = ssm.fused (%v = %x[b, l, d, n] : tensor<?x?x6x4xf32>,
                    %k = %w[b, l, g, n] : tensor<?x?x3x4xf32>)
      -> ([d, n] : tensor<6x4xf32>, [b, l, g, n] : tensor<?x?x2x4xbf16>,
          [] : tensor<f64>) {
    // CHECK: %[[A:.*]] = ssm.total %{{.*}} over <b, l> : f32 -> f32
    %a = ssm.total %v over <b, l> : f32 -> f32
    %p = arith.mulf %v, %k : f32
    // CHECK: %[[B:.*]] = ssm.total %{{.*}} over <g> : f32 -> bf16
    %b = ssm.total %p over <g> : f32 -> bf16
    %s = ssm.sum %p over n : f32
    %s64 = arith.extf %s : f32 to f64
    // A total over d is one over groups as well.
    // CHECK: %[[C:.*]] = ssm.total %{{.*}} over <b, l, d> : f64 -> f64
    %c = ssm.total %s64 over <b, l, d> : f64 -> f64
    // CHECK: ssm.yield %[[A]], %[[B]], %[[C]]
    ssm.yield %a, %b, %c : f32, bf16, f64
  }
  return %0#0, %0#1, %0#2
    : tensor<6x4xf32>, tensor<?x?x2x4xbf16>, tensor<f64>
}
