//===- MemoryTest.cpp - The simt device's memory --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

using namespace mamba;
using namespace mamba::simt;

static uint64_t addressOf(void *pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

TEST(SimtMemory, AllocationsAreApartAndFound) {
  auto memory = *Memory::create();
  auto first = *memory->allocate(100);
  auto second = *memory->allocate(1 << 20);
  EXPECT_EQ(addressOf(first) % 256, 0u);
  auto found = memory->find(addressOf(first) + 99);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->begin, addressOf(first));
  EXPECT_EQ(found->end, addressOf(first) + 100);
  EXPECT_FALSE(memory->find(addressOf(first) + 100));
  EXPECT_FALSE(memory->find(addressOf(first) - 1));
  EXPECT_TRUE(memory->find(addressOf(second)));
  EXPECT_EQ(memory->bytesInUse(), 100u + (1 << 20));
  memory->free(first);
  EXPECT_EQ(memory->bytesInUse(), 1u << 20);
  EXPECT_FALSE(memory->find(addressOf(first)));
  memory->free(second);
  memory->free(nullptr);
}

TEST(SimtMemory, FreedMemoryIsUsedAgainAndEmpty) {
  auto memory = *Memory::create();
  void *first = nullptr;
  for (int round = 0; round < 100; ++round) {
    auto block = memory->allocate(1 << 22);
    ASSERT_TRUE(block.ok());
    first = first ? first : *block;
    EXPECT_EQ(*block, first);
    EXPECT_EQ(*memory->content(addressOf(*block)), 0);
    EXPECT_EQ(*static_cast<char *>(*block), 0);
    std::memset(*block, 1, 1 << 22);
    memory->mark(addressOf(*block), 1 << 22, MemoryContent::Written);
    EXPECT_EQ(*memory->content(addressOf(*block) + 100), 1);
    memory->free(*block);
  }
}

