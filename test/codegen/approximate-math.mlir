// RUN: mamba-opt --pass-pipeline="builtin.module(gpu.module(ssm-approximate-math))" %s | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: gpu.func @instructions
  gpu.func @instructions(%x: f32, %y: f32) -> (f32, f32, f32, f32) {
    // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%arg0)
    %0 = math.exp2 %x : f32
    // CHECK: llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%arg0)
    %1 = math.log2 %x : f32
    // CHECK: %[[R:.*]] = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%arg1)
    // CHECK: %[[Q:.*]] = arith.mulf %arg0, %[[R]]
    // CHECK: %[[MINUS:.*]] = arith.negf %[[Q]]
    // CHECK: %[[REST:.*]] = llvm.call_intrinsic "llvm.fma"(%[[MINUS]], %arg1, %arg0)
    // CHECK: llvm.call_intrinsic "llvm.fma"(%[[REST]], %[[R]], %[[Q]])
    %2 = arith.divf %x, %y : f32
    // CHECK: %[[S:.*]] = arith.mulf %arg0, %{{.*}} : f32
    // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[S]])
    %3 = math.exp %x : f32
    gpu.return %0, %1, %2, %3 : f32, f32, f32, f32
  }

  // An exponential that is to leave its pipe alone: n = x rounded, by its last
  // bits in x + 1.5 * 2^23; a polynomial of what is left; times 2^n, by its bits.
  // No sum may contract.
  // CHECK-LABEL: gpu.func @exp2_on_fma
  // CHECK-NOT: ex2
  // CHECK-DAG: arith.constant 1.000000e+00 : f32
  // CHECK-DAG: arith.constant 6.931470e-01 : f32
  // CHECK-DAG: arith.constant 0.240222424 : f32
  // CHECK-DAG: arith.constant 0.0555073358 : f32
  // CHECK-DAG: arith.constant 0.00967151299 : f32
  // CHECK-DAG: arith.constant 0.00132647273 : f32
  // CHECK-DAG: arith.constant 1.280000e+02 : f32
  // CHECK-DAG: arith.constant -1.270000e+02 : f32
  // CHECK: %[[LEAST:.*]] = arith.minimumf %arg0, %{{.*}} : f32
  // CHECK: %[[X:.*]] = arith.maximumf %[[LEAST]], %{{.*}} : f32
  // CHECK: %[[SHIFTED:.*]] = arith.addf %[[X]], %[[MAGIC:.*]] : f32
  // CHECK: %[[N:.*]] = arith.subf %[[SHIFTED]], %[[MAGIC]] : f32
  // CHECK: %[[F:.*]] = arith.subf %[[X]], %[[N]] : f32
  // CHECK-COUNT-5: llvm.call_intrinsic "llvm.fma"(%{{.*}}, %[[F]], %{{.*}})
  // CHECK: %[[BITS:.*]] = arith.bitcast %[[SHIFTED]] : f32 to i32
  // CHECK: arith.shli %[[BITS]]
  // CHECK: gpu.return
  gpu.func @exp2_on_fma(%x: f32) -> f32 {
    %0 = math.exp2 %x {ssm.on_fma} : f32
    gpu.return %0 : f32
  }

  // No library: what has no instruction is a polynomial, or is chosen between
  // one near zero and an instruction elsewhere.
  // CHECK-LABEL: gpu.func @polynomials
  // CHECK-NOT: math.{{(log1p|expm1|sin|cos|erf|tanh)}}
  // CHECK: gpu.return
  gpu.func @polynomials(%x: f32) -> (f32, f32, f32, f32, f32, f32) {
    %0 = math.log1p %x : f32
    %1 = math.expm1 %x : f32
    %2 = math.sin %x : f32
    %3 = math.cos %x : f32
    %4 = math.erf %x : f32
    %5 = math.tanh %x : f32
    gpu.return %0, %1, %2, %3, %4, %5 : f32, f32, f32, f32, f32, f32
  }

  // Where the op allows a reciprocal, the quotient stays as it is.
  // CHECK-LABEL: gpu.func @rough
  // CHECK: %[[R:.*]] = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%arg1)
  // CHECK-NEXT: %[[Q:.*]] = arith.mulf %arg0, %[[R]]
  // CHECK-NEXT: gpu.return %[[Q]]
  gpu.func @rough(%x: f32, %y: f32) -> f32 {
    %0 = arith.divf %x, %y fastmath<arcp> : f32
    gpu.return %0 : f32
  }

  // log1p(exp(x)) has one form for all x, which is x to the last bit where a
  // body takes x itself.
  // CHECK-LABEL: gpu.func @softplus
  // CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"
  // CHECK-NOT: lg2
  // CHECK-NOT: arith.select
  // CHECK: %[[MAX:.*]] = arith.maximumf %arg0
  // CHECK: %[[S:.*]] = arith.addf %{{.*}}, %[[MAX]]
  // CHECK: gpu.return %[[S]]
  gpu.func @softplus(%x: f32) -> f32 {
    %e = math.exp %x : f32
    %s = math.log1p %e : f32
    %c20 = arith.constant 20.0 : f32
    %big = arith.cmpf ogt, %x, %c20 : f32
    %r = arith.select %big, %x, %s : f32
    gpu.return %r : f32
  }

  // A bound that is too low is part of the function.
  // CHECK-LABEL: gpu.func @low_bound
  // CHECK: arith.select
  gpu.func @low_bound(%x: f32) -> f32 {
    %e = math.exp %x : f32
    %s = math.log1p %e : f32
    %c2 = arith.constant 2.0 : f32
    %big = arith.cmpf ogt, %x, %c2 : f32
    %r = arith.select %big, %x, %s : f32
    gpu.return %r : f32
  }
}
