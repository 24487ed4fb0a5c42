//===- ScanKernelTile.cpp - One tile of a kernel --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// The loop over tiles
//===----------------------------------------------------------------------===//

/// Full tiles in a loop, then the one that L ends in, if this block has it.
void ScanKernel::emitTiles() {
  Value length = kernel.length();
  Value full = e.div(length, schedule.tileSteps());
  Value all = e.ceilDiv(length, schedule.tileSteps());
  Value from = e.i64(0), to = all;
  if (part != KernelPart::Whole) {
    Value perChunk = e.ceilDiv(all, schedule.getChunks());
    from = e.mul(at.chunk, perChunk);
    to = e.min(e.add(from, perChunk), all);
  }
  int64_t mark = memory.used();
  emitFullTiles(from, e.min(to, full));
  memory.rewind(mark);
  // Chunks past the end have from > to: nothing is left for them.
  Value isLast = e.conjunction(e.lessThan(full, to), e.lessThan(from, to));
  e.ifThen(isLast, [&] {
    Tile tile = tileAt(full, /*masked=*/true);
    emitTile(tile);
  });
}

/// Each trip asks for the operands of the next tile before it computes its
/// own, so that memory works while the block does.
void ScanKernel::emitFullTiles(Value from, Value to) {
  e.ifThen(e.lessThan(from, to), [&] {
    Tile first = tileAt(from, /*masked=*/false);
    SmallVector<Value> init = flatten(loadAhead(first));
    Value lastTile = e.sub(to, e.i64(1));
    e.loop(from, to, 1, init,
           [&](Value index, ValueRange raw) -> SmallVector<Value> {
             Tile tile = tileAt(index, /*masked=*/false);
             tile.ahead = unflatten(raw);
             Tile next =
                 tileAt(e.min(e.add(index, 1), lastTile), /*masked=*/false);
             SmallVector<Value> loaded;
             emitTile(tile, [&] { loaded = flatten(loadAhead(next)); });
             return loaded;
           });
  });
}

ScanKernel::Tile ScanKernel::tileAt(Value index, bool masked) {
  Tile tile;
  tile.start = e.mul(index, schedule.tileSteps());
  tile.first =
      e.add(tile.start, e.toI64(e.mul(at.segment, schedule.getItems())));
  tile.slot = e.rem(e.toI32(index), 2);
  if (!masked)
    return tile;
  tile.limit = kernel.length();
  for (int64_t k = 0; k < schedule.getItems(); ++k)
    tile.valid.push_back(e.lessThan(e.add(tile.first, k), tile.limit));
  return tile;
}

/// Emits everything that a tile does; `afterStaging` once the block no longer
/// needs the registers that staged values came in.
void ScanKernel::emitTile(Tile &tile, function_ref<void()> afterStaging) {
  // With one buffer, others may still read the last tile's staged values.
  if (!staged.empty() && stagedBuffers == 1)
    e.barrier();
  if (!staged.empty())
    stageTile(tile);
  // Staged values, tables and carries come from other threads.
  e.barrier();
  if (afterStaging)
    afterStaging();
  for (unsigned level = 0; level < body.dependence().numLevels(); ++level)
    emitStateLoop(tile, level);
  if (isCarries()) {
    for (RecurrenceOp op : body.recurrences(/*perState=*/false))
      stepsOf(tile, op.getState());
    return;
  }
  storeSteps(tile);
}

//===----------------------------------------------------------------------===//
// Operands of the next tile
//===----------------------------------------------------------------------===//

ScanKernel::Ahead ScanKernel::loadAhead(Tile &tile) {
  Ahead ahead;
  for (BlockArgument argument : fused.getBlock()->getArguments())
    if (body.home(argument) == Home::Step && isNeeded(argument))
      ahead.push_back({argument, 0,
                       operands.loadRaw(argument.getArgNumber(),
                                        bases[argument], tile.first, nullptr,
                                        {Axis::Length, schedule.getItems()})});
  loadStagedAhead(tile, ahead);
  aheadShape.clear();
  for (const AheadValue &value : ahead)
    aheadShape.push_back({value.argument, value.item, value.raw.size()});
  return ahead;
}

