//===- ScanKernelStage.cpp - What all channels of a tile share ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/DefaultSchedule.h"

using namespace mlir;
using namespace mlir::ssm;

/// The input of 16-bit floats that a staged value is, where they stay so.
BlockArgument ScanKernel::packedInput(Value value) {
  auto widened = value.getDefiningOp<arith::ExtFOp>();
  if (!schedule.packs() || !widened)
    return nullptr;
  auto argument = dyn_cast<BlockArgument>(widened.getIn());
  return argument && operands.isHalf(argument.getArgNumber()) ? argument
                                                              : nullptr;
}

/// How a staged value lies in shared memory.
ScanKernel::StagedShape ScanKernel::shapeOf(Value value) {
  StagedShape shape;
  shape.element = packedInput(value) ? Type(e.getI16Type()) : e.getF32Type();
  shape.elementBytes = packedInput(value) ? 2 : 4;
  int64_t items = schedule.stateItems();
  shape.segment =
      stagedSegmentBytes(items, shape.elementBytes) / shape.elementBytes;
  shape.row = schedule.tileSteps() / items * shape.segment;
  shape.tile = fused.stateExtent() * shape.row;
  return shape;
}

/// Shared memory of a block up to which a second buffer costs no occupancy.
static constexpr int64_t kDoubleBufferBytes = 48 * 1024;

void ScanKernel::allocateStaged() {
  int64_t bytes = 0;
  for (Value value : body.stagedTiles())
    if (isNeeded(value))
      bytes += shapeOf(value).tileBytes() * (isComplexValue(value) ? 2 : 1);
  int64_t teams = schedule.teams();
  if (memory.size() + 2 * teams * bytes <= kDoubleBufferBytes)
    stagedBuffers = 2;
  for (Value value : body.stagedTiles()) {
    if (!isNeeded(value))
      continue;
    int64_t floats = teams * stagedBuffers * shapeOf(value).tileBytes() / 4;
    Table table;
    table.re = memory.allocate(floats);
    if (isComplexValue(value))
      table.im = memory.allocate(floats);
    staged[value] = table;
  }
}

/// An address in the buffer that a tile uses of a staged table, at byte `table`
/// of shared memory: one of its team's. What differs by tile comes first, since
/// it stays the same in the loop over n.
Value ScanKernel::stagedAddress(const StagedPlace &place, int64_t table) {
  StagedShape shape = shapeOf(place.value);
  Value base = kernel.shared(table);
  if (stagedBuffers == 2 || isRelay()) {
    Value buffer = e.mul(at.team, stagedBuffers);
    if (stagedBuffers == 2)
      buffer = e.add(buffer, place.tile.slot);
    base = e.offset(base, e.mul(buffer, shape.tile), shape.element);
  }
  Value index = e.mul(place.segment, shape.segment);
  if (place.step)
    index = e.add(index, place.step);
  index = e.add(e.mul(place.state, shape.row), index);
  return e.offset(base, index, shape.element);
}

//===----------------------------------------------------------------------===//
// Writing: all threads of the team together
//===----------------------------------------------------------------------===//

/// Cuts the tile into runs along the unit axis of the first staged input, as
/// wide as its loads.
ScanKernel::Staging ScanKernel::staging() {
  Staging cut;
  int64_t states = fused.stateExtent();
  for (BlockArgument argument : fused.getBlock()->getArguments()) {
    if (body.home(argument) != Home::Staged)
      continue;
    unsigned i = argument.getArgNumber();
    if (operands.unitAxis(i) == Axis::State)
      cut.along = Axis::State;
    // A run must not leave its segment, whose steps lie side by side.
    int64_t extent = cut.along == Axis::State ? states : schedule.stateItems();
    cut.width = operands.inputWidth(i, {cut.along, extent});
    break;
  }
  cut.runs = states * schedule.tileSteps() / cut.width;
  return cut;
}

