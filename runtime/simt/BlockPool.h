//===- BlockPool.h - Blocks that wait for work ------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stacks are expensive to make and cheap to keep.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_BLOCKPOOL_H
#define MAMBA_RUNTIME_SIMT_BLOCKPOOL_H

#include "runtime/PerProcess.h"
#include "runtime/simt/Block.h"

#include <mutex>

namespace mamba::simt {

/// Fibers that run at one time at most: each takes two of the 65,530 mappings
/// that Linux gives a process.
inline constexpr uint32_t kMaxFibers = 8192;

/// The blocks of a device that are not in use. Thread-safe.
class BlockPool {
public:
  /// One for blocks of `threads` threads. OutOfMemory if there are no stacks.
  Result<std::unique_ptr<Block>> acquire(uint32_t threads);
  void giveBack(std::unique_ptr<Block> block);

private:
  struct Free {
    std::mutex mutex;
    std::vector<std::unique_ptr<Block>> blocks;
  };
  PerProcess<Free> free_;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_BLOCKPOOL_H