SmallVector<Value> ScanKernel::flatten(const Ahead &ahead) {
  SmallVector<Value> raw;
  for (const AheadValue &value : ahead)
    raw.append(value.raw);
  return raw;
}

ScanKernel::Ahead ScanKernel::unflatten(ValueRange raw) {
  Ahead ahead;
  for (auto [argument, item, count] : aheadShape) {
    ahead.push_back(
        {argument, item, SmallVector<Value>(raw.take_front(count))});
    raw = raw.drop_front(count);
  }
  return ahead;
}

/// What was loaded ahead for `argument`; empty for nothing.
ArrayRef<Value> ScanKernel::rawAhead(const Tile &tile, BlockArgument argument,
                                     int64_t item) const {
  for (const AheadValue &value : tile.ahead)
    if (value.argument == argument && value.item == item)
      return value.raw;
  return {};
}

//===----------------------------------------------------------------------===//
// Values of a step
//===----------------------------------------------------------------------===//

/// Emits the steps of `value` (home: Step) unless they are known.
const ScanKernel::Steps &ScanKernel::stepsOf(Tile &tile, Value value) {
  if (auto it = tile.steps.find(value); it != tile.steps.end())
    return it->second;
  Steps steps;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    steps =
        operands.load(argument.getArgNumber(), bases[argument], tile.first,
                      nullptr, {Axis::Length, schedule.getItems()}, tile.limit);
  } else if (auto recurrence = value.getDefiningOp<RecurrenceOp>()) {
    steps = recurrenceSteps(tile, recurrence);
  } else if (auto sum = value.getDefiningOp<SumOp>()) {
    // A sum over n of what has no n; others are known from their loop.
    Type type = sum.getType();
    Number count = e.constant(type, static_cast<double>(fused.stateExtent()));
    for (const Number &number : stepsOfOperand(tile, sum.getValue()))
      steps.push_back(e.mulf(number, count));
  } else {
    Operation &op = *value.getDefiningOp();
    SmallVector<Steps> inputs;
    for (Value operand : op.getOperands())
      inputs.push_back(stepsOfOperand(tile, operand));
    for (int64_t k = 0; k < schedule.getItems(); ++k) {
      SmallVector<Number> numbers;
      for (const Steps &input : inputs)
        numbers.push_back(input[k]);
      steps.push_back(emitBodyOp(e, op, numbers));
    }
  }
  return tile.steps[value] = std::move(steps);
}

/// The steps of any value without n, invariants repeated.
ScanKernel::Steps ScanKernel::stepsOfOperand(Tile &tile, Value value) {
  if (body.home(value) == Home::Invariant)
    return Steps(schedule.getItems(), invariants.at(value));
  return stepsOf(tile, value);
}

//===----------------------------------------------------------------------===//
// Recurrences
//===----------------------------------------------------------------------===//

