//===- ScanKernelStates.cpp - Loops over the states of a tile -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"

using namespace mlir;
using namespace mlir::ssm;

/// Recurrences over states of this level, sums that end with it, and results
/// that have the state axis.
ScanKernel::Roots ScanKernel::rootsAt(unsigned level) {
  const Dependence &dependence = body.dependence();
  auto isHere = [&](Value value, bool isEachStep) {
    const ValueInfo &info = dependence.of(value);
    return info.level == level && info.axes.has(Axis::State) && isEachStep;
  };
  Roots roots;
  for (RecurrenceOp op : body.recurrences(/*perState=*/true))
    if (dependence.of(op.getState()).level == level)
      roots.recurrences.push_back(op);
  if (isCarries())
    return roots;
  for (SumOp op : fused.getBlock()->getOps<SumOp>())
    if (isHere(op.getValue(),
               dependence.dependsOn(op.getValue(), Axis::Length)))
      roots.sums.push_back(op);
  for (auto [i, value] : llvm::enumerate(yield().getValues()))
    if (isHere(value, fused.resultAccess(i).has(Axis::Length)) &&
        !fused->getResult(i).use_empty())
      roots.results.push_back(i);
  return roots;
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

void ScanKernel::emitStateLoop(Tile &tile, unsigned level) {
  Roots roots = rootsAt(level);
  if (roots.recurrences.empty() && roots.sums.empty() && roots.results.empty())
    return;
  eachChannel([&] { prepareRoots(tile, roots, level); });
  int64_t states = fused.stateExtent();
  int64_t together = schedule.getUnroll();
  while (states % together != 0)
    --together;
  SmallVector<Value> init;
  auto eachSum = [&](function_ref<void(SumOp)> body) {
    for (SumOp op : roots.sums)
      eachChannel([&] { body(op); });
  };
  eachSum([&](SumOp op) {
    for (int64_t k = 0; k < schedule.getItems(); ++k)
      init.append(e.zero(op.getType()).words());
  });
  // Words of the accumulators and back, by sum, then by channel.
  auto toSteps = [&](ValueRange words) {
    SmallVector<Steps> sums;
    size_t next = 0;
    eachSum([&](SumOp op) {
      Steps &steps = sums.emplace_back();
      for (int64_t k = 0; k < schedule.getItems(); ++k) {
        Value re = words[next++];
        steps.push_back({re, isComplexValue(op) ? words[next++] : Value()});
      }
    });
    return sums;
  };
  SmallVector<Value> results =
      e.loop(e.i32(0), e.i32(states), together, init,
             [&](Value n, ValueRange words) -> SmallVector<Value> {
               States trip{tile, level, n, together, {}};
               trip.values.resize(together * channels.size());
               SmallVector<Steps> sums = toSteps(words);
               emitStates(trip, roots, sums);
               SmallVector<Value> next;
               for (const Steps &steps : sums)
                 for (const Number &number : steps)
                   next.append(number.words());
               return next;
             });
  SmallVector<Steps> sums = toSteps(results);
  const Steps *steps = sums.begin();
  eachSum([&](SumOp op) { tile.steps[channel][op] = *steps++; });
}

/// Emits, before the loop, the step values that it reads.
void ScanKernel::prepareRoots(Tile &tile, Roots &roots, unsigned level) {
  for (RecurrenceOp op : roots.recurrences) {
    prepare(tile, op.getA(), level);
    prepare(tile, op.getB(), level);
    if (auto split = splitDecay(op))
      sumOfSteps(tile, split->first);
  }
  for (SumOp op : roots.sums)
    prepare(tile, op.getValue(), level);
  for (unsigned i : roots.results)
    prepare(tile, yield().getValues()[i], level);
}

void ScanKernel::prepare(Tile &tile, Value value, unsigned level) {
  if (body.home(value) == Home::Step)
    stepsOf(tile, value);
  Operation *op = value.getDefiningOp();
  if (body.home(value) != Home::State || !op || isa<RecurrenceOp>(op))
    return;
  for (Value operand : op->getOperands())
    prepare(tile, operand, level);
}

void ScanKernel::emitStates(States &states, Roots &roots,
                            MutableArrayRef<Steps> sums) {
  for (RecurrenceOp op : roots.recurrences)
    scanStates(states, op);
  for (size_t j = 0; j < roots.sums.size(); ++j)
    for (int64_t u = 0; u < states.count; ++u)
      eachChannel([&] {
        Steps terms = evaluate(states, roots.sums[j].getValue(), u);
        Steps &steps = sums[j * channels.size() + channel];
        for (auto [sum, term] : llvm::zip(steps, terms))
          sum = e.addf(sum, term);
      });
  for (unsigned i : roots.results)
    for (int64_t u = 0; u < states.count; ++u)
      eachChannel([&] {
        storeStepsOf(states.tile, i, e.toI64(e.add(states.first, u)),
                     evaluate(states, yield().getValues()[i], u));
      });
}

//===----------------------------------------------------------------------===//
// Values of a state
//===----------------------------------------------------------------------===//

/// The steps of `value` at state `first + u`; what is staged, all channels
/// share.
ScanKernel::Steps ScanKernel::evaluate(States &states, Value value, int64_t u) {
  Home home = body.home(value);
  if (home == Home::Invariant || home == Home::Step)
    return stepsOfOperand(states.tile, value);
  size_t number =
      u * channels.size() + (body.isStagedTile(value) ? 0 : channel);
  auto &known = states.values[number];
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Steps steps = computeState(states, value, u);
  return known[value] = steps;
}

ScanKernel::Steps ScanKernel::computeState(States &states, Value value,
                                           int64_t u) {
  int64_t items = schedule.getItems();
  Value state = e.add(states.first, u);
  if (body.home(value) == Home::Table)
    return Steps(items, readTable(tables.at(value), state));
  if (body.isStagedTile(value))
    return readStaged(states.tile, value, state);
  if (auto argument = dyn_cast<BlockArgument>(value))
    return loadSteps(states.tile, argument, states.tile.first, e.toI64(state),
                     {Axis::Length, items});
  Operation &op = *value.getDefiningOp();
  SmallVector<Steps> inputs;
  for (Value operand : op.getOperands())
    inputs.push_back(evaluate(states, operand, u));
  Steps steps;
  for (int64_t k = 0; k < items; ++k) {
    SmallVector<Number> numbers;
    for (const Steps &input : inputs)
      numbers.push_back(input[k]);
    steps.push_back(emitBodyOp(e, op, numbers));
  }
  return steps;
}

/// Scans the trip's states side by side: their chains are independent.
void ScanKernel::scanStates(States &states, RecurrenceOp op) {
  LocationScope place(e, op.getLoc());
  unsigned i = indexOf(op);
  std::vector<LocalScan> scans;
  for (int64_t u = 0; u < states.count; ++u)
    eachChannel([&] {
      LocalScan &scan = scans.emplace_back();
      scan.a = evaluate(states, op.getA(), u);
      scan.b = evaluate(states, op.getB(), u);
      scan.decay = cheapDecay(states.tile, op, [&](Value c) {
        return evaluate(states, c, u).front();
      });
      scan.carry = readTable(carries[i], e.add(states.first, u));
      scan.row = at.channels[channel].row;
      scan.number = u;
    });
  Value slot = e.rem(e.div(states.first, states.count), 2);
  levels.run(MutableArrayRef(scans), slot, /*needStates=*/!isCarries());
  finishCarries(states.tile, op, scans, states.first);
  for (auto [number, scan] : llvm::enumerate(scans))
    states.values[number][op.getState()] = scan.states;
}
