//===- Block.cpp - The threads of a block, taking turns -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread that has to wait switches straight to one that can go on; the host
// thread's own stack is used again when there is none.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Block.h"

#include "runtime/simt/Permutation.h"

#include <algorithm>
#include <numeric>

namespace mamba::simt {

/// The shared window starts at a multiple of this: more than any instruction
/// requires.
static constexpr size_t kSharedAlignment = 1024;

Block::Block(std::unique_ptr<FiberStacks> stacks)
    : stacks_(std::move(stacks)), threads_(stacks_->count()),
      permutation_(stacks_->count()), ready_(stacks_->count()) {
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i].block = this;
    threads_[i].number = static_cast<uint32_t>(i);
    threads_[i].services = &kServices;
    prepare(threads_[i]);
  }
}

Result<std::unique_ptr<Block>> Block::create(uint32_t maxThreads) {
  MAMBA_ASSIGN_OR_RETURN(auto stacks, FiberStacks::create(maxThreads));
  return std::unique_ptr<Block>(new Block(std::move(stacks)));
}

//===----------------------------------------------------------------------===//
// From start to end
//===----------------------------------------------------------------------===//

void Block::prepare(ThreadState &thread) {
  thread.fiber.prepare(stacks_->top(thread.number), FiberStacks::bytes(),
                       runThread, &thread);
}

/// Calls a kernel, which has no signature in front of it for the function
/// sanitizer to read.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
static void callKernel(const Launch &launch, Thread &thread) {
  launch.image->code(&thread, launch.args.data());
}

/// A fiber runs the same thread of block after block.
void Block::runThread(void *state) {
  auto &thread = *static_cast<ThreadState *>(state);
  for (;;) {
    callKernel(*thread.block->launch_, thread);
    thread.block->finish(thread);
  }
}

void Block::startThread(ThreadState &thread) {
  const uint32_t registers[kNumRegisters] = {
      thread.number,
      0,
      0,
      launch_->blockSize,
      1,
      1,
      static_cast<uint32_t>(index_),
      0,
      0,
      static_cast<uint32_t>(launch_->numBlocks),
      1,
      1,
      thread.laneNumber(),
      kWarpSize};
  std::copy_n(registers, kNumRegisters, thread.registers);
  thread.shared = shared_;
  thread.site = nullptr;
  thread.seen = {};
  thread.copies.clear();
  thread.releases = 0;
}

void Block::start() {
  size_ = launch_->blockSize;
  exited_ = 0;
  hasFailed_ = false;
  firstReady_ = numReady_ = 0;
  barriers_ = {};
  phases_.clear();
  clock_ = barrierClock_ = 0;
  orders_.clear();
  startWarps();
  if (sharedStorage_.size() < launch_->sharedBytes + kSharedAlignment) {
    sharedStorage_.resize(launch_->sharedBytes + kSharedAlignment);
    auto begin = reinterpret_cast<uintptr_t>(sharedStorage_.data());
    shared_ = sharedStorage_.data() +
              (kSharedAlignment - begin % kSharedAlignment) % kSharedAlignment;
  }
  size_t granules = launch_->sharedBytes / kGranuleBytes + 1;
  sharedContent_.assign(granules, 0);
  // Histories of smaller runs are of earlier blocks.
  uint32_t run = launch_->firstRun + static_cast<uint32_t>(index_);
  if (sharedHistory_.size() < granules || run <= run_)
    sharedHistory_.assign(granules, {});
  run_ = run;
  // What an earlier block left must not pass for a value.
  std::fill_n(shared_, launch_->sharedBytes, std::byte(0xff));
  shuffleOrder();
  for (uint32_t i = 0; i < size_; ++i)
    startThread(threads_[i]);
  for (uint32_t i = 0; i < size_; ++i)
    makeReady(threads_[permutation_[i]]);
}

/// The last warp of a block may lack lanes.
void Block::startWarps() {
  for (size_t i = 0; i < warps_.size(); ++i) {
    size_t first = i * kWarpSize;
    size_t lanes =
        first < size_ ? std::min<size_t>(size_ - first, kWarpSize) : 0;
    warps_[i] = {};
    warps_[i].gone = static_cast<uint32_t>(~uint64_t(0) << lanes);
  }
}

void Block::shuffleOrder() {
  permutation_.resize(size_);
  std::iota(permutation_.begin(), permutation_.end(), 0);
  if (launch_->options.seed == 0)
    return;
  RandomBits random(launch_->options.seed + static_cast<uint64_t>(index_));
  for (uint32_t i = size_ - 1; i > 0; --i)
    std::swap(permutation_[i], permutation_[random.below(i + 1)]);
}

