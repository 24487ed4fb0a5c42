//===- ScanKernelStage.cpp - What all channels of a tile share ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"

using namespace mlir;
using namespace mlir::ssm;

/// Floats that one thread's segment takes in a staged tile: padded so that the
/// 16-byte reads of neighbouring segments fall into different banks.
static int64_t segmentFloats(int64_t items) {
  return items % 4 == 0 ? items + 4 : items | 1;
}

static int64_t stagedRow(ScheduleAttr schedule) {
  return schedule.getLanes() * schedule.getWarpsL() *
         segmentFloats(schedule.getItems());
}

void ScanKernel::allocateStaged() {
  int64_t floats = fused.stateExtent() * stagedRow(schedule);
  for (Value value : body.stagedTiles()) {
    if (!isNeeded(value))
      continue;
    Table table;
    table.re = memory.allocate(floats);
    if (isComplexValue(value))
      table.im = memory.allocate(floats);
    staged[value] = table;
  }
}

//===----------------------------------------------------------------------===//
// Writing: all threads of the block together
//===----------------------------------------------------------------------===//

/// Index of step `step` (i32, within the tile) at `state` in a staged tile.
Value ScanKernel::stagedIndex(Value step, Value state) {
  int64_t items = schedule.getItems();
  Value segment = e.div(step, items);
  Value index = e.add(e.mul(segment, segmentFloats(items)), e.rem(step, items));
  return e.add(e.mul(state, stagedRow(schedule)), index);
}

/// Cuts the tile into runs along the unit axis of the first staged input, as
/// wide as its loads, and deals them to the threads.
void ScanKernel::stageTile(Tile &tile) {
  Axis along = Axis::Length;
  int64_t width = 1, states = fused.stateExtent();
  for (BlockArgument argument : fused.getBlock()->getArguments()) {
    if (body.home(argument) != Home::Staged)
      continue;
    unsigned i = argument.getArgNumber();
    along = operands.unitAxis(i) == Axis::State ? Axis::State : Axis::Length;
    // A run must not leave its segment, whose steps lie side by side.
    int64_t extent = along == Axis::State ? states : schedule.getItems();
    width = operands.inputWidth(i, {along, extent});
    break;
  }
  int64_t runs = states * schedule.tileSteps() / width;
  int64_t threads = schedule.threads();
  constexpr int64_t kUnrolled = 8;
  if (runs > kUnrolled * threads)
    return e.loop(at.thread, e.i32(runs), threads,
                  [&](Value item) { stageItem(tile, item, along, width); });
  for (int64_t first = 0; first < runs; first += threads) {
    Value item = e.add(at.thread, first);
    if (first + threads <= runs)
      stageItem(tile, item, along, width);
    else
      e.ifThen(e.lessThan(item, e.i32(runs)),
               [&] { stageItem(tile, item, along, width); });
  }
}

/// Computes and writes one run. Neighbouring threads take neighbouring runs
/// of steps, which is where memory and shared memory both want them.
void ScanKernel::stageItem(Tile &tile, Value item, Axis along, int64_t width) {
  bool alongSteps = along == Axis::Length;
  int64_t runsOfSteps = schedule.tileSteps() / (alongSteps ? width : 1);
  Value step = e.rem(item, runsOfSteps), state = e.div(item, runsOfSteps);
  if (alongSteps)
    step = e.mul(step, width);
  else
    state = e.mul(state, width);
  Value position = e.add(tile.start, e.toI64(step));
  llvm::DenseMap<Value, Steps> known;
  for (Value value : body.stagedTiles()) {
    if (!staged.contains(value))
      continue;
    Steps numbers = evaluateStaged(value, position, e.toI64(state),
                                   {along, width}, tile.limit, known);
    const Table &table = staged[value];
    for (auto [j, number] : llvm::enumerate(numbers)) {
      int64_t offset = static_cast<int64_t>(j);
      Value index = stagedIndex(alongSteps ? e.add(step, offset) : step,
                                alongSteps ? state : e.add(state, offset));
      auto write = [&](int64_t base, Value word) {
        e.store(word, e.offset(kernel.shared(base), index, e.getF32Type()), 4);
      };
      write(table.re, number.re);
      if (number.isComplex())
        write(table.im, number.im);
    }
  }
}

ScanKernel::Steps
ScanKernel::evaluateStaged(Value value, Value position, Value state, Run run,
                           Value limit, llvm::DenseMap<Value, Steps> &known) {
  if (body.home(value) == Home::Invariant)
    return Steps(run.count, invariants.at(value));
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Steps numbers;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned i = argument.getArgNumber();
    // What lacks the run's axis is the same for all of it.
    bool hasAxis = fused.inputAccess(i).has(run.along);
    numbers = operands.load(i, bases[argument], position, state,
                            hasAxis ? run : Run{run.along, 1}, limit);
    if (!hasAxis)
      numbers = Steps(run.count, numbers.front());
    return known[value] = numbers;
  }
  SmallVector<Steps> inputs;
  for (Value operand : value.getDefiningOp()->getOperands())
    inputs.push_back(
        evaluateStaged(operand, position, state, run, limit, known));
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

ScanKernel::Steps ScanKernel::readStaged(Tile &, Value value, Value state) {
  const Table &table = staged[value];
  int64_t items = schedule.getItems();
  Value index = e.add(e.mul(state, stagedRow(schedule)),
                      e.mul(at.segment, segmentFloats(items)));
  auto readWords = [&](int64_t base) {
    Value address = e.offset(kernel.shared(base), index, e.getF32Type());
    return loadFloats(e, address, items);
  };
  SmallVector<Value> re = readWords(table.re), im;
  if (table.im >= 0)
    im = readWords(table.im);
  Steps steps;
  for (int64_t k = 0; k < items; ++k)
    steps.push_back({re[k], im.empty() ? Value() : im[k]});
  return steps;
}
