//===- ScanKernelSplit.cpp - Lanes that split the states ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Outside of loops over n, the lanes of a channel have its steps, one segment
// each. In these loops they may have its states instead: each then scans all
// steps of the tile at its own states, and no segments have to be joined.
//
//   steps     lane 0: 0 .. K-1      lane 1: K .. 2K-1
//     spread  both: 0 .. 2K-1
//   states    lane 0: n = 0, 2, ..  lane 1: n = 1, 3, ..
//     collect lane 0: 0 .. K-1      lane 1: K .. 2K-1, summed over both's n
//
// Both go by halves, over lanes that differ in one bit of their number.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

using namespace mlir;
using namespace mlir::ssm;

/// States that a lane scans.
int64_t ScanKernel::ownStates() {
  return fused.stateExtent() / schedule.stateLanes();
}

/// The lane's first state (i32) of the trip behind `done` of its states: lanes
/// take neighbouring trips, so that they read other banks of shared memory.
Value ScanKernel::firstStateOf(Value done, int64_t together) {
  if (!splits())
    return done;
  return e.add(e.mul(done, schedule.getLanes()),
               e.mul(at.laneSegment, together));
}

/// The thread's first position (i64) in a loop over n.
Value ScanKernel::firstInLoop(const Tile &tile) const {
  return splits() ? tile.start : tile.first;
}

/// True in the lanes that come second of those that differ in bit `group`.
Value ScanKernel::isUpper(int64_t group) {
  return e.equals(e.rem(e.div(at.laneSegment, group), 2), 1);
}

/// All steps of the tile, in each lane, of what each has its own steps of.
ScanKernel::Steps ScanKernel::spread(ArrayRef<Number> own) {
  Steps steps(own);
  for (int64_t group = 1; group < schedule.stateLanes(); group *= 2) {
    Value upper = isUpper(group);
    Steps first, second;
    for (const Number &number : steps) {
      Number other = e.swapLanes(number, group * laneOrder.segmentStride());
      first.push_back(e.select(upper, other, number));
      second.push_back(e.select(upper, number, other));
    }
    steps = std::move(first);
    steps.append(second);
  }
  return steps;
}

/// The lane's own steps, summed over the lanes, of what each has all steps of.
ScanKernel::Steps ScanKernel::collect(Steps sums) {
  for (int64_t group = schedule.stateLanes() / 2; group >= 1; group /= 2) {
    Value upper = isUpper(group);
    size_t half = sums.size() / 2;
    Steps kept;
    for (size_t k = 0; k < half; ++k) {
      Number own = e.select(upper, sums[k + half], sums[k]);
      Number others = e.select(upper, sums[k], sums[k + half]);
      kept.push_back(
          e.addf(own, e.swapLanes(others, group * laneOrder.segmentStride())));
    }
    sums = std::move(kept);
  }
  return sums;
}

/// The steps of a value without n, as loops over n read them: emitted before.
ScanKernel::Steps ScanKernel::stepsInLoop(Tile &tile, Value value) {
  if (body.home(value) == Home::Invariant)
    return Steps(schedule.stateItems(), invariant(value));
  if (!splits())
    return stepsOf(tile, value);
  auto &known = tile.spread[channel];
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Steps steps = spread(stepsOf(tile, value));
  return known[value] = steps;
}
