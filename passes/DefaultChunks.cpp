//===- DefaultChunks.cpp - How many blocks share a sequence ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultChunks.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir::ssm;

/// Blocks a multiprocessor where chunks take the place of lanes, and the steps
/// that a chunk, and a sequence of chunks, have at least, by the sweeps in
/// bench/NOTES.md.
static constexpr int64_t kChunksEach = 3, kChunkSteps = 512;
/// That a schedule may have.
static constexpr int64_t kMostChunks = 1024;
static constexpr int64_t kChunkedLength = 8192, kReplayChunkedLength = 4096;
static constexpr int64_t kManyReplayLanes = 16, kLongChunk = 8192;

/// Lanes that leave a warp so few channels that neighbours in memory are half a
/// word: gradients of (2, 8192, 1536) take 1,218 us by 8 lanes, 727 by chunks.
static constexpr int64_t kManyTornLanes = 8;

/// Steps that a block takes as long for as it takes to start and to end, where
/// segments are found: 3 parts of (1, 1536, 8192) are better than 2 or 6, of
/// 248 steps each.
static constexpr double kStartSteps = 32;

/// What is left of a kernel's time where more parts are worth it.
static constexpr double kWorthParts = 0.98;

int64_t mlir::ssm::blocksOf(const GpuScheduleFields &schedule,
                            const Problem &problem) {
  int64_t tile = schedule.tileChannels();
  return std::max<int64_t>(
      problem.batch * llvm::divideCeilSigned(problem.channels, tile), 1);
}

/// Lanes along L would fill the GPU, but tear accesses apart.
static bool hasFewTornChannels(const Problem &problem) {
  return problem.areChannelsNeighbours &&
         problem.batch * problem.channels <= 2048;
}

bool mlir::ssm::wantsChunks(const Problem &problem) {
  return hasFewTornChannels(problem) && !problem.isChained &&
         !problem.replays && problem.length >= kChunkedLength;
}

/// A chunk is computed nearly twice, so a factor below 3 does not pay.
static int64_t chooseGpuChunks(const GpuScheduleFields &schedule,
                               const Problem &problem,
                               const GpuTarget &target) {
  if (problem.isChained || problem.replays || problem.length < kChunkedLength)
    return 1;
  int64_t blocks = blocksOf(schedule, problem);
  int64_t wanted = wantsChunks(problem)
                       ? kChunksEach * target.multiprocessors / blocks
                       : llvm::divideCeilSigned(target.multiprocessors, blocks);
  int64_t most = std::min<int64_t>(problem.length / kChunkSteps, kMostChunks);
  int64_t chunks = std::min(wanted, most);
  return chunks < 3 ? 1 : chunks;
}

bool mlir::ssm::wantsReplayChunks(const Problem &problem, int64_t lanes) {
  int64_t many =
      problem.areChannelsNeighbours ? kManyTornLanes : kManyReplayLanes;
  return problem.replays && !problem.isChained &&
         problem.length >= kReplayChunkedLength &&
         (lanes >= many || hasFewTornChannels(problem));
}

/// Longer chunks are fewer starts; shorter ones leave less idle at the end. The
/// last chunk, whose segment no one asks for, is as long as the turns that the
/// units of all chunks take.
static void fitReplayChunks(GpuScheduleFields &schedule, const Problem &problem,
                            const GpuTarget &target, int64_t threads) {
  constexpr int64_t kMostTurns = 4;
  int64_t blocks = blocksOf(schedule, problem);
  int64_t held = target.multiprocessors * threads /
                 (32 * schedule.warpsL * schedule.warpsD);
  int64_t most =
      std::clamp<int64_t>(problem.length / kChunkSteps, 1, kMostChunks);
  int64_t units = 1;
  for (int64_t turns = 1; turns <= kMostTurns; ++turns) {
    units = std::clamp<int64_t>(turns * held / blocks, 1, most);
    bool isFull = units * blocks * 20 >= turns * held * 19;
    if (isFull && problem.length / units <= kLongChunk)
      break;
  }
  int64_t turns = llvm::divideCeilSigned(units * blocks, held);
  schedule.lastChunk = units > 2 * turns ? turns : 1;
  schedule.chunks = units - schedule.lastChunk + 1;
}

void mlir::ssm::fitChunks(GpuScheduleFields &schedule, const Problem &problem,
                          const GpuTarget &target, int64_t threads,
                          bool isReplayed) {
  if (isReplayed)
    fitReplayChunks(schedule, problem, target, threads);
  else
    schedule.chunks = chooseGpuChunks(schedule, problem, target);
}

int64_t mlir::ssm::chooseCarryParts(const GpuScheduleFields &schedule,
                                    const Problem &problem,
                                    const GpuTarget &target) {
  if (schedule.chunks == 1 || schedule.handoff)
    return 1;
  auto blocks =
      static_cast<double>(blocksOf(schedule, problem) * (schedule.chunks - 1));
  // Parts are whole tiles.
  int64_t steps = schedule.tileSteps();
  int64_t tiles =
      std::max<int64_t>(problem.length / (schedule.chunkUnits() * steps), 1);
  auto timeOf = [&](int64_t parts) {
    double turns = std::ceil(blocks * static_cast<double>(parts) /
                             static_cast<double>(target.multiprocessors));
    int64_t own = llvm::divideCeilSigned(tiles, parts) * steps;
    return turns * (static_cast<double>(own) + kStartSteps);
  };
  int64_t best = 1;
  for (int64_t parts = 2; parts <= std::min(tiles, kMostCarryParts); ++parts)
    if (timeOf(parts) < kWorthParts * timeOf(best))
      best = parts;
  return best;
}
