//===- SharedMemory.h - Arrays in shared memory -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_SHAREDMEMORY_H
#define MAMBA_CODEGEN_SIMT_SHAREDMEMORY_H

#include "codegen/simt/HostKernel.h"

namespace mlir::ssm {

/// Makes constant expressions of arrays in shared memory instructions, so that
/// each kernel can have addresses of its own.
void expandSharedConstants(llvm::Module &code);

/// Gives the arrays that `kernel` uses places in its block's memory: those of a
/// size first, side by side, and the dynamic one behind them. Returns the bytes
/// of the former.
uint64_t placeSharedMemory(HostKernel &kernel);

/// Removes the arrays, which nothing uses any more.
void dropSharedMemory(llvm::Module &code);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_SHAREDMEMORY_H
