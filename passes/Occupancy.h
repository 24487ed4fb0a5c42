//===- Occupancy.h - What the threads of a multiprocessor hold --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ways of a GPU kernel that defaults know, how fast each was on an H100,
// and which problems each is for.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_OCCUPANCY_H
#define MAMBA_PASSES_OCCUPANCY_H

#include "passes/DefaultSchedule.h"

#include <array>
#include <span>

namespace mlir::ssm {

/// A way to share out the registers of a multiprocessor: threads that it holds,
/// and what each of them holds for that.
struct Occupancy {
  int64_t threads;
  int64_t items;
  int64_t unroll;
  int64_t stages;
  int64_t prefetch;
  /// Of a full H100 with 1, 2, 4, ... lanes along L (bench/NOTES.md); 0: not
  /// so.
  std::array<double, 6> speeds;
  /// Warps of a block that take tiles in turn; 0: none do.
  int64_t relayWarps = 0;
  int64_t channels = 1;
  /// Staged tiles hold halves, as all of their inputs are.
  int64_t packed = 0;
  /// Lanes split the states.
  int64_t split = 0;

  /// Blocks of such warps that a multiprocessor holds.
  int64_t relayBlocks() const { return threads / (32 * relayWarps); }
};

/// Shared memory that each block of `warps` may take, so that as many fit.
int64_t sharedShare(const Occupancy &occupancy, int64_t warps,
                    const GpuTarget &target);

/// The ways to compute such a problem, of which not all may fit.
std::span<const Occupancy> occupanciesFor(const Problem &problem);

/// What is left of a choice's speed where its lanes tear accesses apart, since
/// channels are neighbours in memory; else 1.
double shareOfTorn(const Problem &problem, const Occupancy &choice,
                   size_t logLanes);

/// True where `problem` can be computed that way, as far as its extents are
/// known, and where it may pay.
bool fits(const Problem &problem, const Occupancy &choice, size_t logLanes);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_OCCUPANCY_H
