//===- DefaultGradients.cpp - Default schedules of gradients --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultGradients.h"

#include "passes/DefaultChunks.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir::ssm;

/// True where a multiprocessor has room for as many blocks as the occupancy
/// says.
static bool fitsShare(const GpuScheduleFields &schedule, const Problem &problem,
                      const GpuTarget &target, const Occupancy &occupancy) {
  return sharedBytesOf(schedule, problem) <=
         sharedShare(occupancy, schedule.warpsD, target);
}

int64_t mlir::ssm::fewestLanes(const Problem &problem,
                               const Occupancy &occupancy) {
  int64_t lanes = problem.savedEvery / occupancy.items;
  bool isTile = lanes >= 1 && lanes <= 32 && (lanes & (lanes - 1)) == 0 &&
                lanes * occupancy.items == problem.savedEvery;
  return isTile ? std::max<int64_t>(lanes, 2) : 2;
}

/// States of a trip, and lanes along L, where two pairs of states share
/// addresses and numbers that are not packed leave registers for them: 2 to 7 %
/// less time at eight shapes with chunks and at four without, 0.5 % more at one
/// (bench/NOTES.md). 32 states leave no room for a second block (953 us for 752
/// at (8, 2048, 1024)).
static constexpr int64_t kWideStates = 4, kWideLanes = 4, kMostWide = 16;

static bool mayWiden(const Problem &problem) {
  return problem.sumsChannels() && problem.states % kWideStates == 0 &&
         problem.states <= kMostWide;
}

int64_t mlir::ssm::lanesOfChunks(const Problem &problem) {
  return mayWiden(problem) ? kWideLanes : 2;
}

void mlir::ssm::widenTrips(GpuScheduleFields &schedule, const Problem &problem,
                           const GpuTarget &target, const Occupancy &occupancy,
                           bool isSplit) {
  if (!problem.replays || schedule.lanes != kWideLanes || !mayWiden(problem))
    return;
  GpuScheduleFields wide = schedule;
  wide.unroll = kWideStates;
  wide.stages = 1;
  wide.packed = 0;
  // Chunks that start independently gain nothing by it (1 % less without), nor
  // does memory with channels side by side (815 us for 849, (8, 2048, 2048)).
  wide.apart = isSplit || problem.areChannelsNeighbours ? 1 : 2;
  // 812 us for 866 without copies with fp32 ((8, 2048, 2048), saved states),
  // but 882 for 823 where channels lie side by side.
  bool copies = problem.stagedHalves > 0 || problem.areChannelsNeighbours;
  if (!copies || !fitsShare(wide, problem, target, occupancy))
    wide.prefetch = 0;
  if (fitsShare(wide, problem, target, occupancy))
    schedule = wide;
}

/// Gradients of many states: copied steps, or few lanes, whose channels have
/// rows of all states, take the shared memory of a second block, which is worth
/// more than either (64 states: 3,000 us from saved states and 3,795 without,
/// for 3,946 and 4,910 by one block with copied steps).
void mlir::ssm::fitSecondBlock(GpuScheduleFields &schedule,
                               const Problem &problem, const GpuTarget &target,
                               const Occupancy &occupancy) {
  auto fits = [&](const GpuScheduleFields &choice) {
    return fitsShare(choice, problem, target, occupancy);
  };
  bool isGrouped = statesOfGroup(problem.states, schedule.unroll,
                                 schedule.stages) < problem.states;
  bool hasBlocks = blocksOf(schedule, problem) > target.multiprocessors;
  if (!problem.sumsChannels() || !isGrouped || !hasBlocks || fits(schedule))
    return;
  constexpr int64_t kMostLanes = 4;
  int64_t steps = static_cast<int64_t>(llvm::PowerOf2Ceil(problem.length));
  GpuScheduleFields choice = schedule;
  if (choice.prefetch == 2)
    choice.prefetch = 0;
  // Tiles begin where states were saved.
  bool mayTakeLanes = problem.savedEvery == 0;
  while (mayTakeLanes && !fits(choice) && choice.lanes < kMostLanes &&
         2 * choice.tileSteps() <= steps)
    choice.lanes *= 2;
  if (fits(choice))
    schedule = choice;
}

/// Gradients of eight or more lanes along L, which have few channels a block,
/// and many partial sums over channels: one block of eight warps in place of
/// two of four has half of these, 3 to 9 % less time with 8 lanes and 6 to 13 %
/// with 16 (bench/NOTES.md). Blocks of four lanes lose as much by waiting for
/// more warps.
void mlir::ssm::joinBlocks(GpuScheduleFields &schedule, const Problem &problem,
                           const GpuTarget &target,
                           const Occupancy &occupancy) {
  constexpr int64_t kManyLanes = 8;
  if (!problem.sumsChannels() || schedule.lanes < kManyLanes)
    return;
  GpuScheduleFields joined = schedule;
  joined.warpsD *= 2;
  bool isHalf = 32 * joined.warpsD <= occupancy.threads &&
                joined.tileChannels() <= problem.channels;
  // A GPU with fewer blocks than multiprocessors would rest in part.
  bool fillsGpu = 8 * blocksOf(joined, problem) * joined.chunks >=
                  7 * target.multiprocessors;
  if (isHalf && fillsGpu &&
      sharedBytesOf(joined, problem) <= target.sharedBytes)
    schedule = joined;
}
