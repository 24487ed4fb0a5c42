//===- TaskEmitter.h - The code of one fused op's tasks ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task, phase by phase (see BodyPlan.h):
//
//   inputs without steps; phases before the steps
//   for each tile of steps
//     inputs of the tile
//     for each level:  for t: values of a step
//                      for n: for t: values of a state, recurrences, sums
//     results of the tile
//   phases after the steps; results without steps
//
// The loop over n is outside that over t, so that a state and its constants
// stay in registers for a tile's steps; what the sums over n add up to lies in
// a table of the tile, which the first-level cache holds.
//
// Where several tasks share a sequence, three kernels scan it: the first runs
// each chunk from zero and keeps its last states and the product of its
// decays (Goal::Carries), the second joins them along the sequence
// (Goal::Starts), the third computes the results (Goal::ChunkResults).
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_TASKEMITTER_H
#define MAMBA_CODEGEN_CPU_TASKEMITTER_H

#include "codegen/PartialSums.h"
#include "codegen/cpu/BodyPlan.h"
#include "codegen/cpu/TensorAccess.h"

namespace mlir::ssm::cpu {

/// Numbers of the temporaries that join the chunks of one recurrence: its
/// states after each chunk run from zero, the products of its decays, and its
/// states at the start of each chunk. Each has a dimension of chunks, then
/// those of `access`.
struct ChunkTensors {
  RecurrenceOp scan;
  AccessAttr access;
  unsigned carry;
  unsigned decay;
  unsigned start;
};

/// Everything that decides a kernel's code.
struct KernelRequest {
  FusedOp op;
  ModuleOp module;
  std::string name;
  CpuScheduleAttr schedule;
  ChannelFacts facts;
  /// Empty where tasks take whole sequences.
  ArrayRef<ChunkTensors> chunkTensors;
  ArrayRef<PartialSums> totals;
};

/// Emits one kernel.
class TaskEmitter {
public:
  TaskEmitter(const KernelRequest &request, const BodyPlan &body,
              LaunchPlan &plan);

  /// Appends the kernel to the module and its launch to the plan. Fails, with
  /// a located error, where its tables do not fit the stack.
  LogicalResult run();

private:
  using Values = llvm::DenseMap<Value, Lanes>;
  using Tensors = SmallVector<std::unique_ptr<TensorAccess>>;

  // The task's place.
  bool has(Axis axis) const;
  Value extent(Axis axis);
  void findPlace();
  void findChannels(Value task);
  std::unique_ptr<TensorAccess> openTemporary(const ChunkTensors &tensors,
                                              unsigned number);
  void openTensors();
  void makeTables();

  // Its phases.
  void emitTask();
  void emitTiles(Value from, Value to);
  void emitTile();
  void flushResults(bool perTile);
  void emitEnd();
  void emitStage(Stage stage);
  void emitPhase(const Phase &phase);
  void emitStates(const Phase &phase, Value state);
  void emitSteps(const Phase &phase, Value state, const Values &hoisted);
  SmallVector<Lanes>
  overSteps(bool reverse, ArrayRef<Lanes> init,
            function_ref<SmallVector<Lanes>(Value step, ArrayRef<Lanes>)> body);
  void emitPoint(const Phase &phase, Point point, Values &values);
  void storeResult(unsigned result, Point point, Lanes value);
  void emitOp(const Phase &phase, Operation *op, Point point, Values &values);
  void emitRecurrence(RecurrenceOp scan, Point point, Values &values);
  void clearSums(const Phase &phase);

  // TaskReplay.cpp: recurrences against the direction of its tiles.
  bool replays() const {
    return body.goal() == Goal::Results && !body.directions().replayed.empty();
  }
  void emitTilesFromEnd();
  void emitCheckpoints();
  void findTile(Value number);
  Lanes stateBefore(RecurrenceOp scan, Value state);
  void replay(const Phase &phase, Value state, const Values &hoisted);

  // TaskTotals.cpp: its totals.
  const PartialSums &sumsOf(TotalOp total) const;
  TensorAccess &partialOf(TotalOp total);
  bool isOfSteps(TotalOp total) const;
  void openTotals();
  void clearTotals();
  void addToTotal(TotalOp total, Point point, Values &values);
  Lanes sumOfLanes(Lanes lanes);
  void storeStepSums();

  LogicalResult finish();

  // Its states.
  /// Calls `body` with each state's number, or once with null where there are
  /// none.
  void forEachState(bool perState, function_ref<void(Value)> body);
  bool isPerState(RecurrenceOp scan) const;
  Value stateEntry(Value state);
  void startStates();
  void storeCarries();
  void joinChunks();

  // Values.
  void readInputs(const Phase &phase, Point point, Values &values);
  Lanes read(const Phase &phase, Value value, Point point);
  Lanes valueOf(Value value, const Values &values) const;
  Value entryOf(Place place, Point point);

  const KernelRequest &request;
  FusedOp op;
  const BodyPlan &body;
  LaunchPlan &plan;
  Emit e;
  Kernel kernel;
  TaskFrame frame;
  /// The length, and what of it a chunk covers.
  Value length, chunkSteps;
  SmallVector<mamba::GridTerm> grid;
  Tensors inputs, results;
  /// In the order of request.chunkTensors.
  Tensors carries, decays, starts;
  /// In the order of request.totals.
  Tensors partials;
  /// Tables of kept values, of sums, and of totals over steps.
  llvm::DenseMap<Value, Table> tables;
  /// By recurrence: its states, and the products of its decays.
  llvm::DenseMap<Operation *, Table> states, products;
  /// The states before and after the current step, by those of their scans.
  Values beforeStep, afterStep;
  /// The states of a tile's steps, of those that are replayed.
  llvm::DenseMap<Value, Table> replayed;
  /// Values that a task computes once.
  Values once;
};

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_TASKEMITTER_H
