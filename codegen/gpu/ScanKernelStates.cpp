//===- ScanKernelStates.cpp - The states of one trip over n ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/DefaultSchedule.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// A trip
//===----------------------------------------------------------------------===//

/// Adds the trip's terms to `sums`, by sum, then by channel.
void ScanKernel::emitStates(States &states, Roots &roots,
                            MutableArrayRef<Steps> sums) {
  for (RecurrenceOp op : roots.recurrences) {
    if (isWeighted()) {
      addWeighted(states, op);
      continue;
    }
    if (!states.scans.count(op))
      beginScans(states, op);
    finishScans(states, op);
  }
  for (size_t j = 0; j < roots.sums.size(); ++j)
    for (int64_t u = 0; u < states.count; ++u)
      eachChannel([&] {
        Steps terms = evaluate(states, roots.sums[j].sum.getValue(), u);
        Steps &steps = sums[j * channels.size() + channel];
        for (auto [sum, term] : llvm::zip(steps, terms))
          sum = e.addf(sum, term);
      });
  for (unsigned i : roots.results)
    storeResult(states, i);
  for (const Total *total : roots.totals)
    addStates(states, *total);
}

/// Adds the trip's states to a total.
void ScanKernel::addStates(States &states, const Total &total) {
  auto valueAt = [&](int64_t u) {
    SmallVector<Steps> byChannel;
    eachChannel(
        [&] { byChannel.push_back(evaluate(states, total.sums.value(), u)); });
    return byChannel;
  };
  bool pairs = states.swapsPairs && total.sums.kind == PartialKind::Channels;
  for (int64_t u = 0; u < states.count; u += pairs ? 2 : 1) {
    // Emitted in this order, whatever a compiler does with arguments.
    SmallVector<Steps> own = valueAt(u);
    if (pairs)
      addPair(total, states.states[u], own, valueAt(u + 1));
    else
      addToTotal(states.tile, total, states.states[u], own);
  }
}

/// Result `i` of the trip's states.
void ScanKernel::storeResult(States &states, unsigned i) {
  eachChannel([&] {
    SmallVector<Steps> byState;
    for (int64_t u = 0; u < states.count; ++u)
      byState.push_back(evaluate(states, yield().getValues()[i], u));
    Value position = firstInLoop(states.tile);
    if (fused.resultAccess(i).has(Axis::Segment))
      return storeSegments(states.tile, i,
                           {position, e.toI64(states.states.front())}, byState);
    for (auto [u, steps] : llvm::enumerate(byState))
      storeStepsOf(states.tile, i, {position, e.toI64(states.states[u])}, steps,
                   1);
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
    return stepsInLoop(states.tile, value);
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
  int64_t items = schedule.stateItems();
  Value state = states.states[u];
  if (body.home(value) == Home::Table)
    return Steps(items, readTable(tables.at(value), state));
  if (body.isStagedTile(value))
    return readStaged(states.tile, value, state);
  if (auto argument = dyn_cast<BlockArgument>(value))
    return loadSteps(&states.tile, argument, firstInLoop(states.tile),
                     e.toI64(state), {Axis::Length, items});
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
    auto exp = steps.back().re.getDefiningOp<math::Exp2Op>();
    if (exp && isa<math::Exp2Op>(op))
      markExp(exp, k, schedule.getFmaExps());
  }
  return steps;
}

/// Marks the exponential of a thread's step `step`, if it is among the `count`
/// of eight that are polynomials.
void ScanKernel::markExp(Operation *exp, int64_t step, int64_t count) {
  if (isExpOnFma(step, count))
    exp->setAttr(kOnFmaAttrName, e.getUnitAttr());
}

/// Begins to scan the trip's states side by side: their chains are independent.
void ScanKernel::beginScans(States &states, RecurrenceOp op) {
  LocationScope place(e, op.getLoc());
  std::vector<LocalScan> &scans = states.scans[op];
  for (int64_t u = 0; u < states.count; ++u)
    eachChannel([&] {
      LocalScan &scan = scans.emplace_back();
      readScan(op, scan, [&](Value v) { return evaluate(states, v, u); });
      scan.decay = cheapDecay(states.tile, op, [&](Value c) {
        return evaluate(states, c, u).front();
      });
      orderScan(states.tile, op, scan);
    });
  stateLevels.begin(scans, needsStates());
  skipMissing(states.tile, op, scans);
}

void ScanKernel::finishScans(States &states, RecurrenceOp op) {
  LocationScope place(e, op.getLoc());
  std::vector<LocalScan> &scans = states.scans[op];
  waitForBaton(states.tile, op, states.trip(e));
  auto scan = scans.begin();
  for (int64_t u = 0; u < states.count; ++u)
    eachChannel([&] {
      scan->carry = readTable(carries[indexOf(op)], states.states[u]);
      scan->row = at.channels[channel].row;
      scan->number = u;
      ++scan;
    });
  Value slot = e.rem(states.trip(e), 2);
  stateLevels.finish(scans, slot, needsStates(), isMirrored(op));
  for (auto [number, scan] : llvm::enumerate(scans))
    takeStates(op, scan, states.values[number]);
}
