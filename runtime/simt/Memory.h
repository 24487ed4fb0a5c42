//===- Memory.h - The simt device's memory ----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Addresses come from one reserved range, beside which lies what is known of
// every two bytes: whether anything was written there, and who used them last.
// So a check needs an addition, not a search.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_MEMORY_H
#define MAMBA_RUNTIME_SIMT_MEMORY_H

#include "runtime/Device.h"
#include "runtime/Status.h"
#include "runtime/simt/Race.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace mamba::simt {

/// One allocation.
struct Allocation {
  uint64_t begin = 0;
  uint64_t end = 0;

  bool holds(uint64_t address, uint64_t bytes) const {
    return address >= begin && address <= end && bytes <= end - address;
  }
};

/// Thread-safe. Marks and histories are read and written by kernels without a
/// lock.
class Memory {
public:
  /// OutOfMemory if the process can't have the addresses.
  static Result<std::unique_ptr<Memory>> create();
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  /// Bytes of all allocations at most.
  static constexpr uint64_t kCapacity = uint64_t(1) << 38;

  Result<void *> allocate(uint64_t bytes);
  void free(void *pointer);
  /// Of all allocations together.
  uint64_t bytesInUse() const;

  /// The allocation that `address` is in.
  std::optional<Allocation> find(uint64_t address) const;
  bool contains(uint64_t address) const { return address - base_ < kCapacity; }

  /// Says what the bytes hold, for the checks.
  void mark(uint64_t address, uint64_t bytes, MemoryContent content);
  /// MemoryContent of each granule from that of `address` on.
  uint8_t *content(uint64_t address) const {
    return content_ + (address - base_) / kGranuleBytes;
  }
  History *history(uint64_t address) const {
    return history_ + (address - base_) / kGranuleBytes;
  }

  /// Numbers for `count` blocks of a launch: the first of them. Numbers start
  /// again, and all histories are forgotten, when they are used up; so it may
  /// wait for running launches, each of which ends with endRuns().
  uint32_t beginRuns(uint32_t count);
  void endRuns();

private:
  Memory(std::byte *data, uint8_t *content, History *history);

  uint64_t base_;
  uint8_t *content_;
  History *history_;

  mutable std::mutex mutex_;
  /// By first byte: what is in use, and what is not (in bytes).
  std::map<uint64_t, Allocation> used_;
  std::map<uint64_t, uint64_t> gaps_;

  struct Runs;
  std::unique_ptr<Runs> runs_;
};

/// True if `pointer` is memory of any simt device in this process.
bool isSimtMemory(const void *pointer);

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_MEMORY_H
