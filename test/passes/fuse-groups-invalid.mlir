// RUN: not mamba-opt %s --pass-pipeline="builtin.module(ssm-differentiate,func.func(ssm-fuse))" 2>&1 | FileCheck %s

// Behind differentiation nothing says that the last dimension of %v is n: with
// 4 channels, 6 groups are none of theirs.
// CHECK: fuse-groups-invalid.mlir:[[#@LINE+2]]:{{.*}} error: cannot be fused: 'tensor<?x?x6x4xf32>' has 6 groups, which do not divide the 4 channels of another tensor of the kernel
// CHECK-NOT: (C7)
func.func @layer(%x: tensor<?x?x?xf32>,
                 %B: tensor<?x?x6x4xf32>,
                 %v: tensor<?x?x4xf32>) -> (tensor<?x?x?xf32>, tensor<?x?x4xf32>) {
  %y:2 = ssm.fused (%xe = %x[b, l, d] : tensor<?x?x?xf32>,
                    %be = %B[b, l, g, n] : tensor<?x?x6x4xf32>,
                    %ve = %v[b, l, n] : tensor<?x?x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %be, %xe : f32
    %s = ssm.sum %h over n : f32
    %w = math.sqrt %ve : f32
    ssm.yield %s, %w : f32, f32
  }
  return %y#0, %y#1 : tensor<?x?x?xf32>, tensor<?x?x4xf32>
}
