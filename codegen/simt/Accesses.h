//===- Accesses.h - Loads, stores and atomics that are checked --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_ACCESSES_H
#define MAMBA_CODEGEN_SIMT_ACCESSES_H

#include "codegen/simt/HostKernel.h"

#include <optional>

namespace mlir::ssm {

/// An instruction's use of memory.
struct MemoryAccess {
  mamba::simt::SiteKind kind;
  mamba::simt::Space space;
  llvm::Value *address;
  uint64_t bytes;
  uint64_t alignment;
  /// The kernel argument that the address comes from; -1 if there is not one.
  int32_t argument;
  /// How many bytes where that is not known before; null: `bytes`.
  llvm::Value *count = nullptr;
};

/// The memory that `instruction` uses; nothing if it uses none, or only the
/// thread's own variables and the kernel's constants.
std::optional<MemoryAccess> findAccess(llvm::Instruction &instruction);

/// That `instruction` acquires what was released, as an access.
std::optional<MemoryAccess> findAcquire(llvm::Instruction &instruction);

/// What a copy from global to shared memory reads, and what it writes.
std::optional<MemoryAccess> findCopySource(llvm::Instruction &instruction);
std::optional<MemoryAccess> findCopyTarget(llvm::Instruction &instruction);

/// Has the simulator check `access` before `instruction` makes it; what it
/// acquires, behind it.
void checkAccess(HostKernel &kernel, llvm::Instruction &instruction,
                 const MemoryAccess &access, llvm::Constant *site);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_ACCESSES_H
