//===- Phases.cpp - Barriers in shared memory -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX's mbarrier: who arrives releases, and who has waited for a phase acquires
// what all who arrived in it had done. Stricter than PTX: a thread that arrives
// speaks for what its warp did before the warp last synchronized, and not for
// what it did itself since then.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Block.h"

namespace mamba::simt {

static constexpr uint64_t kPhaseBarrierBytes = 8;

static void raise(WarpClocks &clocks, const WarpClocks &others) {
  for (size_t i = 0; i < clocks.size(); ++i)
    clocks[i] = std::max(clocks[i], others[i]);
}

/// Checks the access, and keeps where it is.
void Block::accessPhases(ThreadState &thread, const void *address,
                         const Site &site) {
  thread.phases =
      reinterpret_cast<uint64_t>(address) - reinterpret_cast<uint64_t>(shared_);
  accessShared(thread, thread.phases, kPhaseBarrierBytes, site);
}

PhaseBarrier &Block::phasesAt(ThreadState &thread, const void *address,
                              const Site &site) {
  accessPhases(thread, address, site);
  auto found = phases_.find(thread.phases);
  if (found != phases_.end())
    return found->second;
  Violation unprepared = violation(Defect::Uninitialized, thread, site);
  unprepared.isShared = true;
  unprepared.address = thread.phases;
  unprepared.bytes = kPhaseBarrierBytes;
  fail(thread, unprepared);
}

void Block::initPhases(ThreadState &thread, const void *address, uint32_t count,
                       const Site &site) {
  PhaseBarrier barrier;
  barrier.count = barrier.pending = count;
  accessPhases(thread, address, site);
  phases_[thread.phases] = barrier;
}

void Block::arrive(ThreadState &thread, const void *address, const Site &site) {
  PhaseBarrier &barrier = phasesAt(thread, address, site);
  WarpClocks now = thread.seen;
  for (uint32_t &clock : now)
    clock = std::max(clock, barrierClock_);
  now[thread.warpNumber()] = warpOf(thread).clock;
  raise(barrier.gathered, now);
  if (--barrier.pending == 0)
    endPhase(thread.phases, barrier);
}

void Block::endPhase(uint64_t offset, PhaseBarrier &barrier) {
  ++barrier.ended;
  barrier.pending = barrier.count;
  barrier.released = barrier.gathered;
  tick();
  for (uint32_t number : permutation_) {
    ThreadState &waiting = threads_[number];
    if (waiting.wait == Wait::Phase && waiting.phases == offset)
      makeReady(waiting);
  }
}

void Block::waitForPhase(ThreadState &thread, const void *address,
                         uint32_t parity, const Site &site) {
  PhaseBarrier &barrier = phasesAt(thread, address, site);
  while (barrier.ended % 2 == parity % 2)
    suspend(thread, Wait::Phase, site);
  raise(thread.seen, barrier.released);
}

/// The lanes of a warp that has met have all seen what one of them has.
void Block::shareSeen(const ThreadState &thread) {
  if (phases_.empty())
    return;
  WarpClocks all = {};
  for (uint32_t i = 0; i < kWarpSize; ++i)
    if (const ThreadState *lane = laneOf(thread, i))
      raise(all, lane->seen);
  for (uint32_t i = 0; i < kWarpSize; ++i)
    if (ThreadState *lane = laneOf(thread, i))
      lane->seen = all;
}

/// No thread can go on, and none waits for its block or warp.
void Block::resolvePhases() {
  for (uint32_t i = 0; i < size_; ++i) {
    ThreadState &thread = threads_[i];
    if (thread.wait != Wait::Phase)
      continue;
    if (launch_->options.checks.barriers)
      return giveUp(violationOf(Defect::OpenPhase, thread,
                                {*thread.site, thread.phases,
                                 kPhaseBarrierBytes, /*isShared=*/true}));
    return endPhase(thread.phases, phases_[thread.phases]);
  }
}

} // namespace mamba::simt
