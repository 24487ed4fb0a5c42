//===- Access.cpp - Checks of loads and stores ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From what would make the next check meaningless to what needs the most time:
// bounds, alignment, what memory holds, who else used it.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Block.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace mamba::simt {

/// Stamps of global memory, which all host threads use.
using Concurrent = std::atomic_ref<uint64_t>;

Violation Block::violationOf(Defect defect, const ThreadState &thread,
                             const Access &access) const {
  Violation found = violation(defect, thread, access.site);
  found.isShared = access.isShared;
  found.address = access.address;
  found.bytes = access.bytes;
  return found;
}

void Block::failAs(ThreadState &thread, Defect defect, const Access &access) {
  fail(thread, violationOf(defect, thread, access));
}

//===----------------------------------------------------------------------===//
// Where
//===----------------------------------------------------------------------===//

void Block::access(ThreadState &thread, const void *pointer, uint64_t bytes,
                   const Site &site) {
  // A copy may have nothing to read.
  if (bytes == 0)
    return;
  auto address = reinterpret_cast<uint64_t>(pointer);
  uint64_t offset = address - reinterpret_cast<uint64_t>(shared_);
  if (site.space == Space::Global)
    return accessGlobal(thread, address, bytes, site);
  if (site.space == Space::Shared)
    return accessShared(thread, offset, bytes, site);
  if (offset < launch_->sharedBytes)
    return accessShared(thread, offset, bytes, site);
  auto top = reinterpret_cast<uint64_t>(stacks_->top(thread.number));
  // The thread's own variables.
  if (address < top && top - address <= FiberStacks::bytes())
    return;
  accessGlobal(thread, address, bytes, site);
}

void Block::accessShared(ThreadState &thread, uint64_t offset, uint64_t bytes,
                         const Site &site) {
  const Checks &checks = launch_->options.checks;
  Access access{site, offset, bytes, /*isShared=*/true};
  uint64_t size = launch_->sharedBytes;
  if (offset > size || bytes > size - offset) {
    if (checks.bounds)
      failAs(thread, Defect::OutOfBounds, access);
    return;
  }
  uint64_t first = offset / kGranuleBytes;
  size_t count = (offset + bytes - 1) / kGranuleBytes - first + 1;
  checkCells(thread,
             {&sharedContent_[first],
              checks.races ? &sharedHistory_[first] : nullptr, count},
             access);
}

void Block::accessGlobal(ThreadState &thread, uint64_t address, uint64_t bytes,
                         const Site &site) {
  const Checks &checks = launch_->options.checks;
  Memory &memory = *launch_->memory;
  Access access{site, address, bytes, /*isShared=*/false};
  const ArgumentMemory *argument =
      site.argument >= 0 ? &launch_->arguments[site.argument] : nullptr;
  Allocation allocation = argument
                              ? argument->allocation
                              : memory.find(address).value_or(Allocation());
  if (!allocation.holds(address, bytes)) {
    if (checks.bounds)
      failAs(thread, Defect::OutOfBounds, access);
    return;
  }
  if (site.kind == SiteKind::Acquire)
    return acquire(thread, address);
  bool isReadOnly = argument && argument->isReadOnly;
  if (isReadOnly && site.kind != SiteKind::Load)
    failAs(thread, Defect::ReadOnly, access);
  uint8_t *content = memory.content(address);
  size_t count = memory.content(address + bytes - 1) - content + 1;
  bool mayRace = checks.races && !isReadOnly;
  checkCells(thread,
             {content, mayRace ? memory.history(address) : nullptr, count},
             access);
  if (site.kind == SiteKind::Release)
    release(thread, address);
}

//===----------------------------------------------------------------------===//
// In which order
//===----------------------------------------------------------------------===//

/// What the block did before now, and what it knows of others.
void Block::release(ThreadState &thread, uint64_t address) {
  Moment now = {thread.number, barrierClock_, warpOf(thread).clock};
  std::vector<Order> known;
  for (const Order &order : orders_)
    if (now.isBehind(order.seenBy, order.seenAt))
      known.push_back(order);
  known.push_back({run_, now, 0, 0});
  launch_->publish(address, std::move(known));
}

/// A block that waits for one that has failed would wait for ever.
void Block::acquire(ThreadState &thread, uint64_t address) {
  if (launch_->hasFailed())
    abandon(thread);
  for (Order order : launch_->published(address, thread.releases)) {
    order.seenBy = thread.number;
    order.seenAt = clock_;
    // A thread that waits acquires again and again.
    auto isSame = [&](const Order &known) {
      return known.run == order.run && known.released == order.released;
    };
    if (std::none_of(orders_.begin(), orders_.end(), isSame))
      orders_.push_back(order);
  }
}

//===----------------------------------------------------------------------===//
// What
//===----------------------------------------------------------------------===//

void Block::checkCells(ThreadState &thread, const Cells &cells,
                       const Access &access) {
  // The shared window is as aligned as any access may require.
  if (launch_->options.checks.alignment &&
      access.address % access.site.alignment != 0)
    failAs(thread, Defect::Misaligned, access);
  checkContent(thread, cells, access);
  if (cells.history && clock_ < Stamp::kMaxClock)
    checkRaces(thread, cells, access);
}

/// Overwrites what was there, and is no atomic.
static bool isPlainWrite(SiteKind kind) {
  return kind == SiteKind::Store || kind == SiteKind::PhaseInit;
}