void Block::run(Launch &launch, int64_t index, int64_t order) {
  launch_ = &launch;
  index_ = index;
  order_ = order;
  start();
  while (exited_ < size_ && !hasFailed_) {
    if (ThreadState *next = takeReady())
      Fiber::switchTo(home_, next->fiber);
    else
      resolveStuck();
  }
  if (!hasFailed_)
    return;
  // Their stacks are left as they are: no frame on them owns anything.
  for (uint32_t i = 0; i < size_; ++i)
    prepare(threads_[i]);
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

void Block::makeReady(ThreadState &thread) {
  thread.wait = Wait::Ready;
  ready_[(firstReady_ + numReady_++) % ready_.size()] = thread.number;
}

ThreadState *Block::takeReady() {
  if (numReady_ == 0)
    return nullptr;
  ThreadState *thread = &threads_[ready_[firstReady_]];
  firstReady_ = (firstReady_ + 1) % ready_.size();
  --numReady_;
  return thread;
}

void Block::switchAway(ThreadState &thread) {
  ThreadState *next = takeReady();
  if (next != &thread)
    Fiber::switchTo(thread.fiber, next ? next->fiber : home_);
}

void Block::suspend(ThreadState &thread, Wait wait, const Site &site) {
  thread.wait = wait;
  thread.site = &site;
  switchAway(thread);
}

void Block::finish(ThreadState &thread) {
  thread.wait = Wait::Exited;
  thread.site = nullptr;
  warpOf(thread).gone |= 1u << thread.laneNumber();
  ++exited_;
  switchAway(thread);
}

void Block::giveUp(const Violation &violation) {
  launch_->report(order_, violation);
  hasFailed_ = true;
}

void Block::fail(ThreadState &thread, const Violation &violation) {
  giveUp(violation);
  abandon(thread);
}

/// Ends the block where it is.
void Block::abandon(ThreadState &thread) {
  hasFailed_ = true;
  for (;;)
    Fiber::switchTo(thread.fiber, home_);
}

Party Block::partyOf(const ThreadState &thread) const {
  return {index_, thread.number, thread.site};
}

Violation Block::violation(Defect defect, const ThreadState &thread,
                           const Site &site) const {
  Violation violation;
  violation.defect = defect;
  violation.culprit = {index_, thread.number, &site};
  return violation;
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// What happens from now on is ordered behind what some threads did before.
void Block::tick() { clock_ = std::min(clock_ + 1, Stamp::kMaxClock); }

void Block::release(uint32_t id) {
  barriers_[id].arrived = 0;
  for (uint32_t number : permutation_) {
    ThreadState &waiting = threads_[number];
    if (waiting.wait == Wait::Barrier && waiting.barrier == id)
      makeReady(waiting);
  }
}

void Block::barrier(ThreadState &thread, uint32_t id, uint32_t count,
                    const Site &site) {
  id %= barriers_.size();
  Barrier &barrier = barriers_[id];
  if (barrier.arrived++ == 0)
    barrier.first = thread.number;
  const ThreadState &first = threads_[barrier.first];
  thread.site = &site;
  // A barrier of all threads is one instruction for all of them.
  if (count == 0 && launch_->options.checks.barriers && &first != &thread &&
      first.site != &site) {
    Violation divergent = violation(Defect::DivergentBarrier, thread, site);
    divergent.other = partyOf(first);
    fail(thread, divergent);
  }
  thread.barrier = id;
  if (barrier.arrived < (count ? count : size_))
    return suspend(thread, Wait::Barrier, site);
  if (count == 0 || count == size_) {
    tick();
    barrierClock_ = clock_;
    for (Warp &warp : warps_)
      warp.clock = clock_;
  }
  release(id);
}

/// No thread can go on, and some have not ended: they wait for each other, or
/// for threads that have.
void Block::resolveStuck() {
  const Checks &checks = launch_->options.checks;
  ThreadState *atBarrier = nullptr;
  for (uint32_t i = 0; i < size_; ++i) {
    ThreadState &thread = threads_[i];
    if (thread.wait == Wait::Barrier && !atBarrier)
      atBarrier = &thread;
    if (thread.wait != Wait::Warp)
      continue;
    std::optional<Party> missing = missingLane(thread, /*isStuck=*/true);
    if (!checks.shuffles || !missing)
      return complete(thread, lanesWaitingWith(thread));
    Violation inactive = violation(Defect::InactiveLane, thread, *thread.site);
    inactive.other = *missing;
    return giveUp(inactive);
  }
  if (!atBarrier)
    return resolvePhases();
  if (!checks.barriers)
    return release(atBarrier->barrier);
  Violation divergent =
      violation(Defect::DivergentBarrier, *atBarrier, *atBarrier->site);
  for (uint32_t i = 0; i < size_; ++i)
    if (threads_[i].wait != Wait::Barrier ||
        threads_[i].barrier != atBarrier->barrier)
      divergent.other = partyOf(threads_[i]);
  giveUp(divergent);
}

} // namespace mamba::simt
