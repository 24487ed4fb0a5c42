//===- BodyPlan.cpp - Where each op of a fused body runs ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BodyPlan.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

static Place placeFrom(const ValueInfo &info) {
  Place place;
  if (info.axes.has(Axis::Length))
    place.stage = Stage::During;
  else if (info.afterLast)
    place.stage = Stage::After;
  place.perState = info.axes.has(Axis::State);
  return place;
}

BodyPlan::BodyPlan(FusedOp op, const BodyFacts &facts, Goal goal)
    : op(op), facts(facts), purpose(goal), ways(*directionsOf(op)) {
  findPlaces(Dependence(op));
  for (Stage stage : {Stage::Before, Stage::During, Stage::After})
    for (unsigned level = 0; level < numLevels; ++level)
      for (bool perState : {false, true})
        list.emplace_back().place = {stage, level, perState};
}

/// A value's level is that of its operands of the same stage: everything of an
/// earlier stage is known.
void BodyPlan::findPlaces(const Dependence &dependence) {
  for (BlockArgument argument : op.getBlock()->getArguments())
    places[argument] = placeFrom(dependence.of(argument));
  for (Operation &nested : op.getBlock()->without_terminator())
    for (Value result : nested.getResults()) {
      Place place = placeFrom(dependence.of(result));
      for (Value operand : nested.getOperands())
        if (Place other = placeOf(operand); other.stage == place.stage)
          place.level = std::max(place.level, other.level);
      if (isLoopSum(&nested, *this))
        ++place.level;
      numLevels = std::max(numLevels, place.level + 1);
      places[result] = place;
    }
}

bool mlir::ssm::cpu::isLoopSum(Operation *op, const BodyPlan &plan) {
  auto sum = dyn_cast<SumOp>(op);
  return sum && plan.placeOf(sum.getValue()).perState;
}

FailureOr<BodyPlan> BodyPlan::build(FusedOp op, const BodyFacts &facts,
                                    Goal goal, ArrayRef<RecurrenceOp> scans) {
  BodyPlan plan(op, facts, goal);
  plan.findVarying();
  if (goal == Goal::Results || goal == Goal::ChunkResults) {
    for (unsigned i : facts.storedResults.set_bits())
      if (failed(plan.addResult(i)))
        return failure();
    return plan;
  }
  for (RecurrenceOp scan : scans) {
    plan.scans.insert(scan);
    if ((goal != Goal::Starts && failed(plan.needScan(scan))) ||
        (goal != Goal::Carries && failed(plan.needInitialState(scan))))
      return failure();
  }
  return plan;
}

Phase &BodyPlan::phaseAt(Place place) {
  return list[(static_cast<unsigned>(place.stage) * numLevels + place.level) *
                  2 +
              place.perState];
}

void BodyPlan::findVarying() {
  for (BlockArgument argument : op.getBlock()->getArguments())
    if (!facts.uniformInputs[argument.getArgNumber()])
      varying.insert(argument);
  for (Operation &nested : op.getBlock()->without_terminator()) {
    auto isVarying = [&](Value operand) { return varying.contains(operand); };
    if (llvm::any_of(nested.getOperands(), isVarying))
      for (Value result : nested.getResults())
        varying.insert(result);
  }
}

LogicalResult BodyPlan::addResult(unsigned i) {
  Value value = op.getBlock()->getTerminator()->getOperand(i);
  if (auto total = value.getDefiningOp<TotalOp>())
    return addTotal(total);
  AccessAttr access = op.resultAccess(i);
  Place place = placeOf(value);
  Stage stage = hasSteps(access) ? Stage::During : Stage::After;
  if (stage != place.stage)
    place = {stage, 0, false};
  place.perState = access.has(Axis::State);
  Phase &phase = phaseAt(place);
  phase.results.push_back(i);
  return need(phase, value);
}

/// What no step has is stored behind all of them, as results without l are.
LogicalResult BodyPlan::addTotal(TotalOp total) {
  Place place = placeOf(total.getValue());
  if (place.stage == Stage::Before)
    place = {Stage::After, 0, place.perState};
  Phase &phase = phaseAt(place);
  // Several results may be one total.
  if (llvm::is_contained(phase.totals, total))
    return success();
  phase.totals.push_back(total);
  return need(phase, total.getValue());
}