/// Neighbouring threads take neighbouring runs of steps, which is where memory
/// and shared memory both want them.
ScanKernel::StagePoint ScanKernel::stagePoint(const Staging &cut, Value item) {
  bool alongSteps = cut.along == Axis::Length;
  int64_t runsOfSteps = schedule.tileSteps() / (alongSteps ? cut.width : 1);
  Value step = e.rem(item, runsOfSteps), state = e.div(item, runsOfSteps);
  if (alongSteps)
    return {e.mul(step, cut.width), state};
  return {step, e.mul(state, cut.width)};
}

/// The first position of a run that starts at `step` (i32, within the tile).
Value ScanKernel::stagePosition(Tile &tile, const Staging &cut, Value step) {
  return inLength(e.add(tile.start, e.toI64(step)),
                  cut.along == Axis::Length ? cut.width : 1);
}

/// Loads the operands of the runs that this thread stages in `tile`; their
/// words, for unflatten().
SmallVector<Value> ScanKernel::loadAhead(Tile &tile) {
  Staging cut = staging();
  int64_t threads = schedule.teamThreads();
  aheadShape.clear();
  if (staged.empty() || cut.runs > kRunsAhead * threads)
    return {};
  return eitherWay(tile, [&](Value limit) {
    SmallVector<Value> words;
    aheadShape.clear();
    for (int64_t number = 0; number * threads < cut.runs; ++number) {
      // Threads without a run load the last one, and do not stage it.
      Value item = e.add(at.teamThread, number * threads);
      if ((number + 1) * threads > cut.runs)
        item = e.min(item, e.i32(cut.runs - 1));
      loadRunAhead(tile, cut, item, number, limit, words);
    }
    return words;
  });
}

void ScanKernel::loadRunAhead(Tile &tile, const Staging &cut, Value item,
                              int64_t number, Value limit,
                              SmallVectorImpl<Value> &words) {
  StagePoint point = stagePoint(cut, item);
  Value position = stagePosition(tile, cut, point.step);
  Value state = e.toI64(point.state);
  for (BlockArgument argument : fused.getBlock()->getArguments()) {
    unsigned i = argument.getArgNumber();
    if (body.home(argument) != Home::Staged || !isNeeded(argument) ||
        !fused.inputAccess(i).has(cut.along))
      continue;
    SmallVector<Value> raw = operands.loadRaw(
        i, baseOf(argument), position, state, {cut.along, cut.width}, limit);
    aheadShape.push_back({argument, number, raw.size()});
    words.append(raw);
  }
}

ScanKernel::Ahead ScanKernel::unflatten(ValueRange words) {
  Ahead ahead;
  for (auto [argument, item, count] : aheadShape) {
    ahead.push_back(
        {argument, item, SmallVector<Value>(words.take_front(count))});
    words = words.drop_front(count);
  }
  return ahead;
}

void ScanKernel::stageTile(Tile &tile) {
  Staging cut = staging();
  int64_t threads = schedule.teamThreads();
  constexpr int64_t kUnrolled = 8;
  if (cut.runs > kUnrolled * threads)
    return e.loop(at.teamThread, e.i32(cut.runs), threads,
                  [&](Value item) { stageItem(tile, cut, item, -1); });
  for (int64_t number = 0; number * threads < cut.runs; ++number) {
    Value item = e.add(at.teamThread, number * threads);
    if ((number + 1) * threads <= cut.runs)
      stageItem(tile, cut, item, number);
    else
      e.ifThen(e.lessThan(item, e.i32(cut.runs)),
               [&] { stageItem(tile, cut, item, number); });
  }
}

