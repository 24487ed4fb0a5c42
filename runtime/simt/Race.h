//===- Race.h - Who used a piece of memory last -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two accesses race if nothing orders them: within a block barriers do,
// between blocks of a launch nothing does. Each piece of memory remembers its
// last write and a summary of the reads since; a stamp says who and when.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_RACE_H
#define MAMBA_RUNTIME_SIMT_RACE_H

#include "runtime/simt/Abi.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace mamba::simt {

/// Bytes that share a stamp: the smallest element that kernels use.
inline constexpr uint64_t kGranuleBytes = 2;

/// Blocks are numbered over all launches: a stamp of an earlier launch has a
/// smaller run.
inline constexpr uint32_t kMaxRuns = 1u << 28;

/// One access, or several that were merged. Zero: none.
class Stamp {
public:
  Stamp() = default;
  explicit Stamp(uint64_t bits) : bits_(bits) {}
  /// `run` > 0.
  Stamp(uint32_t run, uint32_t thread, uint32_t clock, bool isAtomic)
      : bits_(uint64_t(run) << 36 | uint64_t(thread) << 26 |
              uint64_t(clock) << 4 | (isAtomic ? kAtomic : 0)) {}

  /// Times that a stamp can tell apart; blocks that synchronize more often are
  /// not checked for races from then on.
  static constexpr uint32_t kMaxClock = (1u << 22) - 1;

  uint64_t bits() const { return bits_; }
  uint32_t run() const { return static_cast<uint32_t>(bits_ >> 36); }
  uint32_t thread() const { return bits_ >> 26 & 0x3ff; }
  uint32_t clock() const { return bits_ >> 4 & kMaxClock; }
  bool isAtomic() const { return bits_ & kAtomic; }
  /// Other threads of the warp, other warps, other blocks besides.
  bool hasThreads() const { return bits_ & kThreads; }
  bool hasWarps() const { return bits_ & kWarps; }
  bool hasBlocks() const { return bits_ & kBlocks; }

  Stamp with(uint64_t flags) const { return Stamp(bits_ | flags); }

  static constexpr uint64_t kAtomic = 1, kThreads = 2, kWarps = 4, kBlocks = 8;

private:
  uint64_t bits_ = 0;
};

/// The last write and the reads of a granule, as stamps, and the instructions
/// that did them. Zero: nobody.
struct History {
  uint64_t write;
  uint64_t read;
  /// The latest read by another thread than that of `read`, for messages.
  uint64_t otherRead;
  /// Launch::placeOf() the instructions; written after the stamps.
  uint64_t writePlace;
  uint64_t readPlace;

  bool operator==(const History &) const = default;
};

/// A moment of a thread: its number, and when its block and its warp last met
/// before it.
struct Moment {
  uint32_t thread;
  uint32_t blockClock;
  uint32_t warpClock;

  bool operator==(const Moment &) const = default;
  /// What `other` thread of the block did at `clock` comes before this moment.
  bool isBehind(uint32_t other, uint32_t clock) const {
    bool isSameWarp = other / kWarpSize == thread / kWarpSize;
    return other == thread || clock < (isSameWarp ? warpClock : blockClock);
  }
};

/// That what one block did before a release is ordered before what another does
/// after it acquired what was released.
struct Order {
  uint32_t run;    ///< The block that released.
  Moment released; ///< In that block.
  uint32_t seenBy; ///< The thread that acquired,
  uint32_t seenAt; ///< and the time of its block.
};

/// When a thread last synchronized; accesses stamped earlier are ordered before
/// what it does now.
struct Observer {
  uint32_t firstRun;             ///< Of the launch.
  uint32_t run;                  ///< The thread's block.
  uint32_t thread;               ///< Its number in the block.
  uint32_t clock;                ///< The block's time now.
  uint32_t blockClock;           ///< When the block last met at a barrier.
  uint32_t warpClock;            ///< When the whole warp last synchronized.
  std::span<const Order> orders; ///< What the block has acquired.
  /// By warp of the block: the time before which what it did is ordered before
  /// this, though the block has not met since.
  std::span<const uint32_t> seen = {};

  Moment moment() const { return {thread, blockClock, warpClock}; }

  /// All that the stamp stands for came before, whatever this block has met
  /// at: in an earlier launch, or in another block and released to this one.
  bool isBehind(Stamp earlier) const {
    if (earlier.run() < firstRun)
      return true;
    if (earlier.run() == run || earlier.hasBlocks())
      return false;
    for (const Order &order : orders)
      if (order.run == earlier.run() &&
          order.released.isBehind(earlier.thread(), earlier.clock()) &&
          moment().isBehind(order.seenBy, order.seenAt))
        return true;
    return false;
  }

  Stamp stamp(bool isAtomic) const {
    return Stamp(run, thread, clock, isAtomic);
  }
};

enum class Conflict : uint8_t { None, Threads, Blocks };

/// How the accesses of `earlier` and one of `now` conflict, if one of them
/// writes.
inline Conflict conflictOf(Stamp earlier, const Observer &now) {
  if (now.isBehind(earlier))
    return Conflict::None;
  if (earlier.run() != now.run || earlier.hasBlocks())
    return Conflict::Blocks;
  bool isSameWarp = earlier.thread() / kWarpSize == now.thread / kWarpSize &&
                    !earlier.hasWarps();
  if (earlier.thread() == now.thread && !earlier.hasThreads() &&
      !earlier.hasWarps())
    return Conflict::None;
  uint32_t ordered = isSameWarp ? now.warpClock : now.blockClock;
  if (!isSameWarp && !earlier.hasWarps() && !now.seen.empty())
    ordered = std::max(ordered, now.seen[earlier.thread() / kWarpSize]);
  return earlier.clock() < ordered ? Conflict::None : Conflict::Threads;
}

/// `earlier` with one more access of its kind: what later ones are compared
/// with.
inline Stamp merge(Stamp earlier, const Observer &now, bool isAtomic) {
  Stamp stamp = now.stamp(isAtomic);
  if (now.isBehind(earlier))
    return stamp;
  if (earlier.run() != now.run || earlier.hasBlocks())
    return stamp.with(Stamp::kBlocks);
  if (conflictOf(earlier, now) == Conflict::None)
    return stamp;
  bool isSameWarp = earlier.thread() / kWarpSize == now.thread / kWarpSize;
  uint64_t flags = (earlier.hasThreads() ? Stamp::kThreads : 0) |
                   (earlier.hasWarps() || !isSameWarp ? Stamp::kWarps : 0) |
                   (earlier.thread() != now.thread ? Stamp::kThreads : 0);
  return stamp.with(flags);
}

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_RACE_H
