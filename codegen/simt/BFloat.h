//===- BFloat.h - Brain floats on hosts without them ------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_BFLOAT_H
#define MAMBA_CODEGEN_SIMT_BFLOAT_H

namespace llvm {
class Function;
} // namespace llvm

namespace mlir::ssm {

/// Computes in f32 what `function` computes in bf16, and rounds as GPUs do: to
/// nearest, ties to even, subnormals kept, every NaN as 0x7fff. Hosts call
/// functions that may not be there, or flush subnormals.
void expandBFloat(llvm::Function &function);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_BFLOAT_H
