//===- Dependence.cpp - What each value of a fused body depends on -------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Dependence.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::ssm;

/// What is replayed for recurrences that some result needs: dead ones go, and
/// the body must be valid without them.
static Directions replaysOf(FusedOp op) {
  std::optional<Directions> ways = directionsOf(op);
  Operation *yield = op.getBlock()->getTerminator();
  bool isNeeded = haveBothDirections(recurrencesOf(yield->getOperands()));
  return ways && isNeeded ? *ways : Directions();
}

Dependence::Dependence(FusedOp op) : Dependence(op, replaysOf(op)) {}

Dependence Dependence::withoutReplays(FusedOp op) {
  return Dependence(op, Directions());
}

Dependence::Dependence(FusedOp op, Directions given) : ways(std::move(given)) {
  for (auto [i, argument] : llvm::enumerate(op.getBlock()->getArguments()))
    for (Axis axis : op.inputAccess(i).getAxes())
      // Only its first entry has to be read.
      if (axis != Axis::Segment)
        info[argument].axes.insert(axis);
  for (BlockArgument argument : op.getBlock()->getArguments())
    info.try_emplace(argument);
  for (Operation &nested : op.getBlock()->without_terminator())
    visit(nested);
}

void Dependence::visit(Operation &op) {
  inOrder &= !readsEndedLoop(op);
  ValueInfo joined;
  for (Value operand : op.getOperands()) {
    const ValueInfo &other = info[operand];
    joined.axes = joined.axes | other.axes;
    joined.level = std::max(joined.level, other.level);
    joined.afterLast |= other.afterLast;
    joined.hasStates |= other.hasStates;
    if (other.statesLevel)
      joined.statesLevel = std::min(
          joined.statesLevel.value_or(*other.statesLevel), *other.statesLevel);
  }
  if (joined.axes.has(Axis::State) &&
      (joined.axes.has(Axis::Length) || isa<RecurrenceOp>(op)))
    levels = std::max(levels, joined.level + 1);
  if (auto recurrence = dyn_cast<RecurrenceOp>(op)) {
    ValueInfo state = joined, last = joined;
    state.axes.insert(Axis::Length);
    if (state.axes.has(Axis::State)) {
      state.hasStates = true;
      if (!ways.isReplayed(recurrence))
        state.statesLevel = joined.statesLevel.value_or(joined.level);
    }
    last.hasStates = false;
    last.statesLevel.reset();
    last.axes.erase(Axis::Length);
    last.afterLast = true;
    info[recurrence.getState()] = state;
    info[recurrence.getLast()] = last;
    return;
  }
  if (isa<SumOp>(op)) {
    // A step's sum is known when the loop over n that feeds it has ended. A
    // sum without l is no part of the loop over steps, one without n is only
    // a product.
    joined.level +=
        joined.axes.has(Axis::State) && joined.axes.has(Axis::Length);
    joined.axes.erase(Axis::State);
    joined.hasStates = false;
    joined.statesLevel.reset();
  }
  if (auto total = dyn_cast<TotalOp>(op))
    for (Axis axis : total.getAxes().getAxes()) {
      joined.axes.erase(pointAxis(axis));
      if (axis == Axis::Group)
        joined.axes.insert(Axis::Group);
      else if (axis == Axis::Channel)
        joined.axes.erase(Axis::Group);
    }
  for (Value result : op.getResults())
    info[result] = joined;
}

bool Dependence::readsEndedLoop(Operation &op) const {
  unsigned level = 0;
  for (Value operand : op.getOperands())
    level = std::max(level, info.lookup(operand).level);
  return llvm::any_of(op.getOperands(), [&](Value operand) {
    std::optional<unsigned> own = info.lookup(operand).statesLevel;
    return own && *own < level;
  });
}

//===----------------------------------------------------------------------===//
// Directions
//===----------------------------------------------------------------------===//

SmallVector<RecurrenceOp> mlir::ssm::recurrencesOf(ValueRange values) {
  SmallVector<RecurrenceOp> found;
  llvm::SetVector<Value> read(values.begin(), values.end());
  for (size_t i = 0; i < read.size(); ++i)
    if (Operation *op = read[i].getDefiningOp()) {
      auto recurrence = dyn_cast<RecurrenceOp>(op);
      if (recurrence && !llvm::is_contained(found, recurrence))
        found.push_back(recurrence);
      read.insert(op->operand_begin(), op->operand_end());
    }
  return found;
}

bool mlir::ssm::haveBothDirections(ArrayRef<RecurrenceOp> recurrences) {
  auto isReverse = [](RecurrenceOp op) { return op.getReverse(); };
  return llvm::any_of(recurrences, isReverse) &&
         !llvm::all_of(recurrences, isReverse);
}

bool mlir::ssm::isSameScan(RecurrenceOp op, RecurrenceOp other) {
  return op->getOperands() == other->getOperands() &&
         op.getReverse() == other.getReverse();
}

