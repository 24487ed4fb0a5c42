//===- ScheduleSpace.cpp - Schedules near a schedule ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ScheduleSpace.h"

#include <algorithm>

using namespace mlir::ssm;

namespace {

/// Collects each schedule once, and never the one that the walk is at.
template <typename Fields> struct Steps {
  const Fields from;
  std::vector<Fields> found = {};

  void add(const Fields &fields) {
    if (fields != from &&
        std::find(found.begin(), found.end(), fields) == found.end())
      found.push_back(fields);
  }
  template <typename Change> void change(Change &&body) {
    Fields fields = from;
    body(fields);
    add(fields);
  }
  /// Half of a field and twice of it.
  void scale(int64_t Fields::*field, int64_t most) {
    if (from.*field % 2 == 0)
      change([&](Fields &f) { f.*field /= 2; });
    if (from.*field * 2 <= most)
      change([&](Fields &f) { f.*field *= 2; });
  }
};

using GpuSteps = Steps<GpuScheduleFields>;

} // namespace

/// Exponentials of a thread and state that are polynomials.
static int64_t numFmaExps(const GpuScheduleFields &schedule) {
  int64_t number = 0;
  for (int64_t step = 0; step < schedule.stateItems(); ++step)
    number += isExpOnFma(step, schedule.fmaExps);
  return number;
}

/// Fewer and more of them. More than a few of eight cost more than all
/// exponentials: a dozen instructions each, where an exponential takes eight
/// clocks.
static void changeExponentials(GpuSteps &steps, const Problem &problem) {
  constexpr int64_t kMost = 3;
  if (problem.states <= 1)
    return;
  for (int64_t by : {-1, 1}) {
    GpuScheduleFields next = steps.from;
    do
      next.fmaExps += by;
    while (next.fmaExps > 0 && next.fmaExps < kMost &&
           numFmaExps(next) == numFmaExps(steps.from));
    if (next.fmaExps >= 0 && next.fmaExps <= kMost)
      steps.add(next);
  }
}

static int64_t mostUnrolled(const Problem &problem) {
  return std::min<int64_t>(problem.states, 16);
}

/// How many threads a multiprocessor holds, and so how many registers they
/// have.
static void changeBound(GpuSteps &steps) {
  using Fields = GpuScheduleFields;
  int64_t bounded = steps.from.minBlocks;
  steps.change([&](Fields &f) { f.minBlocks = bounded + 1; });
  if (bounded > 0)
    steps.change([&](Fields &f) { f.minBlocks = bounded - 1; });
  // The bounds that leave a thread 128 and 80 registers: too far to walk to.
  for (int64_t warps : {16, 24})
    if (int64_t blocks = 32 * warps / steps.from.threads();
        bounded == 0 && blocks > 1)
      steps.change([&](Fields &f) { f.minBlocks = blocks; });
}

/// What one thread keeps.
static void changeThread(GpuSteps &steps, const Problem &problem) {
  using Fields = GpuScheduleFields;
  changeBound(steps);
  for (int64_t way : {0, 1, 2})
    steps.change([&](Fields &f) { f.prefetch = way; });
  steps.change([](Fields &f) { f.stages = 3 - f.stages; });
  if (problem.stagedHalves > 0)
    steps.change([](Fields &f) { f.packed = 1 - f.packed; });
  if (problem.sumsChannels()) {
    steps.scale(&Fields::apart, steps.from.channelLanes() / 2);
    // More sums apart pay where more states are under way, whose registers
    // unpacked numbers leave: neither is faster alone.
    if (steps.from.apart * 4 <= steps.from.channelLanes() &&
        steps.from.unroll * 2 <= mostUnrolled(problem))
      steps.change(
          [](Fields &f) { f.apart *= 2, f.unroll *= 2, f.packed = 0; });
  }
  steps.scale(&Fields::unroll, mostUnrolled(problem));
  steps.scale(&Fields::items, 32);
  steps.scale(&Fields::channels, 4);
  // As many chains under way in other shapes.
  if (steps.from.items % 2 == 0 &&
      steps.from.unroll * 2 <= mostUnrolled(problem))
    steps.change([](Fields &f) { f.items /= 2, f.unroll *= 2; });
  if (steps.from.unroll % 2 == 0)
    steps.change([](Fields &f) { f.items *= 2, f.unroll /= 2; });
}

/// How many warps take turns: four at a time, one for each scheduler.
static void changeRelay(GpuSteps &steps) {
  using Fields = GpuScheduleFields;
  constexpr int64_t kSchedulers = 4, kMost = 16;
  for (int64_t warps :
       {steps.from.warpsL - kSchedulers, steps.from.warpsL + kSchedulers})
    if (warps > 1 && warps <= kMost)
      steps.change([&](Fields &f) { f.warpsL = warps, f.minBlocks = 0; });
  // As many of them, in blocks of four that do not wait for each other.
  if (int64_t blocks = steps.from.warpsL / kSchedulers; blocks > 1)
    steps.change(
        [&](Fields &f) { f.warpsL = kSchedulers, f.minBlocks = blocks; });
  steps.change(
      [](Fields &f) { f.warpsD = f.warpsL, f.warpsL = 1, f.relay = 0; });
}

/// How blocks that start independently find what each of them starts from.
static void changeSegments(GpuSteps &steps) {
  using Fields = GpuScheduleFields;
  int64_t parts = steps.from.carryParts, last = steps.from.lastChunk;
  for (int64_t count : {parts - 1, parts + 1, parts * 2, parts / 2})
    if (count >= 1 && count <= kMostCarryParts)
      steps.change([&](Fields &f) { f.carryParts = count; });
  // One more or less of the others with the last chunk.
  if (steps.from.chunks > 2)
    steps.change([](Fields &f) { --f.chunks, ++f.lastChunk; });
  if (last > 1)
    steps.change([](Fields &f) { ++f.chunks, --f.lastChunk; });
}

