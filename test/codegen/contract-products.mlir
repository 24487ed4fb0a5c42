// RUN: mamba-opt --pass-pipeline='builtin.module(gpu.module(ssm-contract-products))' %s | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: func.func @joined
  // CHECK: llvm.call_intrinsic "llvm.fma"(%arg0, %arg1, %arg2)
  // CHECK-NOT: arith.mulf
  func.func @joined(%a: f32, %b: f32, %c: f32) -> f32 {
    %p = arith.mulf %a, %b fastmath<contract> : f32
    %s = arith.addf %c, %p fastmath<contract> : f32
    return %s : f32
  }

  // Of two products the one with fewer readers; the other one is a number of
  // its own for them.
  // CHECK-LABEL: func.func @fewerReaders
  // CHECK: %[[P:.*]] = arith.mulf %arg0, %arg1 : f32
  // CHECK: llvm.call_intrinsic "llvm.fma"(%arg1, %arg2, %[[P]])
  // CHECK: return %{{.*}}, %[[P]]
  func.func @fewerReaders(%a: f32, %b: f32, %c: f32) -> (f32, f32) {
    %p = arith.mulf %a, %b fastmath<contract> : f32
    %q = arith.mulf %b, %c fastmath<contract> : f32
    %s = arith.addf %p, %q fastmath<contract> : f32
    return %s, %p : f32, f32
  }

  // CHECK-LABEL: func.func @differences
  // CHECK: %[[N:.*]] = arith.negf %arg2
  // CHECK: llvm.call_intrinsic "llvm.fma"(%arg0, %arg1, %[[N]])
  // CHECK: %[[M:.*]] = arith.negf %arg0
  // CHECK: llvm.call_intrinsic "llvm.fma"(%[[M]], %arg2, %arg1)
  func.func @differences(%a: f32, %b: f32, %c: f32) -> (f32, f32) {
    %p = arith.mulf %a, %b fastmath<contract> : f32
    %first = arith.subf %p, %c fastmath<contract> : f32
    %q = arith.mulf %a, %c fastmath<contract> : f32
    %second = arith.subf %b, %q fastmath<contract> : f32
    return %first, %second : f32, f32
  }

  // What may not contract stays, and what is left may no more.
  // CHECK-LABEL: func.func @kept
  // CHECK: arith.mulf %arg0, %arg1 : f32
  // CHECK: arith.addf %{{.*}}, %arg2 : f32
  // CHECK: arith.addf %arg0, %arg1 : f32
  func.func @kept(%a: f32, %b: f32, %c: f32) -> (f32, f32) {
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %p, %c fastmath<contract> : f32
    %t = arith.addf %a, %b fastmath<contract> : f32
    return %s, %t : f32, f32
  }
}