SmallVector<RecurrenceOp, 2> mlir::ssm::scannedWith(RecurrenceOp op) {
  return llvm::filter_to_vector<2>(
      op->getBlock()->getOps<RecurrenceOp>(),
      [&](RecurrenceOp other) { return isSameScan(op, other); });
}

RecurrenceOp mlir::ssm::scanOf(RecurrenceOp op) {
  return scannedWith(op).front();
}

bool mlir::ssm::isOnlyStart(OpOperand &use) {
  auto recurrence = dyn_cast<RecurrenceOp>(use.getOwner());
  return recurrence && use.get() != recurrence.getA() &&
         use.get() != recurrence.getB();
}

bool mlir::ssm::isOpenProduct(Operation *op) {
  auto product = dyn_cast_or_null<arith::MulFOp>(op);
  return product &&
         arith::bitEnumContainsAny(product.getFastmath(),
                                   arith::FastMathFlags::contract |
                                       arith::FastMathFlags::reassoc);
}

std::optional<EnteredState> mlir::ssm::findEntered(RecurrenceOp op) {
  Operation *product = op.getB().getDefiningOp();
  if (!isOpenProduct(product) ||
      !llvm::is_contained(product->getOperands(), op.getA()))
    return std::nullopt;
  Value entering =
      product->getOperand(product->getOperand(0) == op.getA() ? 1 : 0);
  for (RecurrenceOp other : scannedWith(op))
    for (Operation *user : other.getState().getUsers())
      if (other.getExclusive() && isa<arith::AddFOp>(user) &&
          llvm::is_contained(user->getOperands(), entering))
        return EnteredState{entering, user->getResult(0)};
  return std::nullopt;
}

/// Steps from one to the next of the saved states that `op` starts from; 0 for
/// others.
static int64_t savedEvery(RecurrenceOp op) {
  auto argument = dyn_cast_or_null<BlockArgument>(op.getInit());
  return argument ? op->getParentOfType<FusedOp>()
                        .inputAccess(argument.getArgNumber())
                        .getEvery()
                  : 0;
}

BlockArgument mlir::ssm::savedStates(RecurrenceOp op, int64_t tileSteps) {
  int64_t every = savedEvery(op);
  return every != 0 && tileSteps % every == 0
             ? cast<BlockArgument>(op.getInit())
             : BlockArgument();
}

static bool readsAnyOf(Operation *op, const llvm::DenseSet<Value> &values) {
  return llvm::any_of(op->getOperands(),
                      [&](Value value) { return values.contains(value); });
}

/// Values that are computed from a recurrence.
static llvm::DenseSet<Value> orderedValues(FusedOp op) {
  llvm::DenseSet<Value> ordered;
  for (Operation &nested : op.getBlock()->without_terminator())
    if (isa<RecurrenceOp>(nested) || readsAnyOf(&nested, ordered))
      ordered.insert(nested.result_begin(), nested.result_end());
  return ordered;
}

RecurrenceOp mlir::ssm::findChained(FusedOp op) {
  llvm::DenseSet<Value> ordered = orderedValues(op);
  for (RecurrenceOp recurrence : op.getBlock()->getOps<RecurrenceOp>())
    if (readsAnyOf(recurrence, ordered))
      return recurrence;
  return nullptr;
}

/// States that are saved are those of a walk in one direction.
static bool savesStates(FusedOp op) {
  return llvm::any_of(
      op.getResultAccesses().getAsRange<AccessAttr>(),
      [](AccessAttr access) { return access.has(Axis::Segment); });
}

std::optional<Directions> mlir::ssm::directionsOf(FusedOp op) {
  auto recurrences = llvm::to_vector(op.getBlock()->getOps<RecurrenceOp>());
  Directions directions;
  if (recurrences.empty())
    return directions;
  auto against = [&](bool reverse) {
    return llvm::filter_to_vector<2>(recurrences, [&](RecurrenceOp other) {
      return other.getReverse() != reverse;
    });
  };
  llvm::DenseSet<Value> ordered = orderedValues(op);
  auto canReplay = [&](RecurrenceOp other) {
    return other.getLast().use_empty() &&
           llvm::none_of(other->getOperands(),
                         [&](Value value) { return ordered.contains(value); });
  };
  auto saved = llvm::find_if(recurrences, savedEvery);
  bool firstReverse =
      (saved == recurrences.end() ? recurrences.front() : *saved).getReverse();
  for (bool reverse : {!firstReverse, firstReverse}) {
    directions = {reverse, against(reverse)};
    bool hasOthers = directions.replayed.size() < recurrences.size();
    bool isSaved = !directions.replayed.empty() && savesStates(op);
    if (hasOthers && !isSaved && llvm::all_of(directions.replayed, canReplay))
      return directions;
  }
  return std::nullopt;
}
