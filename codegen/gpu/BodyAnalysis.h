//===- BodyAnalysis.h - Where a body's values live on a GPU -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_BODYANALYSIS_H
#define MAMBA_CODEGEN_GPU_BODYANALYSIS_H

#include "dialect/Dependence.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ssm {

/// Where a value of a fused body is computed and kept, by its axes.
enum class Home {
  Invariant, ///< Neither l nor n: a register, once a thread.
  Table,     ///< n without l: once a channel and state, before the steps.
  Step,      ///< l without n: registers of the thread that holds the step.
  Staged,    ///< l and n without d: once a block, in shared memory.
  State,     ///< l and n: registers, inside the loop over n.
  Last,      ///< Computed from a last state, after the steps.
  Total      ///< A sum over points of several blocks: in memory alone.
};

/// Homes of all values of a body, and the values that cross between homes.
class BodyAnalysis {
public:
  /// `groupsUniform`: the channels of a block all lie in one group.
  BodyAnalysis(FusedOp op, bool groupsUniform);

  const Dependence &dependence() const { return depend; }
  FusedOp op() const { return fused; }
  Home home(Value value) const;
  /// Table values that per-step code reads: they get a table.
  ArrayRef<Value> tables() const { return tableFrontier.getArrayRef(); }
  /// Staged values that other code reads: they get a tile in shared memory.
  ArrayRef<Value> stagedTiles() const { return stagedFrontier.getArrayRef(); }
  bool isStagedTile(Value value) const {
    return stagedFrontier.contains(value);
  }

  /// The recurrences that a kernel scans, in their order: of those that differ
  /// in `exclusive` alone, the first one.
  ArrayRef<RecurrenceOp> scans() const { return leaders; }
  /// Something reads the state after the last step.
  bool isLastRead(RecurrenceOp leader) const;
  /// Scans with (or without) the state axis.
  SmallVector<RecurrenceOp> scans(bool perState) const;
  const Directions &directions() const { return ways; }
  bool isReplayed(RecurrenceOp op) const { return ways.isReplayed(op); }
  bool replays() const { return !ways.replayed.empty(); }
  /// True where the steps of some recurrence that is not replayed, or of one
  /// that is, are computed from `value`.
  bool feedsOther(Value value) const { return otherFeeds.contains(value); }
  bool feedsReplayed(Value value) const { return replayFeeds.contains(value); }

private:
  void classify(Value value, bool pure, bool groupsUniform);
  void findFrontiers();
  void findLeaders();
  void findFeeds();

  FusedOp fused;
  Dependence depend;
  llvm::DenseMap<Value, Home> homes;
  llvm::SetVector<Value> tableFrontier;
  llvm::SetVector<Value> stagedFrontier;
  llvm::DenseSet<Value> replayFeeds, otherFeeds;
  Directions ways;
  SmallVector<RecurrenceOp> leaders;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_BODYANALYSIS_H
