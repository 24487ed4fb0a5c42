//===- Launch.h - One launch on the simt device -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the blocks of a launch share: the kernel, its arguments and the memory
// behind them, and the first defect that any of them found.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_LAUNCH_H
#define MAMBA_RUNTIME_SIMT_LAUNCH_H

#include "runtime/simt/Memory.h"
#include "runtime/simt/Options.h"
#include "runtime/simt/Race.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace mamba::simt {

enum class Defect : uint8_t {
  OutOfBounds,
  ReadOnly,
  Misaligned,
  Uninitialized,
  Race,
  DivergentBarrier,
  OpenPhase,
  InactiveLane
};

/// Someone who takes part in a defect. A thread without a site has exited, or
/// is a lane that an operation did not name.
struct Party {
  int64_t block = 0;
  uint32_t thread = 0;
  const Site *site = nullptr;
  bool isNamed = true;
};

/// What a check found. Plain data: it is made on a simulated thread's stack.
struct Violation {
  Defect defect = Defect::OutOfBounds;
  Party culprit;
  /// The other side of a race, a barrier or a shuffle.
  Party other;
  /// In shared memory, or of global memory.
  bool isShared = false;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

/// A pointer argument of a launch.
struct ArgumentMemory {
  std::string label; ///< "input 'u'", for messages.
  uint64_t pointer = 0;
  /// What it points into; empty where it points nowhere.
  Allocation allocation;
  /// No result or temporary lies in the allocation.
  bool isReadOnly = false;
};

struct Launch {
  std::string kernel; ///< Its entry, for messages.
  const KernelImage *image = nullptr;
  std::span<const int64_t> args;
  int64_t numBlocks = 0;
  uint32_t blockSize = 0;
  /// Static, then dynamic.
  uint32_t sharedBytes = 0;
  uint32_t firstRun = 0;
  Options options;
  Memory *memory = nullptr;
  /// One an argument; those that are no pointers are empty.
  std::vector<ArgumentMemory> arguments;

  /// A site as a number, for History: the run, and how far the site lies from
  /// the image, which is in the same object.
  uint64_t placeOf(uint32_t run, const Site *site) const {
    auto distance = static_cast<uint32_t>(reinterpret_cast<intptr_t>(site) -
                                          reinterpret_cast<intptr_t>(image));
    return uint64_t(run) << 32 | distance;
  }
  /// The site that `place`, which another host thread may be about to write,
  /// stands for; null if that does not come.
  const Site *siteAt(uint64_t &place) const;

  /// What a block has done, and knows of others, at a release of `address`;
  /// what is known at its last release.
  void publish(uint64_t address, std::vector<Order> known);
  /// Waits a moment for a release if there was none since the `seen`th.
  std::vector<Order> published(uint64_t address, uint64_t &seen);

  /// Keeps the defect that comes first in the order of the blocks.
  void report(int64_t order, const Violation &violation);
  /// True if the block that is `order`th need not run any more.
  bool isOver(int64_t order) const {
    return failedAt_.load(std::memory_order_relaxed) < order;
  }
  /// True if any block has failed.
  bool hasFailed() const { return isOver(INT64_MAX); }
  /// Success, or what was reported.
  Status status() const;

private:
  std::mutex mutex_;
  std::condition_variable released_;
  /// Of all addresses; from 1 on, so that no one waits the first time.
  uint64_t releases_ = 1;
  std::unordered_map<uint64_t, std::vector<Order>> published_;
  std::atomic<int64_t> failedAt_ = INT64_MAX;
  std::optional<Violation> violation_;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_LAUNCH_H