/// How many blocks share a sequence, and how.
static void changeChunks(GpuSteps &steps) {
  using Fields = GpuScheduleFields;
  int64_t chunks = steps.from.chunks;
  if (steps.from.handoff)
    steps.change([](Fields &f) { f.handoff = 0; });
  else
    steps.change(
        [](Fields &f) { f.handoff = 1, f.carryParts = f.lastChunk = 1; });
  steps.change([](Fields &f) {
    f.chunks = f.carryParts = f.lastChunk = 1, f.handoff = 0;
  });
  for (int64_t count : {chunks * 2, chunks / 2, chunks + 1, chunks - 1})
    if (count > 1)
      steps.change([&](Fields &f) { f.chunks = count; });
  // The same threads, as lanes or as chunks.
  if (chunks % 2 == 0 && chunks > 2)
    steps.change([](Fields &f) { f.lanes *= 2, f.chunks /= 2; });
  if (steps.from.lanes > 1)
    steps.change([](Fields &f) { f.lanes /= 2, f.chunks *= 2; });
  if (!steps.from.handoff)
    changeSegments(steps);
}

/// Who shares a sequence: lanes, warps, or blocks one after the other.
static void changeSharing(GpuSteps &steps, const Problem &problem) {
  using Fields = GpuScheduleFields;
  steps.scale(&Fields::lanes, 32);
  if (steps.from.relay) {
    changeRelay(steps);
  } else {
    steps.scale(&Fields::warpsD, 16);
    steps.scale(&Fields::warpsL, 16);
    // As many warps in half of the blocks, which sum over twice the channels.
    if (steps.from.minBlocks > 0 && steps.from.minBlocks % 2 == 0 &&
        steps.from.warpsD * 2 <= 16)
      steps.change([](Fields &f) { f.warpsD *= 2, f.minBlocks /= 2; });
    // All warps along L.
    if (steps.from.warpsD > 1)
      steps.change([](Fields &f) {
        f.warpsL *= f.warpsD, f.warpsD = 1, f.minBlocks = 0;
      });
    // The warps of a block, in turn.
    for (int64_t warps : {4, 8, 12})
      steps.change([&](Fields &f) {
        f.warpsL = warps, f.warpsD = 1, f.relay = 1;
        f.minBlocks = 0;
      });
  }
  if (problem.isChained)
    return;
  if (steps.from.chunks == 1) {
    for (int64_t count : {2, 4, 8})
      steps.change([&](Fields &f) { f.chunks = count, f.handoff = 1; });
    steps.change([](Fields &f) { f.chunks = 4; });
  } else {
    changeChunks(steps);
  }
}

/// Lanes that have steps in loops over n, or states there, of as many steps.
static void changeSplit(GpuSteps &steps) {
  using Fields = GpuScheduleFields;
  if (steps.from.split)
    steps.change([](Fields &f) { f.items *= f.lanes, f.split = 0; });
  else if (steps.from.items % steps.from.lanes == 0)
    steps.change([](Fields &f) { f.items /= f.lanes, f.split = 1; });
}

/// Lanes that split states as #ssm.schedule demands, or do not.
static bool fitsSplit(const GpuScheduleFields &schedule,
                      const Problem &problem) {
  constexpr int64_t kMostItems = 32;
  return !schedule.split ||
         (schedule.lanes > 1 && schedule.stateItems() <= kMostItems &&
          (schedule.warpsL == 1 || schedule.relay) &&
          maySplitStates(problem, schedule.lanes));
}

/// Tiles of which most is past the problem's end, and what no multiprocessor
/// has room for.
static bool isOfUse(const GpuScheduleFields &schedule, const Problem &problem,
                    const GpuTarget &target) {
  bool hasSteps =
      problem.length < 0 || schedule.tileSteps() * schedule.chunkUnits() <
                                2 * std::max<int64_t>(problem.length, 1);
  bool hasChannels =
      problem.channels < 0 ||
      schedule.tileChannels() < 2 * std::max<int64_t>(problem.channels, 1) ||
      schedule.tileChannels() <= 32;
  return hasSteps && hasChannels && fitsSplit(schedule, problem) &&
         sharedBytesOf(schedule, problem) <= target.sharedBytes;
}

std::vector<GpuScheduleFields>
mlir::ssm::neighboursOf(const GpuScheduleFields &from, const Problem &problem,
                        const GpuTarget &target) {
  GpuSteps steps{from};
  changeThread(steps, problem);
  changeExponentials(steps, problem);
  changeSharing(steps, problem);
  changeSplit(steps);
  std::erase_if(steps.found, [&](const GpuScheduleFields &schedule) {
    return !isOfUse(schedule, problem, target);
  });
  return steps.found;
}

std::vector<CpuScheduleFields>
mlir::ssm::neighboursOf(const CpuScheduleFields &from, const Problem &problem) {
  Steps<CpuScheduleFields> steps{from};
  steps.scale(&CpuScheduleFields::items, 256);
  steps.scale(&CpuScheduleFields::vector, 64);
  if (!problem.isChained) {
    if (from.chunks == 1)
      steps.change([](CpuScheduleFields &f) { f.chunks = 4; });
    steps.scale(&CpuScheduleFields::chunks, 1024);
  }
  return steps.found;
}
