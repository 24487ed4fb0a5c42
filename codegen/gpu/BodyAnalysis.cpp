//===- BodyAnalysis.cpp - Where a body's values live on a GPU -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/BodyAnalysis.h"

using namespace mlir;
using namespace mlir::ssm;

BodyAnalysis::BodyAnalysis(FusedOp op, bool groupsUniform)
    : fused(op), depend(op), ways(*directionsOf(op)) {
  // Pure values come from inputs alone, with no recurrence or sum between.
  llvm::DenseMap<Value, bool> pure;
  for (BlockArgument argument : op.getBlock()->getArguments()) {
    pure[argument] = true;
    classify(argument, true, groupsUniform);
  }
  for (Operation &nested : op.getBlock()->without_terminator()) {
    bool isPure = !isa<RecurrenceOp, SumOp>(nested) &&
                  llvm::all_of(nested.getOperands(),
                               [&](Value value) { return pure.at(value); });
    for (Value result : nested.getResults()) {
      pure[result] = isPure;
      classify(result, isPure, groupsUniform);
    }
  }
  findFrontiers();
  findLeaders();
  findFeeds();
}

void BodyAnalysis::findLeaders() {
  for (RecurrenceOp op : fused.getBlock()->getOps<RecurrenceOp>())
    if (scanOf(op) == op)
      leaders.push_back(op);
}

bool BodyAnalysis::isLastRead(RecurrenceOp leader) const {
  return llvm::any_of(scannedWith(leader), [](RecurrenceOp op) {
    return !op.getLast().use_empty();
  });
}

/// Walks backwards: an operand feeds what its user feeds.
void BodyAnalysis::findFeeds() {
  auto spread = [](Operation &nested, llvm::DenseSet<Value> &fed) {
    if (llvm::any_of(nested.getResults(),
                     [&](Value result) { return fed.contains(result); }))
      fed.insert(nested.operand_begin(), nested.operand_end());
  };
  for (Operation &nested : llvm::reverse(*fused.getBlock())) {
    if (auto recurrence = dyn_cast<RecurrenceOp>(nested)) {
      for (Value value : {recurrence.getA(), recurrence.getB()}) {
        (isReplayed(recurrence) ? replayFeeds : otherFeeds).insert(value);
      }
      continue;
    }
    spread(nested, otherFeeds);
    spread(nested, replayFeeds);
  }
}

void BodyAnalysis::classify(Value value, bool pure, bool groupsUniform) {
  const ValueInfo &info = depend.of(value);
  bool l = info.axes.has(Axis::Length), n = info.axes.has(Axis::State);
  bool oneABlock = !info.axes.has(Axis::Channel) &&
                   (groupsUniform || !info.axes.has(Axis::Group));
  // Tables and staged tiles hold floats.
  bool isKept = !value.getType().isInteger();
  Home home = Home::Invariant;
  if (value.getDefiningOp<TotalOp>())
    home = Home::Total;
  else if (info.afterLast)
    home = Home::Last;
  else if (l && n)
    home = pure && oneABlock && isKept ? Home::Staged : Home::State;
  else if (l)
    home = Home::Step;
  else if (n)
    home = isKept ? Home::Table : Home::State;
  homes[value] = home;
}

Home BodyAnalysis::home(Value value) const { return homes.at(value); }

/// True where `use` reads its value once a step.
static bool isPerStepUse(FusedOp op, OpOperand &use,
                         const Dependence &dependence) {
  Operation *user = use.getOwner();
  if (isa<YieldOp>(user))
    return hasSteps(op.resultAccess(use.getOperandNumber()));
  if (isa<RecurrenceOp>(user))
    return !isOnlyStart(use);
  return user->getNumResults() > 0 &&
         dependence.dependsOn(user->getResult(0), Axis::Length);
}

void BodyAnalysis::findFrontiers() {
  auto isAt = [&](Operation *user, Home home) {
    return user->getNumResults() == 1 && homes.at(user->getResult(0)) == home;
  };
  auto visit = [&](Value value) {
    for (OpOperand &use : value.getUses()) {
      if (homes.at(value) == Home::Table && (isPerStepUse(fused, use, depend) ||
                                             isAt(use.getOwner(), Home::State)))
        tableFrontier.insert(value);
      if (homes.at(value) == Home::Staged &&
          !isAt(use.getOwner(), Home::Staged))
        stagedFrontier.insert(value);
    }
  };
  for (BlockArgument argument : fused.getBlock()->getArguments())
    visit(argument);
  for (Operation &nested : fused.getBlock()->without_terminator())
    for (Value result : nested.getResults())
      visit(result);
}

SmallVector<RecurrenceOp> BodyAnalysis::scans(bool perState) const {
  return llvm::filter_to_vector(leaders, [&](RecurrenceOp op) {
    return depend.dependsOn(op.getState(), Axis::State) == perState;
  });
}
