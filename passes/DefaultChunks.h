//===- DefaultChunks.h - How many blocks share a sequence -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Chunks that start independently cost a second pass over nearly everything,
// and bring the threads that few, long sequences lack.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_DEFAULTCHUNKS_H
#define MAMBA_PASSES_DEFAULTCHUNKS_H

#include "passes/DefaultSchedule.h"

namespace mlir::ssm {

/// Blocks that one chunk of all sequences takes; 1 where there is no channel.
int64_t blocksOf(const GpuScheduleFields &schedule, const Problem &problem);

/// Where channels are neighbours in memory, lanes along L tear accesses apart:
/// chunks bring the threads of few, long sequences instead.
bool wantsChunks(const Problem &problem);

/// Where `lanes`, many, would be needed to fill a GPU with recurrences that are
/// replayed, chunks of long sequences do better: what they cost is a third of
/// the rest, and fewer lanes sum over more channels of a block.
bool wantsReplayChunks(const Problem &problem, int64_t lanes);

/// Chooses the blocks that share a sequence, where sequences alone do not fill
/// the GPU: `isReplayed` ones as many as let a GPU that holds `threads` a
/// multiprocessor end its last turn nearly full.
void fitChunks(GpuScheduleFields &schedule, const Problem &problem,
               const GpuTarget &target, int64_t threads, bool isReplayed);

/// Blocks that share a chunk where its segment is found: as many as let
/// multiprocessors end together, which few blocks each do not.
int64_t chooseCarryParts(const GpuScheduleFields &schedule,
                         const Problem &problem, const GpuTarget &target);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_DEFAULTCHUNKS_H