/// Short ranges and long ones, whose pages are given back: all of the range and
/// nothing beside it.
TEST(SimtMemory, UnwrittenEndsWhereTheRangeEnds) {
  auto memory = *Memory::create();
  constexpr uint64_t kBytes = uint64_t(1) << 24;
  uint64_t begin = addressOf(*memory->allocate(kBytes));
  for (uint64_t bytes : {uint64_t(2), uint64_t(4096), kBytes - 20'000}) {
    memory->mark(begin, kBytes, MemoryContent::Written);
    memory->mark(begin + 10'000, bytes, MemoryContent::Unwritten);
    EXPECT_EQ(*memory->content(begin + 9'998), 1);
    EXPECT_EQ(*memory->content(begin + 10'000 + bytes), 1);
    const uint8_t *first = memory->content(begin + 10'000);
    const uint8_t *end = memory->content(begin + 10'000 + bytes - 1) + 1;
    EXPECT_EQ(std::count(first, end, 0), end - first);
  }
}

/// Whatever the order, gaps join again.
TEST(SimtMemory, GapsJoin) {
  auto memory = *Memory::create();
  void *blocks[8];
  for (void *&block : blocks)
    block = *memory->allocate(Memory::kCapacity / 16);
  for (int i : {1, 3, 2, 0, 7, 5, 6, 4})
    memory->free(blocks[i]);
  auto whole = memory->allocate(Memory::kCapacity - (1 << 20));
  EXPECT_TRUE(whole.ok()) << whole.status().message();
  auto more = memory->allocate(1 << 21);
  EXPECT_EQ(more.code(), StatusCode::OutOfMemory);
  EXPECT_EQ(memory->allocate(uint64_t(1) << 62).code(),
            StatusCode::OutOfMemory);
}

TEST(SimtMemory, RunsStartAgainWithoutHistories) {
  auto memory = *Memory::create();
  uint32_t first = memory->beginRuns(10);
  EXPECT_GT(first, 0u);
  EXPECT_EQ(memory->beginRuns(5), first + 10);
  memory->endRuns();
  memory->endRuns();
  auto block = *memory->allocate(4);
  memory->history(addressOf(block))->write = 77;
  EXPECT_EQ(memory->beginRuns(kMaxRuns - 100), first + 15);
  memory->endRuns();
  EXPECT_EQ(memory->history(addressOf(block))->write, 77u);
  EXPECT_EQ(memory->beginRuns(1000), 1u);
  memory->endRuns();
  EXPECT_EQ(memory->history(addressOf(block))->write, 0u);
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

/// Thread `thread` of run 7, in a launch that began with run 5, at time 10.
static Observer observer(uint32_t thread, uint32_t blockClock = 0,
                         uint32_t warpClock = 0) {
  return {5, 7, thread, 10, blockClock, warpClock, {}};
}

static Stamp at(uint32_t run, uint32_t thread, uint32_t clock) {
  return Stamp(run, thread, clock, false);
}

TEST(SimtRace, WhatAStampHolds) {
  Stamp stamp(kMaxRuns - 1, 1023, Stamp::kMaxClock, true);
  EXPECT_EQ(stamp.run(), kMaxRuns - 1);
  EXPECT_EQ(stamp.thread(), 1023u);
  EXPECT_EQ(stamp.clock(), Stamp::kMaxClock);
  EXPECT_TRUE(stamp.isAtomic());
  EXPECT_FALSE(stamp.hasThreads() || stamp.hasWarps() || stamp.hasBlocks());
}

TEST(SimtRace, Conflicts) {
  // Nobody, an earlier launch, the thread itself.
  EXPECT_EQ(conflictOf(Stamp(), observer(3)), Conflict::None);
  EXPECT_EQ(conflictOf(at(4, 3, 10), observer(3)), Conflict::None);
  EXPECT_EQ(conflictOf(at(7, 3, 10), observer(3)), Conflict::None);
  // Another block of the launch.
  EXPECT_EQ(conflictOf(at(5, 3, 10), observer(3)), Conflict::Blocks);
  EXPECT_EQ(conflictOf(at(8, 3, 0), observer(3, 9, 9)), Conflict::Blocks);
  // Another thread, before and after the last barrier.
  EXPECT_EQ(conflictOf(at(7, 4, 8), observer(3, 9, 9)), Conflict::None);
  EXPECT_EQ(conflictOf(at(7, 4, 9), observer(3, 9, 9)), Conflict::Threads);
  // What orders a warp does not order other warps.
  EXPECT_EQ(conflictOf(at(7, 4, 8), observer(3, 5, 9)), Conflict::None);
  EXPECT_EQ(conflictOf(at(7, 40, 8), observer(3, 5, 9)), Conflict::Threads);
}

TEST(SimtRace, WhatIsReleasedIsOrdered) {
  // Thread 0 of run 6 released when its block had met at 5 and its warp at 7;
  // thread 32 of run 7 acquired that at 9.
  const Order orders[] = {{6, {0, 5, 7}, 32, 9}};
  auto after = [&](uint32_t thread, uint32_t blockClock, uint32_t warpClock) {
    Observer now = observer(thread, blockClock, warpClock);
    now.orders = orders;
    return now;
  };
  Observer acquirer = after(32, 4, 4);
  // The releasing thread's own doing, its warp's and its block's.
  EXPECT_EQ(conflictOf(at(6, 0, 8), acquirer), Conflict::None);
  EXPECT_EQ(conflictOf(at(6, 1, 6), acquirer), Conflict::None);
  EXPECT_EQ(conflictOf(at(6, 1, 7), acquirer), Conflict::Blocks);
  EXPECT_EQ(conflictOf(at(6, 40, 4), acquirer), Conflict::None);
  EXPECT_EQ(conflictOf(at(6, 40, 5), acquirer), Conflict::Blocks);
  // Others of the acquiring block: from its next barrier, or its warp's, on.
  EXPECT_EQ(conflictOf(at(6, 0, 4), after(33, 9, 9)), Conflict::Blocks);
  EXPECT_EQ(conflictOf(at(6, 0, 4), after(33, 9, 10)), Conflict::None);
  EXPECT_EQ(conflictOf(at(6, 0, 4), after(64, 9, 10)), Conflict::Blocks);
  EXPECT_EQ(conflictOf(at(6, 0, 4), after(64, 10, 10)), Conflict::None);
  // Nothing of a third block; and its own access replaces what is ordered.
  EXPECT_EQ(conflictOf(at(5, 0, 4), acquirer), Conflict::Blocks);
  EXPECT_FALSE(merge(at(6, 0, 4), acquirer, false).hasBlocks());
  EXPECT_TRUE(merge(at(5, 0, 4), acquirer, false).hasBlocks());
}

TEST(SimtRace, MergedReads) {
  // Two threads have read: a write by either conflicts with the other's.
  Stamp both = merge(at(7, 4, 9), observer(3, 5, 5), false);
  EXPECT_EQ(conflictOf(both, observer(3, 5, 5)), Conflict::Threads);
  EXPECT_EQ(conflictOf(both, observer(4, 5, 5)), Conflict::Threads);
  EXPECT_EQ(conflictOf(both, observer(3, 11, 11)), Conflict::None);
  // A barrier later, only the latest counts.
  Stamp later = merge(both, observer(4, 11, 11), false);
  EXPECT_FALSE(later.hasThreads());
  // Another block stays.
  Stamp blocks = merge(at(6, 3, 0), observer(3, 5, 5), false);
  EXPECT_EQ(conflictOf(blocks, observer(3, 5, 5)), Conflict::Blocks);
  EXPECT_TRUE(merge(blocks, observer(3, 10, 10), false).hasBlocks());
}