void Block::checkContent(ThreadState &thread, const Cells &cells,
                         const Access &access) {
  constexpr auto kGuard = static_cast<uint8_t>(MemoryContent::Guard);
  constexpr auto kWritten = static_cast<uint8_t>(MemoryContent::Written);
  const Checks &checks = launch_->options.checks;
  SiteKind kind = access.site.kind;
  bool isStore = isPlainWrite(kind) || kind == SiteKind::Release;
  for (size_t i = 0; i < cells.count; ++i) {
    uint8_t content = cells.content[i];
    if (content == kWritten)
      continue;
    if (content == kGuard && checks.bounds)
      failAs(thread, Defect::OutOfBounds, access);
    if (!isStore && checks.uninitialized)
      failAs(thread, Defect::Uninitialized, access);
    if (isStore)
      cells.content[i] = kWritten;
  }
}

//===----------------------------------------------------------------------===//
// Who else
//===----------------------------------------------------------------------===//

const Site *Launch::siteAt(uint64_t &place) const {
  constexpr int kSpins = 1 << 20;
  Concurrent shared(place);
  for (int spin = 0; spin < kSpins; ++spin) {
    uint64_t known = shared.load(std::memory_order_relaxed);
    // Places of earlier launches belong to other kernels.
    if (known >> 32 >= firstRun)
      return reinterpret_cast<const Site *>(reinterpret_cast<intptr_t>(image) +
                                            static_cast<int32_t>(known));
  }
  return nullptr;
}

void Block::failAsRace(ThreadState &thread, const Access &access, Stamp earlier,
                       uint64_t &place) {
  Violation race = violationOf(Defect::Race, thread, access);
  race.other = {int64_t(earlier.run()) - launch_->firstRun, earlier.thread(),
                launch_->siteAt(place)};
  fail(thread, race);
}

static bool isSameThread(Stamp stamp, const Observer &now) {
  return stamp.run() == now.run && stamp.thread() == now.thread;
}

/// Adds an access to those that `cell` stands for; returns what was there.
/// Publishing comes before looking at the other side's stamp: of two accesses
/// at one time, one sees the other.
static Stamp record(uint64_t &cell, const Observer &now, bool isAtomic,
                    bool isShared) {
  if (isShared) {
    Stamp known(cell);
    cell = merge(known, now, isAtomic).bits();
    return known;
  }
  Concurrent shared(cell);
  uint64_t known = shared.load(std::memory_order_relaxed);
  for (;;) {
    Stamp merged = merge(Stamp(known), now, isAtomic);
    if (shared.compare_exchange_weak(known, merged.bits()))
      return Stamp(known);
  }
}

/// A write replaces what was there: later accesses are compared with it.
static Stamp replace(uint64_t &cell, const Observer &now, bool isShared) {
  uint64_t stamp = now.stamp(/*isAtomic=*/false).bits();
  if (isShared)
    return Stamp(std::exchange(cell, stamp));
  return Stamp(Concurrent(cell).exchange(stamp));
}

void Block::checkRead(ThreadState &thread, History &history,
                      const Observer &now, const Access &access) {
  Stamp earlier =
      record(history.read, now, /*isAtomic=*/false, access.isShared);
  if (!isSameThread(earlier, now))
    Concurrent(history.otherRead)
        .store(earlier.bits(), std::memory_order_relaxed);
  Concurrent(history.readPlace)
      .store(launch_->placeOf(run_, &access.site), std::memory_order_relaxed);
  Stamp write(Concurrent(history.write).load());
  if (conflictOf(write, now) != Conflict::None)
    failAsRace(thread, access, write, history.writePlace);
}

void Block::checkWrite(ThreadState &thread, History &history,
                       const Observer &now, const Access &access) {
  bool isAtomic = !isPlainWrite(access.site.kind);
  Stamp write = isAtomic ? record(history.write, now, true, access.isShared)
                         : replace(history.write, now, access.isShared);
  if (!(isAtomic && write.isAtomic()) &&
      conflictOf(write, now) != Conflict::None)
    failAsRace(thread, access, write, history.writePlace);
  Concurrent(history.writePlace)
      .store(launch_->placeOf(run_, &access.site), std::memory_order_relaxed);
  Stamp read(Concurrent(history.read).load());
  if (conflictOf(read, now) == Conflict::None)
    return;
  if (isSameThread(read, now))
    read = Stamp(Concurrent(history.otherRead).load());
  failAsRace(thread, access, read, history.readPlace);
}

void Block::checkRaces(ThreadState &thread, const Cells &cells,
                       const Access &access) {
  Observer now{access.isShared ? run_ : launch_->firstRun,
               run_,
               thread.number,
               clock_,
               barrierClock_,
               warpOf(thread).clock,
               orders_,
               thread.seen};
  bool isLoad = access.site.kind == SiteKind::Load;
  History before = {};
  for (size_t i = 0; i < cells.count; ++i) {
    History &history = cells.history[i];
    // Granules of a number are used together, mostly: what held of the one
    // before holds of this one. Global memory has other users meanwhile.
    if (i > 0 && access.isShared && history == before) {
      history = cells.history[i - 1];
      continue;
    }
    if (access.isShared)
      before = history;
    if (isLoad)
      checkRead(thread, history, now, access);
    else
      checkWrite(thread, history, now, access);
  }
}

} // namespace mamba::simt
