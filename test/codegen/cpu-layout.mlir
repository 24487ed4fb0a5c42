// RUN: mamba-opt %s --ssm-lower-to-cpu --canonicalize --cse --split-input-file | FileCheck %s

// Steps contiguous in memory: a tile is transposed in registers, 4 x 4 by two
// stages of shuffles, and copied element by element where it is cut.

// CHECK-LABEL: func.func @transposed_0
// CHECK: scf.if
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<4xf32>
// CHECK-COUNT-8: vector.shuffle
// CHECK-COUNT-4: llvm.store {{.*}} : vector<4xf32>
// CHECK: } else {
// CHECK: llvm.load {{.*}} -> f32
func.func @transposed(%x_: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 1, align = 4>})
    -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.cpu_schedule<vector = 4, items = 4>) {
    %s = arith.addf %x, %x : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

// A channel extent that fills whole vectors: no code for a last vector.

// CHECK-LABEL: func.func @whole_0
// CHECK-NOT: scf.if
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-NOT: scf.if
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK-NOT: scf.if
// CHECK: return
func.func @whole(%x_: tensor<?x?x32xf32>) -> tensor<?x?x32xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x32xf32>) -> ([b, l, d] : tensor<?x?x32xf32>) {
    %s = arith.addf %x, %x : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x32xf32>
}

// -----

// The same from a known divisor of a dynamic extent.

// CHECK-LABEL: func.func @multiple_0
// CHECK-NOT: scf.if
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-NOT: scf.if
// CHECK: return
func.func @multiple(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> attributes {ssm.channel_multiple = 64} {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    %s = arith.addf %x, %x : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

// Groups that no vector straddles: one element for all lanes. With channels
// that may straddle them, an element a lane.

// CHECK-LABEL: func.func @groups_0
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c3
// CHECK: llvm.load {{.*}} -> f32
// CHECK-NEXT: vector.broadcast
// CHECK-NOT: vector.insert
func.func @groups(%g_: tensor<?x?x2x3xf32>, %x_: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %y = ssm.fused (%g = %g_[b, l, g, n] : tensor<?x?x2x3xf32>, %x = %x_[b, l, d] : tensor<?x?x64xf32>)
      -> ([b, l, d] : tensor<?x?x64xf32>) {
    %p = arith.mulf %x, %g : f32
    %s = ssm.sum %p over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x64xf32>
}

// -----

// CHECK-LABEL: func.func @straddled_0
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c3
// CHECK: vector.insert %{{.*}}, %{{.*}} [15] : f32 into vector<16xf32>
func.func @straddled(%g_: tensor<?x?x2x3xf32>, %x_: tensor<?x?x40xf32>) -> tensor<?x?x40xf32> {
  %y = ssm.fused (%g = %g_[b, l, g, n] : tensor<?x?x2x3xf32>, %x = %x_[b, l, d] : tensor<?x?x40xf32>)
      -> ([b, l, d] : tensor<?x?x40xf32>) {
    %p = arith.mulf %x, %g : f32
    %s = ssm.sum %p over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x40xf32>
}
