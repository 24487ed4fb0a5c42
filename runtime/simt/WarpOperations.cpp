//===- WarpOperations.cpp - Shuffles, votes and syncs of a warp -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each lane leaves its operands and waits; the last one computes the results of
// all.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Block.h"

#include <algorithm>

namespace mamba::simt {

static bool isShuffle(SiteKind kind) {
  return kind >= SiteKind::ShuffleUp && kind <= SiteKind::ShuffleIndex;
}

/// Lane `lane` of the thread's warp; null where the block has no such thread.
ThreadState *Block::laneOf(const ThreadState &thread, uint32_t lane) {
  uint32_t number = thread.warpNumber() * kWarpSize + lane;
  return number < size_ ? &threads_[number] : nullptr;
}

/// Both take part in one operation: the same kind, for the same lanes.
bool Block::isWaitingWith(const ThreadState &lane,
                          const ThreadState &thread) const {
  return &lane == &thread ||
         (lane.wait == Wait::Warp && lane.mask == thread.mask &&
          lane.site->kind == thread.site->kind);
}

/// The lanes that wait in the same operation as `thread`, itself included.
uint32_t Block::lanesWaitingWith(const ThreadState &thread) {
  uint32_t lanes = 1u << thread.laneNumber();
  for (uint32_t i = 0; i < kWarpSize; ++i)
    if (const ThreadState *lane = laneOf(thread, i);
        lane && (thread.mask >> i & 1) && isWaitingWith(*lane, thread))
      lanes |= 1u << i;
  return lanes;
}

/// A lane that `thread` waits for in vain: one that has exited or is none, and,
/// once no thread can go on, one that waits elsewhere.
std::optional<Party> Block::missingLane(const ThreadState &thread,
                                        bool isStuck) {
  for (uint32_t i = 0; i < kWarpSize; ++i) {
    if (!(thread.mask >> i & 1))
      continue;
    const ThreadState *lane = laneOf(thread, i);
    if (!lane)
      return Party{index_, thread.warpNumber() * kWarpSize + i, nullptr};
    if (lane->wait == Wait::Exited ||
        (isStuck && !isWaitingWith(*lane, thread)))
      return partyOf(*lane);
  }
  return std::nullopt;
}

/// PTX's shfl.sync: the lane that `thread` reads, and whether it is in range.
static std::pair<uint32_t, bool> sourceLane(const ThreadState &thread) {
  uint32_t own = thread.laneNumber();
  uint32_t operand = thread.lane & 31;
  uint32_t segment = thread.clamp >> 8 & 31;
  uint32_t last = (own & segment) | (thread.clamp & 31 & ~segment);
  uint32_t first = own & segment;
  uint32_t source = own;
  bool isInRange = false;
  switch (thread.site->kind) {
  case SiteKind::ShuffleUp:
    source = own - operand;
    isInRange = static_cast<int32_t>(source) >= static_cast<int32_t>(last);
    break;
  case SiteKind::ShuffleDown:
    source = own + operand;
    isInRange = source <= last;
    break;
  case SiteKind::ShuffleButterfly:
    source = own ^ operand;
    isInRange = source <= last;
    break;
  default:
    source = first | (operand & ~segment);
    isInRange = source <= last;
    break;
  }
  return {isInRange ? source : own, isInRange};
}

uint64_t Block::shuffled(const ThreadState &thread, uint32_t lanes) {
  auto [source, isInRange] = sourceLane(thread);
  // From a lane that does not take part: any value; its own is one.
  const ThreadState &from =
      lanes >> source & 1 ? *laneOf(thread, source) : thread;
  return uint64_t(isInRange) << 32 | from.value;
}

uint64_t Block::voted(const ThreadState &thread, uint32_t lanes) {
  uint32_t votes = 0;
  for (uint32_t i = 0; i < kWarpSize; ++i)
    if ((lanes >> i & 1) && laneOf(thread, i)->value)
      votes |= 1u << i;
  switch (thread.site->kind) {
  case SiteKind::VoteAll:
    return votes == lanes;
  case SiteKind::VoteAny:
    return votes != 0;
  case SiteKind::VoteUniform:
    return votes == 0 || votes == lanes;
  default:
    return votes;
  }
}

/// Gives each of `lanes`, which wait with `thread`, its result.
void Block::complete(const ThreadState &thread, uint32_t lanes) {
  if (thread.site->kind == SiteKind::WarpSync) {
    tick();
    if (thread.mask == ~0u) {
      warpOf(thread).clock = clock_;
      shareSeen(thread);
    }
  }
  for (uint32_t i = 0; i < kWarpSize; ++i)
    if (lanes >> i & 1) {
      ThreadState &lane = *laneOf(thread, i);
      lane.result = isShuffle(lane.site->kind) ? shuffled(lane, lanes)
                                               : voted(lane, lanes);
    }
  warpOf(thread).waiting &= ~lanes;
  for (uint32_t i = 0; i < kWarpSize; ++i)
    if (lanes >> i & 1)
      if (ThreadState &lane = *laneOf(thread, i); lane.wait == Wait::Warp)
        makeReady(lane);
}

/// Fails where `thread`, which has just come to its operation, names lanes that
/// can't take part, or reads one that it doesn't name.
void Block::checkLanes(ThreadState &thread) {
  std::optional<Party> other;
  if (!(thread.mask >> thread.laneNumber() & 1))
    other = Party{index_, thread.number, nullptr, /*isNamed=*/false};
  else if (thread.mask & warpOf(thread).gone)
    other = missingLane(thread, /*isStuck=*/false);
  if (!other && isShuffle(thread.site->kind)) {
    auto [source, isInRange] = sourceLane(thread);
    if (isInRange && !(thread.mask >> source & 1))
      other = Party{index_, thread.warpNumber() * kWarpSize + source, nullptr,
                    /*isNamed=*/false};
  }
  if (!other)
    return;
  Violation inactive = violation(Defect::InactiveLane, thread, *thread.site);
  inactive.other = *other;
  fail(thread, inactive);
}

uint64_t Block::exchange(ThreadState &thread, uint32_t mask, uint32_t value,
                         uint32_t lane, uint32_t clamp, const Site &site) {
  thread.mask = mask;
  thread.value = value;
  thread.lane = lane;
  thread.clamp = clamp;
  thread.site = &site;
  if (launch_->options.checks.shuffles)
    checkLanes(thread);
  uint32_t &waiting = warpOf(thread).waiting;
  waiting |= 1u << thread.laneNumber();
  // Looked at closely only by who may be the last.
  if ((waiting & mask) == mask) {
    uint32_t lanes = lanesWaitingWith(thread);
    if ((lanes & mask) == mask) {
      complete(thread, lanes);
      return thread.result;
    }
  }
  suspend(thread, Wait::Warp, site);
  return thread.result;
}

} // namespace mamba::simt
