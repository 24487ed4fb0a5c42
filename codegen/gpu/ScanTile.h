//===- ScanTile.h - What is known of a tile being emitted -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The numbers that ScanKernel has emitted, by where they are good: in a tile,
// in a trip over its states, in all tiles of a channel.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_SCANTILE_H
#define MAMBA_CODEGEN_GPU_SCANTILE_H

#include "codegen/gpu/ScanLevels.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::ssm {

/// K numbers, one a step of the thread; or one, the same for all steps. In
/// loops over n, a thread may have more steps than outside (Split.cpp).
using ScanSteps = SmallVector<Number>;

/// A table of one number a channel and state in shared memory.
struct ScanTable {
  int64_t re = 0;
  int64_t im = -1;
  bool perState = false;
};

/// What a thread has loaded of its run number `item` of a staged tile.
struct ScanAheadValue {
  BlockArgument argument;
  int64_t item;
  SmallVector<Value> raw;
};

/// What is known while a tile is emitted.
struct ScanTile {
  Value number; ///< i64.
  Value start;  ///< i64 first position of the tile.
  Value first;  ///< i64 first position of the thread; where it has none, and
                ///< hasWholeRuns(), that of the last run.
  Value inside; ///< i1: the thread's steps exist. Only if hasWholeRuns().
  Value turn;   ///< i32 how many tiles the team has done before.
  Value slot;   ///< i32 alternates between the team's tiles.
  Value isFull; ///< i1, one for all threads: no step is past the end.
  SmallVector<ScanAheadValue> ahead; ///< What it will stage, loaded already.
  SmallVector<Value> checkpoints;    ///< Words of requestCheckpoints().
  /// By channel of the thread; `sums` of step values over its steps.
  SmallVector<llvm::DenseMap<Value, ScanSteps>, 2> steps;
  SmallVector<llvm::DenseMap<Value, Number>, 2> sums;
  /// Step values as loops over n read them, where lanes split the states.
  SmallVector<llvm::DenseMap<Value, ScanSteps>, 2> spread;
  /// By channel: the weights of weighSteps(), by the recurrence's state.
  SmallVector<llvm::DenseMap<Value, ScanSteps>, 2> weights;
};

/// What is known of one of the thread's channels in all tiles.
struct ScanChannelValues {
  llvm::DenseMap<Value, Number> invariants;
  llvm::DenseMap<Value, Value> bases;
};

/// What is known in one trip of a loop over n, for `count` states.
struct ScanStates {
  ScanTile &tile;
  int64_t count;
  SmallVector<Value> states; ///< i32, in the order of this thread.
  Value done;                ///< i32 states of the lane before.
  /// i32 number of the trip.
  Value trip(Emit &e) const { return e.div(done, count); }
  /// By state of the trip, then by channel.
  SmallVector<llvm::DenseMap<Value, ScanSteps>> values;
  /// The scans of each recurrence, by state of the trip, then by channel.
  llvm::MapVector<Operation *, std::vector<LocalScan>> scans;
  bool swapsPairs = false; ///< As the loop's.
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_SCANTILE_H
