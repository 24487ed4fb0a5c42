// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// CHECK-LABEL: func.func @states
// CHECK-SAME: (%[[A:.*]]: tensor<?x?x?x16xf32>, %[[B:.*]]: tensor<?x?x?x16xf32>)
func.func @states(%a: tensor<?x?x?x16xf32>, %b: tensor<?x?x?x16xf32>)
    -> (tensor<?x?x?x16xf32>, tensor<?x?x16xf32>) {
  // CHECK: %{{.*}}, %{{.*}} = ssm.scan %[[A]], %[[B]] : tensor<?x?x?x16xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x16xf32>
  return %h, %last : tensor<?x?x?x16xf32>, tensor<?x?x16xf32>
}

// CHECK-LABEL: func.func @reverse_without_states
func.func @reverse_without_states(%a: tensor<2x0x3xcomplex<f64>>)
    -> tensor<2x3xcomplex<f64>> {
  // CHECK: ssm.scan reverse %[[X:.*]], %[[X]] : tensor<2x0x3xcomplex<f64>>
  %h, %first = ssm.scan reverse %a, %a : tensor<2x0x3xcomplex<f64>>
  return %first : tensor<2x3xcomplex<f64>>
}

// CHECK-LABEL: func.func @exclusive
func.func @exclusive(%a: tensor<?x?x?xf32>) {
  // CHECK: ssm.scan exclusive %[[X:.*]], %[[X]] : tensor<?x?x?xf32>
  %0, %1 = ssm.scan exclusive %a, %a : tensor<?x?x?xf32>
  // CHECK: ssm.scan reverse exclusive %[[X]], %[[X]] : tensor<?x?x?xf32>
  %2, %3 = ssm.scan reverse exclusive %a, %a : tensor<?x?x?xf32>
  return
}

// CHECK-LABEL: func.func @initial_states
func.func @initial_states(%a: tensor<?x?x?x4xf32>, %h0: tensor<?x?x4xf32>,
                          %shared: tensor<?x4xf32>, %c: tensor<?x?x?xf32>,
                          %h1: tensor<?x?xf32>, %h2: tensor<?xf32>) {
  // CHECK: ssm.scan %{{.*}}, %{{.*}} init(%{{.*}}) : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>
  %0, %1 = ssm.scan %a, %a init(%h0) : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>
  // CHECK: ssm.scan reverse %{{.*}}, %{{.*}} init(%{{.*}}) {tag = 1 : i64} : tensor<?x?x?x4xf32>, tensor<?x4xf32>
  %2, %3 = ssm.scan reverse %a, %a init(%shared) {tag = 1 : i64} : tensor<?x?x?x4xf32>, tensor<?x4xf32>
  // CHECK: ssm.scan %{{.*}}, %{{.*}} init(%{{.*}}) : tensor<?x?x?xf32>, tensor<?x?xf32>
  %4, %5 = ssm.scan %c, %c init(%h1) : tensor<?x?x?xf32>, tensor<?x?xf32>
  // CHECK: ssm.scan %{{.*}}, %{{.*}} init(%{{.*}}) : tensor<?x?x?xf32>, tensor<?xf32>
  %6, %7 = ssm.scan %c, %c init(%h2) : tensor<?x?x?xf32>, tensor<?xf32>
  return
}

// CHECK-LABEL: func.func @saved_states
func.func @saved_states(%a: tensor<?x?x?x4xf32>, %h0: tensor<?x4xf32>,
                        %c: tensor<2x130x3xf32>) -> tensor<2x3x3xf32> {
  // CHECK: %{{.*}}, %{{.*}}, %[[SAVED:.*]] = ssm.scan exclusive %{{.*}}, %{{.*}} init(%{{.*}}) save every 64 : tensor<?x?x?x4xf32>, tensor<?x4xf32>
  %0, %1, %saved = ssm.scan exclusive %a, %a init(%h0) save every 64 : tensor<?x?x?x4xf32>, tensor<?x4xf32>
  // CHECK: ssm.scan %{{.*}}, %{{.*}} init(%[[SAVED]] every 64) {tag = 1 : i64} : tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32>
  %2, %3 = ssm.scan %a, %a init(%saved every 64) {tag = 1 : i64} : tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32>
  // 130 steps are 3 segments of 64.
  // CHECK: ssm.scan reverse %{{.*}}, %{{.*}} save every 64 : tensor<2x130x3xf32>
  %4, %5, %6 = ssm.scan reverse %c, %c save every 64 : tensor<2x130x3xf32>
  return %6 : tensor<2x3x3xf32>
}