/// Computes and writes one run, the thread's `number`th.
void ScanKernel::stageItem(Tile &tile, const Staging &cut, Value item,
                           int64_t number) {
  auto [step, state] = stagePoint(cut, item);
  int64_t items = schedule.stateItems();
  Value position = stagePosition(tile, cut, step);
  llvm::DenseMap<Value, Steps> known;
  for (const AheadValue &value : tile.ahead)
    if (value.item == number && body.home(value.argument) == Home::Staged)
      known[value.argument] =
          operands.widen(value.argument.getArgNumber(), value.raw);
  for (Value value : body.stagedTiles()) {
    if (!staged.contains(value))
      continue;
    LocationScope place(e, value.getLoc());
    Steps numbers =
        evaluateRun({&tile, position, e.toI64(state), {cut.along, cut.width}},
                    value, known);
    writeStaged({tile, value, state, e.div(step, items), e.rem(step, items)},
                numbers, cut.along);
  }
}

/// Writes a run of numbers that starts at `place`.
void ScanKernel::writeStaged(const StagedPlace &place, ArrayRef<Number> numbers,
                             Axis along) {
  const Table &table = staged[place.value];
  StagedShape shape = shapeOf(place.value);
  bool alongSteps = along == Axis::Length;
  Value address = stagedAddress(place, table.re);
  if (BlockArgument argument = packedInput(place.value)) {
    unsigned i = argument.getArgNumber();
    if (alongSteps)
      return operands.storeShared(i, address, numbers);
    for (auto [k, number] : llvm::enumerate(numbers))
      operands.storeShared(
          i, e.offset(address, shape.row * shape.elementBytes * int64_t(k)),
          number);
    return;
  }
  SmallVector<Value> re, im;
  for (const Number &number : numbers) {
    re.push_back(number.re);
    if (number.isComplex())
      im.push_back(number.im);
  }
  int64_t stride = alongSteps ? 1 : shape.row;
  storeFloats(e, re, address, stride);
  if (!im.empty())
    storeFloats(e, im, stagedAddress(place, table.im), stride);
}

/// A run of a value that inputs alone give, straight from memory.
ScanKernel::Steps ScanKernel::evaluateRun(const RunPoint &point, Value value,
                                          llvm::DenseMap<Value, Steps> &known) {
  Run run = point.run;
  if (body.home(value) == Home::Invariant)
    return Steps(run.count, invariant(value));
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Steps numbers;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    // What lacks the run's axis is the same for all of it.
    bool hasAxis = fused.inputAccess(argument.getArgNumber()).has(run.along);
    numbers = loadSteps(point.tile, argument, point.position, point.state,
                        hasAxis ? run : Run{run.along, 1});
    if (!hasAxis)
      numbers = Steps(run.count, numbers.front());
    return known[value] = numbers;
  }
  SmallVector<Steps> inputs;
  for (Value operand : value.getDefiningOp()->getOperands())
    inputs.push_back(evaluateRun(point, operand, known));
  for (int64_t j = 0; j < run.count; ++j) {
    SmallVector<Number> scalars;
    for (const Steps &input : inputs)
      scalars.push_back(input[j]);
    numbers.push_back(emitBodyOp(e, *value.getDefiningOp(), scalars));
  }
  return known[value] = numbers;
}

//===----------------------------------------------------------------------===//
// Reading: each thread its own steps
//===----------------------------------------------------------------------===//

ScanKernel::Steps ScanKernel::readStaged(Tile &tile, Value value, Value state) {
  LocationScope place(e, value.getLoc());
  const Table &table = staged[value];
  int64_t items = schedule.stateItems();
  StagedPlace from = {tile, value, state, atStates.segment, nullptr};
  Value address = stagedAddress(from, table.re);
  if (BlockArgument argument = packedInput(value))
    return operands.loadShared(argument.getArgNumber(), address, items);
  SmallVector<Value> re = loadFloats(e, address, items), im;
  if (table.im >= 0)
    im = loadFloats(e, stagedAddress(from, table.im), items);
  Steps steps;
  for (int64_t k = 0; k < items; ++k)
    steps.push_back({re[k], im.empty() ? Value() : im[k]});
  return steps;
}
