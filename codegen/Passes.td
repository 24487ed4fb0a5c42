//===- Passes.td - Lowerings of fused ops ------------------*- tablegen -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SSM_CODEGEN_PASSES_TD
#define SSM_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerToCpuPass : Pass<"ssm-lower-to-cpu", "::mlir::ModuleOp"> {
  let summary = "lower fused ops to vector code for the CPU";
  let description = [{
    Replaces each function of `ssm.fused` ops by one kernel an op,
    `@<name>_<i>(%args: !llvm.ptr, %first: i64, %end: i64)`, which runs the
    tasks [first, end). `args` are 64-bit integers in the order that the
    kernel's `ssm.launch` lists; the module's `ssm.plan` describes the tensors.

    A task is one sequence and `vector` neighbouring channels of it, one in each
    lane of a vector, serial along L in tiles of `items` steps. Work that
    depends on no state is done once a step, work that depends on no step once
    a task. The states are the outer loop of a tile, so that a state and its
    constants stay in registers over the tile's steps.

    With `chunks` above 1 an op becomes three kernels: `@<name>_<i>_carries`
    runs each chunk of a sequence from zero, `@<name>_<i>_starts` joins them,
    `@<name>_<i>` computes the results from the states at the chunks' starts.

    Any stride, channel count, length and element type works. Not supported,
    and refused with an error: several functions in one module; chunks where a
    recurrence depends on the states of another; functions of complex numbers
    beyond exp, expm1, log, sqrt and abs; tables of more than 512 KiB a task
    (some thousand states).
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::complex::ComplexDialect",
    "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def LowerToGpuPass : Pass<"ssm-lower-to-gpu", "::mlir::ModuleOp"> {
  let summary = "lower fused ops to GPU kernels";
  let description = [{
    Replaces the function of `ssm.fused` ops by kernels in one `gpu.module`,
    each with its launch in `ssm.launch`; the module's `ssm.plan` describes the
    tensors. Each fused op needs a `#ssm.schedule`.

    With one chunk a fused op is one kernel. With more, it is three: one finds
    the segment that each chunk is to each recurrence, one scans the chunks,
    one computes everything from the states before each chunk.

    Not supported: several functions in one module, f64 bodies, chunks for a
    body whose recurrences read each other.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def ApproximateMathPass : Pass<"ssm-approximate-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "math on f32 by the GPU's approximate instructions";
  let description = [{
    Rewrites f32 `math` ops and divisions so that no library is needed: exp2,
    log2 and reciprocals by ex2, lg2 and rcp (flushing denormals), exp, log,
    log1p, expm1 and powf in terms of these, and sin, cos, erf, tanh, atan
    and an exp2 with `ssm.on_fma` by polynomials. Relative error is at most a
    few units in the last place, also of log1p and expm1 near zero.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def ContractProductsPass : Pass<"ssm-contract-products", "::mlir::gpu::GPUModuleOp"> {
  let summary = "products that are summed up to fused multiply-adds";
  let description = [{
    Joins each f32 sum or difference that may contract with a product of its
    operands that may, as back ends do, and takes the flag from what is left:
    which operations round is decided here, not by a driver's compiler, so every
    back end and driver computes the same bits.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

#endif // SSM_CODEGEN_PASSES_TD
