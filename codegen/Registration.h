//===- Registration.h - Dialects and passes of the tools --------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registration includes many heavy headers, so it stands in a file of its own
// that is rarely compiled.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REGISTRATION_H
#define MAMBA_CODEGEN_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::ssm {

/// Adds every dialect that a module may hold at any stage, and their
/// translations to LLVM IR.
void registerAllDialects(DialectRegistry &registry);

/// Registers this project's passes and the upstream ones that its pipelines
/// use, for the command line.
void registerAllPasses();

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REGISTRATION_H
