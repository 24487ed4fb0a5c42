//===- OptimizeLLVM.h - Passes over LLVM IR ---------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every device says which of LLVM's passes its kernels profit from, as `opt
// -passes=` spells them, and why those.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_OPTIMIZELLVM_H
#define MAMBA_CODEGEN_OPTIMIZELLVM_H

#include "llvm/ADT/StringRef.h"

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::ssm {

/// Runs `pipeline`, which is known to parse, over `module` with the machine's
/// costs.
void optimizeLLVM(llvm::Module &module, llvm::TargetMachine &machine,
                  llvm::StringRef pipeline);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_OPTIMIZELLVM_H
