//===- Occupancy.cpp - What the threads of a multiprocessor hold ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Occupancy.h"

using namespace mlir::ssm;

/// 255 and 168 registers a thread: chains that overlap in one thread hide more
/// than other threads do. Without lanes along L a state has one chain and no
/// second pass.
static constexpr Occupancy kOccupancies[] = {
    {384, 16, 4, 1, 0, {1.0}},
    {256, 16, 1, 2, 1, {0, 1.0, 0.9, 0.87, 0.76, 0.63}},
    {384, 8, 2, 2, 1, {0, 0.92, 0.86, 0.84, 0.75, 0.66}},
    {384, 8, 2, 2, 2, {0, 0, 0, 0, 0.77, 0.66}, 0, 1, 1},
    {384, 16, 2, 1, 1, {1.07}, 12},
    {256, 16, 2, 1, 1, {1.0, 0, 0.72}, 8},
    {256, 16, 1, 2, 1, {0, 0.92, 0, 0.63}, 8},
    {384, 8, 2, 2, 1, {0, 0, 0.8}, 12},
    {256, 16, 2, 1, 1, {1.06}, 8, 2, 1},
    {256, 16, 2, 2, 1, {0, 0, 0.84}, 8, 1, 1},
    {256, 16, 2, 1, 1, {1.08}, 4, 2, 1},
    {384, 16, 8, 1, 2, {1.05}},
    {384, 16, 1, 2, 2, {1.11, 0.95, 0.79}, 12},
    {384, 16, 1, 2, 2, {1.1}, 4},
    {384, 8, 1, 2, 2, {0, 1.0}, 12, 1, 0, 1},
    {256, 8, 4, 1, 2, {0, 1.03}, 0, 1, 0, 1}};

/// The same where recurrences are replayed: two scans and sums over channels
/// fill the registers (bench/NOTES.md).
static constexpr Occupancy kReplayOccupancies[] = {
    {256, 8, 2, 1, 1, {0.9, 1.0, 0.97, 0.9, 0.85, 0.7}, 0, 1, 1},
    {256, 8, 2, 1, 2, {0.94, 1.04, 1.06, 0.94, 0.89, 0.73}, 0, 1, 1},
    {256, 16, 2, 1, 2, {0, 1.3}, 0, 1, 1}};

/// True where a choice's steps fit the registers of a gradient. One state a
/// channel leaves them for twice the steps: 10 to 27 % less time for five
/// layers at (8, 2048, 2048) in (B, L, D) memory; none of more bytes was tried,
/// and in (B, D, L) memory some spill.
static bool fitsReplay(const Problem &problem, const Occupancy &choice) {
  constexpr int64_t kUsualItems = 8, kMostBytes = 16;
  return !problem.replays || choice.items <= kUsualItems ||
         (problem.states == 1 && !problem.isComplex &&
          problem.areChannelsNeighbours && problem.bytesPerStep <= kMostBytes);
}

int64_t mlir::ssm::sharedShare(const Occupancy &occupancy, int64_t warps,
                               const GpuTarget &target) {
  return target.sharedBytes * 32 * warps / occupancy.threads;
}

std::span<const Occupancy> mlir::ssm::occupanciesFor(const Problem &problem) {
  if (problem.replays)
    return kReplayOccupancies;
  return kOccupancies;
}

/// Of a word of 16 bytes.
static constexpr int64_t kHalves = 8;

/// True where steps are known to lie in words of 16 bytes, `extent` elements
/// side by side in memory; below 0: not known.
static bool hasWords(int64_t extent) {
  return extent >= 0 && extent % kHalves == 0;
}

/// True where lanes along L tear accesses apart: channels are neighbours, and
/// a warp has too few of them to copy words. Half a word is enough: so it was
/// measured (gradients, (B, L, D) memory, 8 lanes beside 4 and 16).
static bool isTorn(const Problem &problem, const Occupancy &choice,
                   size_t logLanes) {
  int64_t channels = (32 >> logLanes) * choice.channels;
  return problem.areChannelsNeighbours &&
         (choice.prefetch < 2 || channels < kHalves / 2);
}

/// True for what copies such words, or has no registers for less.
static bool needsWords(const Occupancy &choice) {
  return choice.prefetch == 2 || choice.channels > 1;
}

/// What is left of that where lanes tear accesses apart, since channels are
/// neighbours in memory.
static constexpr std::array<double, 6> kTornShares = {1.0,  0.96, 0.87,
                                                      0.69, 0.47, 0};

/// The same of gradients that copy one word of a warp's channels, in bf16:
/// 1,024 us by four lanes, 993 by two ((8, 2048, 2048), no saved states).
static constexpr size_t kWordLanes = 2;
static constexpr double kWordShare = 0.95;

/// True where a choice's lanes may split the states, or do not. It pays in a
/// relay with few states, else with many and steps of few bytes
/// (bench/NOTES.md).
static bool fitsSplit(const Problem &problem, const Occupancy &choice,
                      size_t logLanes) {
  constexpr int64_t kManyStates = 32, kFewBytes = 6;
  if (!choice.split)
    return true;
  bool areMany = problem.states >= kManyStates;
  bool pays = choice.relayWarps > 0
                  ? !areMany
                  : areMany && problem.bytesPerStep <= kFewBytes;
  return pays && maySplitStates(problem, int64_t(1) << logLanes);
}

/// True where states that are saved leave in runs: a lane that has all steps of
/// its channel writes a trip's states, four bytes each, 64 bytes from its
/// neighbour's (264 us with one state a trip, 183 with four, at (8, 1536,
/// 2048)), and two channels a thread save worst (bench/NOTES.md).
static bool fitsSaving(const Problem &problem, const Occupancy &choice,
                       size_t logLanes) {
  return !problem.savesStates || logLanes > 0 ||
         (choice.unroll > 1 && choice.channels == 1);
}

bool mlir::ssm::fits(const Problem &problem, const Occupancy &choice,
                     size_t logLanes) {
  bool words = hasWords(problem.areChannelsNeighbours ? problem.channels
                                                      : problem.length);
  return (words || !needsWords(choice)) && fitsReplay(problem, choice) &&
         fitsSplit(problem, choice, logLanes) &&
         fitsSaving(problem, choice, logLanes);
}

double mlir::ssm::shareOfTorn(const Problem &problem, const Occupancy &choice,
                              size_t logLanes) {
  if (isTorn(problem, choice, logLanes))
    return kTornShares[logLanes];
  bool areWords = problem.replays && problem.areChannelsNeighbours;
  return areWords && logLanes == kWordLanes ? kWordShare : 1;
}
