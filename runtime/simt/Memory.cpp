//===- Memory.cpp - The simt device's memory ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reserved addresses cost nothing until they are written. An allocation starts
// at a page of its own, so that freeing it gives back all that lies beside it.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Memory.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <vector>

namespace mamba::simt {

namespace {

/// Allocations lie this far apart at least: an access that runs off one must
/// not find the next.
constexpr uint64_t kStep = 64 * 1024;

constexpr uint64_t kGranules = Memory::kCapacity / kGranuleBytes;

/// Address space without memory behind it, until it is written; null if there
/// is none.
void *reserve(uint64_t bytes) {
  void *mapping = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    return nullptr;
  // Most of it is touched here and there.
  ::madvise(mapping, bytes, MADV_NOHUGEPAGE);
  return mapping;
}

/// The address ranges of this process's devices.
struct Ranges {
  std::mutex mutex;
  std::vector<uint64_t> begins;
};

Ranges &ranges() {
  static auto *instance = new Ranges;
  return *instance;
}

uint64_t roundUp(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

/// Gives the whole pages of a range back; they are zero when next used.
void release(void *begin, uint64_t bytes) {
  ::madvise(begin, bytes, MADV_DONTNEED);
}

} // namespace

struct Memory::Runs {
  std::mutex mutex;
  std::condition_variable idle;
  uint32_t next = 1;
  int launches = 0;
};

Memory::Memory(std::byte *data, uint8_t *content, History *history)
    : base_(reinterpret_cast<uint64_t>(data)), content_(content),
      history_(history), runs_(std::make_unique<Runs>()) {
  // The first step stays free: nothing lies before an allocation either.
  gaps_[base_ + kStep] = kCapacity - kStep;
  std::lock_guard lock(ranges().mutex);
  ranges().begins.push_back(base_);
}

Result<std::unique_ptr<Memory>> Memory::create() {
  void *data = reserve(kCapacity);
  void *content = reserve(kGranules);
  void *history = reserve(kGranules * sizeof(History));
  if (data && content && history)
    return std::unique_ptr<Memory>(new Memory(static_cast<std::byte *>(data),
                                              static_cast<uint8_t *>(content),
                                              static_cast<History *>(history)));
  Status failure(
      StatusCode::OutOfMemory,
      fmt::format("reserving {} GiB of addresses for the simt device: {}",
                  (kCapacity + kGranules * (1 + sizeof(History))) >> 30,
                  std::strerror(errno)));
  for (auto [mapping, bytes] :
       {std::pair(data, kCapacity), std::pair(content, kGranules),
        std::pair(history, kGranules * sizeof(History))})
    if (mapping)
      ::munmap(mapping, bytes);
  return failure;
}

Memory::~Memory() {
  {
    std::lock_guard lock(ranges().mutex);
    std::erase(ranges().begins, base_);
  }
  ::munmap(reinterpret_cast<void *>(base_), kCapacity);
  ::munmap(content_, kGranules);
  ::munmap(history_, kGranules * sizeof(History));
}

uint64_t Memory::bytesInUse() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto &[begin, allocation] : used_)
    bytes += allocation.end - allocation.begin;
  return bytes;
}

Result<void *> Memory::allocate(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  uint64_t room = bytes > kCapacity ? bytes : roundUp(bytes, kStep) + kStep;
  auto gap = std::find_if(gaps_.begin(), gaps_.end(), [&](const auto &entry) {
    return entry.second >= room;
  });
  if (gap == gaps_.end())
    return Status(StatusCode::OutOfMemory,
                  fmt::format("allocating {} bytes of the simt device's {}",
                              bytes, kCapacity));
  auto [begin, size] = *gap;
  gaps_.erase(gap);
  if (size > room)
    gaps_[begin + room] = size - room;
  used_[begin] = {begin, begin + bytes};
  return reinterpret_cast<void *>(begin);
}

void Memory::free(void *pointer) {
  std::lock_guard lock(mutex_);
  auto found = used_.find(reinterpret_cast<uint64_t>(pointer));
  if (found == used_.end())
    return;
  uint64_t begin = found->second.begin;
  uint64_t room = roundUp(found->second.end - begin, kStep) + kStep;
  used_.erase(found);
  release(pointer, room);
  release(content(begin), room / kGranuleBytes);
  release(history(begin), room / kGranuleBytes * sizeof(History));
  auto next = gaps_.lower_bound(begin);
  if (next != gaps_.end() && next->first == begin + room) {
    room += next->second;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin()) {
    auto previous = std::prev(next);
    if (previous->first + previous->second == begin) {
      previous->second += room;
      return;
    }
  }
  gaps_[begin] = room;
}

std::optional<Allocation> Memory::find(uint64_t address) const {
  std::lock_guard lock(mutex_);
  auto after = used_.upper_bound(address);
  if (after == used_.begin())
    return std::nullopt;
  const Allocation &candidate = std::prev(after)->second;
  if (!candidate.holds(address, 1))
    return std::nullopt;
  return candidate;
}

/// Makes a range zero. The pages of a long one are given back: most of them may
/// never have been used.
static void clear(uint8_t *begin, uint8_t *end) {
  constexpr ptrdiff_t kLong = 16 * kStep;
  auto length = static_cast<size_t>(end - begin);
  if (end - begin < kLong) {
    std::memset(begin, 0, length);
    return;
  }
  // A step is whole pages.
  size_t head = -reinterpret_cast<uint64_t>(begin) % kStep;
  size_t tail = reinterpret_cast<uint64_t>(end) % kStep;
  std::memset(begin, 0, head);
  release(begin + head, length - head - tail);
  std::memset(end - tail, 0, tail);
}

void Memory::mark(uint64_t address, uint64_t bytes, MemoryContent value) {
  static_assert(static_cast<int>(MemoryContent::Unwritten) == 0);
  if (bytes == 0)
    return;
  uint8_t *first = content(address);
  uint8_t *end = content(address + bytes - 1) + 1;
  if (value == MemoryContent::Unwritten)
    clear(first, end);
  else
    std::memset(first, static_cast<int>(value),
                static_cast<size_t>(end - first));
}

uint32_t Memory::beginRuns(uint32_t count) {
  std::unique_lock lock(runs_->mutex);
  if (count > kMaxRuns - runs_->next) {
    runs_->idle.wait(lock, [&] { return runs_->launches == 0; });
    release(history_, kGranules * sizeof(History));
    runs_->next = 1;
  }
  ++runs_->launches;
  return std::exchange(runs_->next, runs_->next + count);
}

void Memory::endRuns() {
  std::lock_guard lock(runs_->mutex);
  if (--runs_->launches == 0)
    runs_->idle.notify_all();
}

bool isSimtMemory(const void *pointer) {
  auto address = reinterpret_cast<uint64_t>(pointer);
  std::lock_guard lock(ranges().mutex);
  return std::any_of(
      ranges().begins.begin(), ranges().begins.end(),
      [&](uint64_t begin) { return address - begin < Memory::kCapacity; });
}

} // namespace mamba::simt