/// Steps past the end leave the state as it is.
void ScanKernel::maskSteps(Tile &tile, Steps &a, Steps &b) {
  for (auto [k, valid] : llvm::enumerate(tile.valid)) {
    Type type = a[k].re.getType();
    if (a[k].isComplex())
      type = ComplexType::get(type);
    a[k] = e.select(valid, a[k], e.one(type));
    b[k] = e.select(valid, b[k], e.zero(type));
  }
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

/// The sum of a step value over the thread's valid steps, emitted once.
Number ScanKernel::sumOfSteps(Tile &tile, Value value) {
  if (auto it = tile.sums.find(value); it != tile.sums.end())
    return it->second;
  Steps numbers = stepsOf(tile, value);
  Number zero = e.zero(value.getType());
  for (auto [k, valid] : llvm::enumerate(tile.valid))
    numbers[k] = e.select(valid, numbers[k], zero);
  Number sum = numbers[0];
  for (const Number &number : ArrayRef<Number>(numbers).drop_front())
    sum = e.addf(sum, number);
  return tile.sums[value] = sum;
}

/// exp2(c * sum of x), with `factor` giving c, where splitDecay applies and
/// the decay of a segment is asked for at all.
std::optional<Number>
ScanKernel::cheapDecay(Tile &tile, RecurrenceOp op,
                       function_ref<Number(Value)> factor) {
  bool isSerial = schedule.getLanes() == 1 && schedule.getWarpsL() == 1;
  std::optional<std::pair<Value, Value>> split = splitDecay(op);
  if (!split || (isSerial && !isCarries()))
    return std::nullopt;
  Number exponent =
      e.mulf(sumOfSteps(tile, split->first), factor(split->second));
  return Number{math::Exp2Op::create(e, exponent.re), nullptr};
}

/// Keeps what the tile leaves to the next one. Only the threads with the last
/// segment know it.
void ScanKernel::finishCarry(unsigned i, const LocalScan &scan, Value state) {
  writeTable(carries[i], state, scan.end);
  if (isCarries())
    writeTable(decays[i], state,
               e.mulf(readTable(decays[i], state), scan.tile.decay));
}

/// A recurrence without states, outside of any loop over n.
ScanKernel::Steps ScanKernel::recurrenceSteps(Tile &tile, RecurrenceOp op) {
  unsigned i = indexOf(op);
  LocalScan scan;
  scan.a = stepsOfOperand(tile, op.getA());
  scan.b = stepsOfOperand(tile, op.getB());
  maskSteps(tile, scan.a, scan.b);
  scan.decay = cheapDecay(tile, op, [&](Value c) { return invariants.at(c); });
  scan.carry = readTable(carries[i], nullptr);
  levels.run(scan, tile.slot, /*needStates=*/!isCarries());
  e.ifThen(levels.isLastSegment(), [&] { finishCarry(i, scan, nullptr); });
  return scan.states;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Results with l and without n; those with n are stored in their loop.
void ScanKernel::storeSteps(Tile &tile) {
  for (auto [i, value] : llvm::enumerate(yield().getValues())) {
    AccessAttr access = fused.resultAccess(i);
    if (fused->getResult(i).use_empty() || !access.has(Axis::Length) ||
        body.dependence().dependsOn(value, Axis::State))
      continue;
    Steps steps = body.home(value) == Home::Invariant
                      ? Steps(schedule.getItems(), invariants.at(value))
                      : stepsOf(tile, value);
    if (!access.has(Axis::State)) {
      storeStepsOf(tile, i, nullptr, steps);
      continue;
    }
    e.loop(e.i32(0), e.i32(fused.stateExtent()), 1,
           [&](Value n) { storeStepsOf(tile, i, e.toI64(n), steps); });
  }
}

void ScanKernel::storeStepsOf(Tile &tile, unsigned result, Value state,
                              ArrayRef<Number> numbers) {
  Value owns = ownsResult(result);
  Value base = operands.resultBase(result);
  if (!tile.limit)
    return e.ifThen(owns, [&] {
      operands.storeRun(result, base, tile.first, state, numbers);
    });
  for (auto [k, number] : llvm::enumerate(numbers))
    e.ifThen(e.conjunction(owns, tile.valid[k]), [&] {
      operands.store(result, base, e.add(tile.first, static_cast<int64_t>(k)),
                     state, number);
    });
}

/// The threads that write a result: one channel of one sequence writes what
/// depends on neither.
Value ScanKernel::ownsResult(unsigned result) {
  AccessAttr access = fused.resultAccess(result);
  Value owns = at.channelValid;
  if (!access.has(Axis::Channel))
    owns = e.conjunction(owns,
                         e.equals(e.add(at.firstChannel, e.toI64(at.row)), 0));
  if (!access.has(Axis::Batch))
    owns = e.conjunction(owns, e.equals(at.batch, 0));
  return owns;
}
