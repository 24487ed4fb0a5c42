//===- DefaultChunks.cpp - How many blocks share a sequence ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultChunks.h"

#include <algorithm>

using namespace mlir::ssm;

/// Blocks a multiprocessor where chunks take the place of lanes, and the steps
/// that a chunk, and a sequence of chunks, have at least, by the sweeps in
/// bench/NOTES.md.
static constexpr int64_t kChunksEach = 3, kChunkSteps = 512;
static constexpr int64_t kChunkedLength = 8192, kReplayChunkedLength = 4096;
static constexpr int64_t kManyReplayLanes = 16, kLongChunk = 8192;

int64_t mlir::ssm::blocksOf(const GpuScheduleFields &schedule,
                            const Problem &problem) {
  int64_t tile = schedule.tileChannels();
  return std::max<int64_t>(
      problem.batch * ((problem.channels + tile - 1) / tile), 1);
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
int64_t mlir::ssm::chooseGpuChunks(const GpuScheduleFields &schedule,
                                   const Problem &problem,
                                   const GpuTarget &target) {
  if (problem.isChained || problem.replays || problem.length < kChunkedLength)
    return 1;
  int64_t blocks = blocksOf(schedule, problem);
  int64_t wanted = wantsChunks(problem)
                       ? kChunksEach * target.multiprocessors / blocks
                       : (target.multiprocessors + blocks - 1) / blocks;
  int64_t most = std::min<int64_t>(problem.length / kChunkSteps, 1024);
  int64_t chunks = std::min(wanted, most);
  return chunks < 3 ? 1 : chunks;
}

bool mlir::ssm::wantsReplayChunks(const Problem &problem, int64_t lanes) {
  return problem.replays && !problem.isChained &&
         problem.length >= kReplayChunkedLength &&
         (lanes >= kManyReplayLanes || hasFewTornChannels(problem));
}

int64_t mlir::ssm::chooseReplayChunks(const GpuScheduleFields &schedule,
                                      const Problem &problem,
                                      const GpuTarget &target,
                                      int64_t threads) {
  int64_t blocks = blocksOf(schedule, problem);
  int64_t held = target.multiprocessors * threads /
                 (32 * schedule.warpsL * schedule.warpsD);
  int64_t most = std::max<int64_t>(problem.length / kChunkSteps, 1);
  int64_t chunks = 1;
  // Longer chunks are fewer starts; shorter ones leave less idle at the end.
  constexpr int64_t kMostTurns = 4;
  for (int64_t turns = 1; turns <= kMostTurns; ++turns) {
    chunks = std::clamp<int64_t>(turns * held / blocks, 1, most);
    bool isFull = chunks * blocks * 20 >= turns * held * 19;
    if (isFull && problem.length / chunks <= kLongChunk)
      break;
  }
  return chunks;
}
