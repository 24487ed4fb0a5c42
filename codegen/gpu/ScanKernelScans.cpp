//===- ScanKernelScans.cpp - The recurrences of a tile --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a scan needs of the body, and what a tile leaves of it to the next one.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;

/// What the steps of a scan need. Where the body has h + g and the next state
/// is a (h + g), the scan takes that way: the sum comes with it, and no one
/// needs a g.
void ScanKernel::readScan(RecurrenceOp op, LocalScan &scan,
                          function_ref<Steps(Value)> stepsOf) {
  std::optional<EnteredState> entered = findEntered(op);
  scan.addsFirst = entered.has_value();
  scan.a = stepsOf(op.getA());
  scan.b = stepsOf(entered ? entered->entering : op.getB());
}

/// Where a = exp2(x c) with x of the step and c not, the decay of a segment
/// is one exponential of c times the sum of x.
std::optional<std::pair<Value, Value>> ScanKernel::splitDecay(RecurrenceOp op) {
  auto exp = op.getA().getDefiningOp<math::Exp2Op>();
  auto product =
      exp ? exp.getOperand().getDefiningOp<arith::MulFOp>() : arith::MulFOp();
  if (!product)
    return std::nullopt;
  for (auto [x, c] : {std::pair(product.getLhs(), product.getRhs()),
                      std::pair(product.getRhs(), product.getLhs())})
    if (body.home(x) == Home::Step &&
        !body.dependence().dependsOn(c, Axis::Length))
      return std::pair(x, c);
  return std::nullopt;
}

/// The sum of a step value over the thread's steps, emitted once.
Number ScanKernel::sumOfSteps(Tile &tile, Value value) {
  auto &known = tile.sums[channel];
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Steps numbers = stepsOf(tile, value);
  Number sum = numbers[0];
  for (const Number &number : ArrayRef<Number>(numbers).drop_front())
    sum = e.addf(sum, number);
  return known[value] = sum;
}

/// exp2(c * sum of x), with `factor` giving c, where splitDecay applies and
/// the decay of a segment is asked for at all.
std::optional<Number>
ScanKernel::cheapDecay(Tile &tile, RecurrenceOp op,
                       function_ref<Number(Value)> factor) {
  std::optional<std::pair<Value, Value>> split = splitDecay(op);
  if (!split || splits() || !levelsOf(op).joinsSegments(needsStates()))
    return std::nullopt;
  Number exponent =
      e.mulf(sumOfSteps(tile, split->first), factor(split->second));
  return Number{math::Exp2Op::create(e, exponent.re), nullptr};
}

/// The state behind the last step of a tile that L ends in, in the thread that
/// holds that step: its number `step` (i32).
Number ScanKernel::stateAfter(const LocalScan &scan, Value step) {
  Number state = scan.states.front();
  for (size_t k = 1; k < scan.states.size(); ++k)
    state = e.select(e.lessThan(step, e.i32(k)), state, scan.states[k]);
  return state;
}

/// Keeps what the tile leaves to the next one, or to the results without l;
/// `scans` are by state, then by channel. Only the thread with the tile's last
/// step knows it.
void ScanKernel::finishCarries(Tile &tile, RecurrenceOp op,
                               ArrayRef<LocalScan> scans,
                               ArrayRef<Value> states) {
  unsigned i = indexOf(op);
  // The next tile starts from a checkpoint.
  if (isReplaying() && !isMirrored(op))
    return;
  // `step`: of the thread, the last one of the sequence; null: the tile's last.
  auto write = [&](Value step) {
    const LocalScan *scan = scans.begin();
    for (int64_t u = 0; scan != scans.end(); ++u)
      eachChannel([&] {
        Value state = states.empty() ? Value() : states[u];
        writeTable(carries[i], state,
                   step ? stateAfter(*scan, step) : scan->end);
        if (isCarries())
          writeTable(decays[i], state,
                     e.mulf(readTable(decays[i], state), scan->tile.decay));
        ++scan;
      });
  };
  // In a loop over n, a lane that splits states has the whole tile.
  const Place &place = states.empty() ? at : atStates;
  const ScanLevels &scanned = levelsOf(op);
  int64_t items = states.empty() ? schedule.getItems() : schedule.stateItems();
  // Lanes of one warp read what one of them overwrites; those of several have
  // met at a barrier since.
  if (schedule.getLanes() > 1 && schedule.scanWarps() == 1)
    e.warpBarrier();
  // What a tile that L ends in leaves is read only where a result asks for it.
  if (!body.isLastRead(op) || isAhead() || isReplaying() || !meetsEnd())
    return e.ifThen(scanned.isLastSegment(isMirrored(op)),
                    [&] { write(nullptr); });
  if (hasWholeRuns()) {
    Value steps =
        e.min(e.sub(kernel.length(), tile.start), e.i64(schedule.tileSteps()));
    Value segments = e.div(e.toI32(steps), items);
    return e.ifThen(e.equals(e.add(place.segment, 1), segments),
                    [&] { write(nullptr); });
  }
  // Stores alone, so that the assembler needs no branch in a full tile.
  e.ifThen(e.conjunction(scanned.isLastSegment(), tile.isFull),
           [&] { write(nullptr); });
  Value end = e.add(tile.start, schedule.tileSteps());
  Value last = e.toI32(e.sub(e.sub(kernel.length(), e.i64(1)), tile.start));
  e.ifThen(e.conjunction(e.lessThan(kernel.length(), end),
                         e.equals(place.segment, e.div(last, items))),
           [&] { write(e.rem(last, items)); });
}

/// A recurrence without states, outside of any loop over n: the steps of all
/// channels of the thread.
void ScanKernel::scanSteps(Tile &tile, RecurrenceOp op) {
  LocationScope place(e, op.getLoc());
  unsigned i = indexOf(op);
  std::vector<LocalScan> scans;
  eachChannel([&] {
    LocalScan &scan = scans.emplace_back();
    readScan(op, scan, [&](Value v) { return stepsOfOperand(tile, v); });
    scan.decay = cheapDecay(tile, op, [&](Value c) { return invariant(c); });
    scan.row = at.channels[channel].row;
    orderScan(tile, op, scan);
  });
  waitForBaton(tile, op, e.i32(0));
  eachChannel([&] { scans[channel].carry = readTable(carries[i], nullptr); });
  levels.begin(scans, needsStates());
  skipMissing(tile, op, scans);
  levels.finish(scans, tile.slot, needsStates(), isMirrored(op));
  finishCarries(tile, op, scans, {});
  passBaton(op, e.i32(0));
  eachChannel([&] { takeStates(op, scans[channel], tile.steps[channel]); });
}
