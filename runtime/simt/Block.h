//===- Block.h - The threads of a block, taking turns -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block runs on one host thread: each of its threads is a fiber that runs
// until it must wait for others. The runtime's services are the member
// functions that kernels call.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_BLOCK_H
#define MAMBA_RUNTIME_SIMT_BLOCK_H

#include "runtime/simt/Copies.h"
#include "runtime/simt/Fiber.h"
#include "runtime/simt/Launch.h"

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace mamba::simt {

class Block;

/// What a thread does while it does not run.
enum class Wait : uint8_t { Ready, Barrier, Warp, Phase, Exited };

using WarpClocks = std::array<uint32_t, kMaxThreads / kWarpSize>;

/// A barrier in shared memory (mbarrier).
struct PhaseBarrier {
  uint32_t count = 0;   ///< Arrivals that end a phase,
  uint32_t pending = 0; ///< and those that are still to come.
  uint32_t ended = 0;   ///< Phases.
  /// What those who arrived had done and seen, as ThreadState::seen: of the
  /// phases that ended, and of the one that goes on.
  WarpClocks released = {};
  WarpClocks gathered = {};
};

/// A simulated thread: what its kernel sees, and the rest.
struct ThreadState : Thread {
  Block *block = nullptr;
  Fiber fiber;
  uint32_t number = 0;
  Wait wait = Wait::Exited;
  /// Where it waits.
  const Site *site = nullptr;
  uint32_t barrier = 0;
  /// Operands and results of a warp's operation.
  uint32_t mask = 0;
  uint32_t value = 0;
  uint32_t lane = 0;
  uint32_t clamp = 0;
  uint64_t result = 0;
  /// The mbarrier that it used last, or waits for: its offset in shared memory.
  uint64_t phases = 0;
  /// By warp: what it did before this time is ordered before what this thread
  /// does now, since this thread waited for a phase.
  WarpClocks seen = {};
  Copies copies;
  /// Releases of the launch that it has waited for.
  uint64_t releases = 0;

  uint32_t laneNumber() const { return number % kWarpSize; }
  uint32_t warpNumber() const { return number / kWarpSize; }
};

/// What a thread is about to do to memory: most accesses are no violation, and
/// need no more.
struct Access {
  const Site &site;
  /// Its offset in shared memory, or an address in global memory.
  uint64_t address;
  uint64_t bytes;
  bool isShared;
};

/// What is known of some bytes of memory, granule by granule.
struct Cells {
  uint8_t *content;
  /// Null where races are not looked for.
  History *history;
  size_t count;
};

/// Runs blocks, one after another, of at most as many threads as it was made
/// for. For one host thread at a time.
class Block {
public:
  static Result<std::unique_ptr<Block>> create(uint32_t maxThreads);
  uint32_t maxThreads() const { return static_cast<uint32_t>(threads_.size()); }

  /// Runs block `index`, the `order`th of its launch. A defect is reported to
  /// the launch, and the block is given up.
  void run(Launch &launch, int64_t index, int64_t order);

  // Services, called by kernels on their fibers.
  void access(ThreadState &thread, const void *address, uint64_t bytes,
              const Site &site);
  void barrier(ThreadState &thread, uint32_t id, uint32_t count,
               const Site &site);
  uint64_t exchange(ThreadState &thread, uint32_t mask, uint32_t value,
                    uint32_t lane, uint32_t clamp, const Site &site);
  void initPhases(ThreadState &thread, const void *address, uint32_t count,
                  const Site &site);
  void arrive(ThreadState &thread, const void *address, const Site &site);
  void waitForPhase(ThreadState &thread, const void *address, uint32_t parity,
                    const Site &site);

private:
  struct Barrier {
    uint32_t arrived = 0;
    uint32_t first = 0; ///< The thread that came first.
  };
  /// Sets of lanes, a bit each.
  struct Warp {
    uint32_t gone = 0;    ///< Have exited, or never were.
    uint32_t waiting = 0; ///< Wait in an operation of the warp.
    uint32_t clock = 0;   ///< When the whole warp last synchronized.
  };

  Block(std::unique_ptr<FiberStacks> stacks);

  // Scheduling: Block.cpp.
  static void runThread(void *state);
  void start();
  void startThread(ThreadState &thread);
  void prepare(ThreadState &thread);
  void shuffleOrder();
  void makeReady(ThreadState &thread);
  ThreadState *takeReady();
  void suspend(ThreadState &thread, Wait wait, const Site &site);
  void switchAway(ThreadState &thread);
  void finish(ThreadState &thread);
  void release(uint32_t barrier);
  void tick();
  void startWarps();
  void resolveStuck();
  void giveUp(const Violation &violation);
  [[noreturn]] void fail(ThreadState &thread, const Violation &violation);
  [[noreturn]] void abandon(ThreadState &thread);
  Party partyOf(const ThreadState &thread) const;
  Violation violation(Defect defect, const ThreadState &thread,
                      const Site &site) const;

  // Operations of a warp: WarpOperations.cpp.
  Warp &warpOf(const ThreadState &thread) {
    return warps_[thread.warpNumber()];
  }
  ThreadState *laneOf(const ThreadState &thread, uint32_t lane);
  bool isWaitingWith(const ThreadState &lane, const ThreadState &thread) const;
  uint32_t lanesWaitingWith(const ThreadState &thread);
  std::optional<Party> missingLane(const ThreadState &thread, bool isStuck);
  void checkLanes(ThreadState &thread);
  void complete(const ThreadState &thread, uint32_t lanes);
  uint64_t shuffled(const ThreadState &thread, uint32_t lanes);
  uint64_t voted(const ThreadState &thread, uint32_t lanes);

  // Barriers in shared memory: Phases.cpp.
  void accessPhases(ThreadState &thread, const void *address, const Site &site);
  PhaseBarrier &phasesAt(ThreadState &thread, const void *address,
                         const Site &site);
  void endPhase(uint64_t offset, PhaseBarrier &barrier);
  void shareSeen(const ThreadState &thread);
  void resolvePhases();

  // Checks of accesses: Access.cpp.
  void accessShared(ThreadState &thread, uint64_t offset, uint64_t bytes,
                    const Site &site);
  void accessGlobal(ThreadState &thread, uint64_t address, uint64_t bytes,
                    const Site &site);
  void checkCells(ThreadState &thread, const Cells &cells,
                  const Access &access);
  void checkContent(ThreadState &thread, const Cells &cells,
                    const Access &access);
  void checkRaces(ThreadState &thread, const Cells &cells,
                  const Access &access);
  void checkRead(ThreadState &thread, History &history, const Observer &now,
                 const Access &access);
  void checkWrite(ThreadState &thread, History &history, const Observer &now,
                  const Access &access);
  void release(ThreadState &thread, uint64_t address);
  void acquire(ThreadState &thread, uint64_t address);
  Violation violationOf(Defect defect, const ThreadState &thread,
                        const Access &access) const;
  [[noreturn]] void failAs(ThreadState &thread, Defect defect,
                           const Access &access);
  [[noreturn]] void failAsRace(ThreadState &thread, const Access &access,
                               Stamp earlier, uint64_t &place);

  std::unique_ptr<FiberStacks> stacks_;
  std::vector<ThreadState> threads_;
  Fiber home_;

  // The block that runs.
  Launch *launch_ = nullptr;
  int64_t index_ = 0;
  int64_t order_ = 0;
  uint32_t run_ = 0;
  uint32_t size_ = 0;
  uint32_t exited_ = 0;
  bool hasFailed_ = false;
  std::vector<uint32_t> permutation_;
  /// A ring of the threads that can go on.
  std::vector<uint32_t> ready_;
  size_t firstReady_ = 0;
  size_t numReady_ = 0;
  std::array<Barrier, 16> barriers_;
  /// By offset in shared memory.
  std::unordered_map<uint64_t, PhaseBarrier> phases_;
  uint32_t clock_ = 0;
  uint32_t barrierClock_ = 0;
  /// What other blocks did before what this one does now.
  std::vector<Order> orders_;
  std::array<Warp, kMaxThreads / kWarpSize> warps_;

  // Its shared memory.
  std::vector<std::byte> sharedStorage_;
  std::byte *shared_ = nullptr;
  std::vector<uint8_t> sharedContent_;
  std::vector<History> sharedHistory_;
};

/// The table of services, for Thread::services.
extern const Services kServices;

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_BLOCK_H
