//===- BodyPlan.h - Where each op of a fused body runs ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task runs a body in phases: before the steps, tile by tile during the
// steps, after the steps; in each of them once and then for every state; and
// once more for every level of sums over n that feed each other. The axes that
// a value depends on decide its phase. Values that a later phase reads are
// kept in tables.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_BODYPLAN_H
#define MAMBA_CODEGEN_CPU_BODYPLAN_H

#include "dialect/Dependence.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/SetVector.h"

#include <vector>

namespace mlir::ssm::cpu {

enum class Stage { Before, During, After };

/// The coordinates of a phase.
struct Place {
  Stage stage = Stage::Before;
  /// Number of sums over n of this stage that come first.
  unsigned level = 0;
  /// The phase is a loop over n.
  bool perState = false;

  bool operator==(const Place &) const = default;
  /// Values of these phases are computed once a task and stay SSA values.
  bool isOnce() const { return stage != Stage::During && !perState; }
};

/// What one phase does, in the order of the members.
struct Phase {
  Place place;
  /// Inputs, sums, last states and kept values of other phases to load.
  llvm::SetVector<Value> reads;
  /// Body ops to emit, in body order: pure ones, recurrences, and the sums
  /// that this phase's loop over n adds up.
  llvm::SetVector<Operation *> ops;
  /// Values that other phases read from a table.
  llvm::SetVector<Value> kept;
  /// Recurrences whose initial state this phase knows.
  SmallVector<RecurrenceOp> initialStates;
  /// Numbers of the results that this phase stores.
  SmallVector<unsigned> results;
  /// Totals whose values this phase sums, or stores.
  SmallVector<TotalOp> totals;

  bool isEmpty() const {
    return reads.empty() && ops.empty() && initialStates.empty() &&
           results.empty() && totals.empty();
  }
};

/// What a kernel computes of a body. A sequence that several tasks share is
/// scanned in three kernels; see TaskEmitter.h.
enum class Goal {
  Results,      ///< All results, over whole sequences.
  Carries,      ///< What each chunk of a sequence adds to the states.
  Starts,       ///< The states at the start of each chunk.
  ChunkResults, ///< All results, given the states at the start of each chunk.
  Checkpoints,  ///< The states that recurrences are replayed from.
};

/// What a plan needs to know beside the op.
struct BodyFacts {
  /// By input: all channels of a vector share its elements.
  llvm::BitVector uniformInputs;
  /// By input: a phase that reads it for every state had better read a table.
  llvm::BitVector keptInputs;
  /// By result: something reads it.
  llvm::BitVector storedResults;
};

/// The phases of a fused op. Ops that the goal does not need are in none.
class BodyPlan {
public:
  /// Plans what `goal` needs; `scans` are the recurrences that Goal::Results
  /// needs. Fails, with a located error, for a state that a second loop over n
  /// would need, and that is not replayed.
  static FailureOr<BodyPlan> build(FusedOp op, const BodyFacts &facts,
                                   Goal goal,
                                   ArrayRef<RecurrenceOp> scans = {});

  /// In the order in which they run.
  ArrayRef<Phase> phases() const { return list; }
  Place placeOf(Value value) const { return places.at(value); }
  /// All channels of a vector share the value.
  bool isUniform(Value value) const { return !varying.contains(value); }
  /// The scans that the goal needs: of recurrences that share one, the first.
  ArrayRef<RecurrenceOp> recurrences() const { return scans.getArrayRef(); }
  Goal goal() const { return purpose; }
  const Directions &directions() const { return ways; }
  /// The recurrence runs tile by tile, from checkpoints.
  bool isReplayed(RecurrenceOp scan) const {
    return purpose == Goal::Results && ways.isReplayed(scan);
  }
  /// Those of `scans` that a phase replays, or the others.
  SmallVector<RecurrenceOp> scansOf(const Phase &phase, bool replayed) const;

private:
  BodyPlan(FusedOp op, const BodyFacts &facts, Goal goal);

  void findPlaces(const Dependence &dependence);
  Phase &phaseAt(Place place);
  void findVarying();
  LogicalResult addResult(unsigned i);
  LogicalResult addTotal(TotalOp total);
  LogicalResult need(Phase &phase, Value value);
  void needInput(Phase &phase, BlockArgument input);
  LogicalResult needOperands(Phase &phase, Operation *nested);
  LogicalResult needRecurrence(Phase &phase, RecurrenceOp scan, Value value);
  LogicalResult needReplay(Phase &phase, RecurrenceOp scan);
  LogicalResult needInitialState(RecurrenceOp scan);
  LogicalResult needScan(RecurrenceOp scan);
  LogicalResult needSum(Phase &phase, SumOp sum);

  FusedOp op;
  BodyFacts facts;
  Goal purpose;
  Directions ways;
  llvm::DenseMap<Value, Place> places;
  unsigned numLevels = 1;
  std::vector<Phase> list;
  llvm::DenseSet<Value> varying;
  llvm::SetVector<RecurrenceOp> scans;
  /// Those whose operands are planned.
  llvm::DenseSet<RecurrenceOp> started;
};

/// The ops that a sum over n adds up in a loop; a value without n is scaled.
bool isLoopSum(Operation *op, const BodyPlan &plan);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_BODYPLAN_H
