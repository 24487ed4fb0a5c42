//===- Division.h - Integer division as GPUs do it --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_DIVISION_H
#define MAMBA_CODEGEN_SIMT_DIVISION_H

namespace llvm {
class Function;
} // namespace llvm

namespace mlir::ssm {

/// Makes integer quotients by zero, and those that overflow, numbers that no
/// one should use, as they are on a GPU; hosts end the process.
void guardDivisions(llvm::Function &function);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_DIVISION_H
