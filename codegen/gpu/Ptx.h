//===- Ptx.h - Lowered kernels to PTX text ----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_PTX_H
#define MAMBA_CODEGEN_GPU_PTX_H

#include "mlir/IR/BuiltinOps.h"
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::ssm {

/// A GPU architecture that code is generated for.
struct PtxTarget {
  std::string chip; ///< "sm_90"
  /// The PTX version that `chip` needs, "+ptx80"; older drivers read older
  /// versions, so it is the oldest that will do.
  std::string features;

  /// 9 of "sm_90", 12 of "sm_120".
  int major() const { return std::atoi(chip.c_str() + 3) / 10; }
};

/// The target named `chip`: sm_80, 86, 89, 90, 100 or 120. Fails, with an
/// error at `module` that lists them, for any other.
FailureOr<PtxTarget> lookupPtxTarget(ModuleOp module, StringRef chip);

/// The part of a lowering that decides the bits of results: on a gpu.module,
/// for every road to machine code.
void addMathPasses(OpPassManager &kernels);

/// Lowers the kernels of `module` (after --ssm-lower-to-gpu; changed in place)
/// through NVVM to LLVM IR in `context`, optimized: what LLVM's NVPTX backend
/// turns into PTX. `keepsLocations` makes their places in the source debug
/// locations, which change no code.
FailureOr<std::unique_ptr<llvm::Module>>
lowerGpuModuleToLLVM(ModuleOp module, const PtxTarget &target,
                     llvm::LLVMContext &context, bool keepsLocations);

/// Lowers the kernels of `module` (after --ssm-lower-to-gpu; changed in place)
/// through NVVM and LLVM IR to PTX. `onLlvm`, if given, receives the LLVM IR
/// after optimization.
FailureOr<std::string>
compileGpuModule(ModuleOp module, const PtxTarget &target,
                 function_ref<void(const std::string &)> onLlvm = nullptr);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_PTX_H
