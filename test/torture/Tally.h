//===- Tally.h - What the processes of a run did -------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In memory that all processes share, so that what a killed one did counts.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_TORTURE_TALLY_H
#define MAMBA_TEST_TORTURE_TALLY_H

#include <atomic>
#include <cstdint>

namespace mamba::torture {

inline constexpr int kMostProcesses = 1024;

struct Tally {
  std::atomic<int64_t> hits{0};     ///< From disk.
  std::atomic<int64_t> misses{0};   ///< Compiled, or looked up in vain.
  std::atomic<int64_t> removals{0}; ///< By Cache::remove.
  std::atomic<int64_t> damages{0};  ///< Files that the vandal broke.
  std::atomic<int64_t> warnings{0}; ///< Of broken entries.

  /// Wrong bytes, errors, warnings of anything else: none is allowed.
  std::atomic<int64_t> failures{0};

  /// Rounds that each process has done; its successor goes on there.
  std::atomic<int64_t> rounds[kMostProcesses] = {};
  std::atomic<bool> stopVandal{false};
};

static_assert(std::atomic<int64_t>::is_always_lock_free,
              "a killed process must not leave a lock");

} // namespace mamba::torture

#endif // MAMBA_TEST_TORTURE_TALLY_H
