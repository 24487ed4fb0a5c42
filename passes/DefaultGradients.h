//===- DefaultGradients.h - Default schedules of gradients ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What kernels that replay recurrences need beside what all need: tiles that
// begin where states were saved, and room for sums over channels. Each rule
// leaves a schedule as it is where it has nothing to say.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_DEFAULTGRADIENTS_H
#define MAMBA_PASSES_DEFAULTGRADIENTS_H

#include "passes/Occupancy.h"

namespace mlir::ssm {

/// The fewest lanes whose tiles begin where states were saved.
int64_t fewestLanes(const Problem &problem, const Occupancy &occupancy);

/// Lanes along L of chunks that start independently.
int64_t lanesOfChunks(const Problem &problem);

/// Four lanes along L: four states a trip, of staged numbers that need no
/// unpacking. `isSplit`: chunks start independently.
void widenTrips(GpuScheduleFields &schedule, const Problem &problem,
                const GpuTarget &target, const Occupancy &occupancy,
                bool isSplit);

/// Many states: what leaves room for a second block.
void fitSecondBlock(GpuScheduleFields &schedule, const Problem &problem,
                    const GpuTarget &target, const Occupancy &occupancy);

/// Eight or more lanes along L: one block of eight warps in place of two.
void joinBlocks(GpuScheduleFields &schedule, const Problem &problem,
                const GpuTarget &target, const Occupancy &occupancy);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_DEFAULTGRADIENTS_H