LogicalResult BodyPlan::needOperands(Phase &phase, Operation *nested) {
  for (Value operand : nested->getOperands())
    if (failed(need(phase, operand)))
      return failure();
  return success();
}

LogicalResult BodyPlan::need(Phase &phase, Value value) {
  Place place = placeOf(value);
  Operation *producer = value.getDefiningOp();
  if (!producer) {
    needInput(phase, cast<BlockArgument>(value));
    return success();
  }
  if (auto scan = dyn_cast<RecurrenceOp>(producer))
    return needRecurrence(phase, scan, value);
  if (isLoopSum(producer, *this))
    return needSum(phase, cast<SumOp>(producer));
  bool isRecomputed = place.stage == Stage::During && place.perState;
  if (place == phase.place || isRecomputed) {
    if (!phase.ops.insert(producer))
      return success();
    return needOperands(phase, producer);
  }
  Phase &home = phaseAt(place);
  if (!place.isOnce()) {
    home.kept.insert(value);
    phase.reads.insert(value);
  }
  return need(home, value);
}

/// Most inputs are read again by every phase: memory or a tile is as near as a
/// table would be. What a task reads once stays in registers.
void BodyPlan::needInput(Phase &phase, BlockArgument input) {
  Place place = placeOf(input);
  Phase &home = phaseAt(place);
  if (place.isOnce()) {
    home.reads.insert(input);
    return;
  }
  phase.reads.insert(input);
  if (facts.keptInputs[input.getArgNumber()] && phase.place.perState &&
      place.stage == Stage::During && !place.perState) {
    home.reads.insert(input);
    home.kept.insert(input);
  }
}

LogicalResult BodyPlan::needRecurrence(Phase &phase, RecurrenceOp scan,
                                       Value value) {
  Place place = placeOf(scan.getState());
  Phase &home = phaseAt(place);
  if (value == scan.getLast()) {
    phase.reads.insert(value);
  } else if (home.place != phase.place) {
    if (place.perState && isReplayed(scan) &&
        phase.place.stage == Stage::During && phase.place.perState)
      return needReplay(phase, scan);
    if (place.perState)
      return scan.emitOpError("(C10) has a per-state value that is used after "
                              "a later sum over n; compute what uses it in a "
                              "second ssm.fused");
    home.kept.insert(value);
    phase.reads.insert(value);
  }
  return needScan(scan);
}

LogicalResult BodyPlan::needScan(RecurrenceOp scan) {
  Phase &home = phaseAt(placeOf(scan.getState()));
  home.ops.insert(scan);
  scan = scanOf(scan);
  home.ops.insert(scan);
  if (!started.insert(scan).second)
    return success();
  scans.insert(scan);
  if (failed(need(home, scan.getA())) || failed(need(home, scan.getB())))
    return failure();
  bool isStarted = purpose == Goal::Results && !isReplayed(scan);
  return isStarted ? needInitialState(scan) : success();
}

/// A loop over n behind that of `scan` runs it again.
LogicalResult BodyPlan::needReplay(Phase &phase, RecurrenceOp scan) {
  RecurrenceOp first = scanOf(scan);
  bool isNew = phase.ops.insert(first);
  phase.ops.insert(scan);
  scans.insert(first);
  if (!isNew)
    return success();
  return failure(failed(need(phase, first.getA())) ||
                 failed(need(phase, first.getB())));
}

SmallVector<RecurrenceOp> BodyPlan::scansOf(const Phase &phase,
                                            bool replayed) const {
  return llvm::filter_to_vector(scans, [&](RecurrenceOp scan) {
    return phase.ops.contains(scan) && isReplayed(scan) == replayed;
  });
}

LogicalResult BodyPlan::needInitialState(RecurrenceOp scan) {
  if (!scan.getInit())
    return success();
  Place start = placeOf(scan.getInit());
  start.perState = placeOf(scan.getState()).perState;
  phaseAt(start).initialStates.push_back(scan);
  return need(phaseAt(start), scan.getInit());
}

LogicalResult BodyPlan::needSum(Phase &phase, SumOp sum) {
  phase.reads.insert(sum.getResult());
  Phase &home = phaseAt(placeOf(sum.getValue()));
  if (!home.ops.insert(sum))
    return success();
  return need(home, sum.getValue());
}
