//===- ScanLevels.h - The levels of a parallel scan -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A segment of the recurrence h_t = a_t h_(t-1) + b_t is a pair (a, b): the
// state behind it is a h + b. Segments combine associatively,
//   (a1, b1) then (a2, b2) = (a1 a2, a2 b1 + b2),
// which a tile's scan uses at three levels (Blelloch, "Prefix sums and their
// applications", 1990): items of a thread in registers, lanes of a warp by
// shuffles, warps of a block in shared memory: few meet at once, more by an
// up-sweep and a down-sweep.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_SCANLEVELS_H
#define MAMBA_CODEGEN_GPU_SCANLEVELS_H

#include "codegen/gpu/Operands.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::ssm {

/// A segment: its decay a and what it adds, b.
struct Segment {
  Number decay;
  Number carry;
};

/// The first segment of words that wordsOf made of its decay and its carry;
/// takes them.
Segment takeSegment(ArrayRef<Value> &words, bool isComplex);

/// (a1, b1) then (a2, b2).
Segment combine(Emit &e, const Segment &first, const Segment &second);

/// One recurrence at one state, over the steps of a thread.
struct LocalScan {
  SmallVector<Number> a;
  SmallVector<Number> b;
  /// Steps are a (h + b), not a h + b.
  bool addsFirst = false;
  /// Product of a, where something cheaper than the product is known.
  std::optional<Number> decay;
  /// State before the tile, the same in all threads of a channel.
  Number carry;
  Value row;          ///< i32 channel within the block's tile.
  int64_t number = 0; ///< Among the scans of one channel that run together.

  /// This thread's steps, from `begin`; unset where they need no such pass.
  std::optional<Segment> own;

  // Results of `finish`.
  Number start;                ///< State before this thread's steps.
  SmallVector<Number> states;  ///< After each step; empty if not asked for.
  SmallVector<Number> entered; ///< The sums h + b, of steps that add first.
  Segment tile; ///< The tile so far, this thread's steps included.
  Number end;   ///< State after this thread's steps.

  /// Before each step; empty if not asked for.
  SmallVector<Number> statesBefore() const {
    if (states.empty())
      return {};
    SmallVector<Number> before = {start};
    before.append(states.begin(), states.end() - 1);
    return before;
  }
};

/// Scans the steps of a tile. All threads that share it call `begin` and
/// `finish` together.
class ScanLevels {
public:
  /// `lanes` have the segments of a warp; each is `segmentStride` from the
  /// next.
  ScanLevels(Emit &e, Kernel &kernel, SharedMemory &memory, const Place &place,
             ScheduleAttr schedule, int64_t lanes, int64_t segmentStride);

  /// False where a thread has all steps of its channel, so that states need no
  /// carry from elsewhere.
  bool joinsSegments(bool needStates) const;
  /// Makes segments of this thread's steps, where others need them. May run
  /// before the scans in front of these have finished. `needStates`: see below.
  void begin(MutableArrayRef<LocalScan> scans, bool needStates);
  /// Ends the scans, side by side. `slot` (i32) alternates between successive
  /// calls where warps meet in shared memory. `needStates` asks for `states`.
  /// `isMirrored`: the scan comes from the other end of the tile.
  void finish(MutableArrayRef<LocalScan> scans, Value slot, bool needStates,
              bool isMirrored = false);

  /// True in the threads that hold the last steps of a scan of the tile.
  Value isLastSegment(bool isMirrored = false) const;
  /// Changes nothing: a = 1 and b = 0.
  Segment identityLike(const Segment &segment);

private:
  Number stepFrom(LocalScan &scan, size_t k, const Number &h);
  Segment scanItems(LocalScan &scan);
  void finishInWarp(MutableArrayRef<LocalScan> scans);
  SmallVector<Number> statesBefore(ArrayRef<Segment> segments, int64_t group);
  SmallVector<Number> splitPairs(ArrayRef<Segment> segments, int64_t group);
  void passStates(MutableArrayRef<Segment> segments, int64_t group);
  void scanLanes(MutableArrayRef<Segment> segments);
  Number stateBefore(const Number &end, const Number &start);
  Number scanFrom(LocalScan &scan, Number h);
  SmallVector<Segment> scanWarps(ArrayRef<LocalScan> scans,
                                 ArrayRef<Segment> inclusive, Value slot);
  SmallVector<Segment> meetAtOnce(Value base, ArrayRef<LocalScan> scans);
  void upSweep(Value base, int64_t scans);
  void downSweep(Value base, int64_t scans);
  void sweepLevel(Value base, int64_t scans, int64_t distance, bool down);
  Number shuffle(Number number, int64_t segments, gpu::ShuffleMode mode);
  Number shuffleUp(Number number, int64_t segments);
  Number swapGroups(Number number, int64_t group);
  Value laneSegment();
  Value warpSegment();
  Value meetingAddress(Value base, Value scan, Value warp, Value row);
  Segment loadSegment(Value address);
  void storeSegment(const Segment &segment, Value address);

  Emit &e;
  Kernel &kernel;
  SharedMemory &memory;
  const Place &place;
  ScheduleAttr schedule;
  int64_t numLanes;
  int64_t segmentStride;
  /// Words of a segment's number: 1, or 2 where it is complex.
  int64_t words = 1;
  /// Of the scans that are being finished.
  bool mirrored = false;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_SCANLEVELS_H
