//===- BlockPool.cpp - Blocks that wait for work --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// There are never more than the most that ran at one time.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/BlockPool.h"

#include <algorithm>

namespace mamba::simt {

Result<std::unique_ptr<Block>> BlockPool::acquire(uint32_t threads) {
  std::unique_ptr<Block> block;
  {
    Free &free = free_.get();
    std::lock_guard lock(free.mutex);
    auto fits = std::find_if(
        free.blocks.begin(), free.blocks.end(),
        [&](const auto &one) { return one->maxThreads() >= threads; });
    // A larger one takes the place of one that is too small.
    if (fits == free.blocks.end() && !free.blocks.empty())
      fits = free.blocks.begin();
    if (fits != free.blocks.end()) {
      block = std::move(*fits);
      free.blocks.erase(fits);
    }
  }
  if (block && block->maxThreads() >= threads)
    return block;
  block.reset();
  return Block::create(threads);
}

void BlockPool::giveBack(std::unique_ptr<Block> block) {
  Free &free = free_.get();
  std::lock_guard lock(free.mutex);
  free.blocks.push_back(std::move(block));
}

} // namespace mamba::simt
