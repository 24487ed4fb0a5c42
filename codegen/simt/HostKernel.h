//===- HostKernel.h - A kernel as a function of one thread ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_HOSTKERNEL_H
#define MAMBA_CODEGEN_SIMT_HOSTKERNEL_H

#include "runtime/simt/Abi.h"

#include "mlir/Support/LLVM.h"
#include "llvm/IR/IRBuilder.h"

namespace mlir::ssm {

/// What the code of one thread calls and reads of the simulator.
class HostKernel {
public:
  /// A function void(Thread *, const int64_t *) with the body of `kernel`,
  /// which is left empty; the kernel's arguments are read from the array.
  explicit HostKernel(llvm::Function &kernel);

  llvm::Function &function() { return *code; }

  /// A field of the thread, at byte `offset`.
  llvm::Value *loadField(llvm::IRBuilder<> &b, llvm::Type *type, size_t offset);
  /// Calls the service at byte `offset` of the table.
  llvm::CallInst *callService(llvm::IRBuilder<> &b, size_t offset,
                              llvm::Type *result,
                              ArrayRef<llvm::Value *> operands);
  /// The thread, for services that take it.
  llvm::Value *thread() { return code->getArg(0); }
  /// The block's shared memory, as pointer in address space 3.
  llvm::Value *sharedMemory() { return shared; }

private:
  llvm::Function *code;
  llvm::Value *services;
  llvm::Value *shared;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_HOSTKERNEL_H
