//===- ScanKernelTile.cpp - One tile of a kernel --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// The loop over tiles
//===----------------------------------------------------------------------===//

ScanKernel::TileRange ScanKernel::tileRange() {
  Value all = e.ceilDiv(kernel.length(), schedule.tileSteps());
  if (part == KernelPart::Whole)
    return {e.i64(0), all};
  // Nothing is replayed from the end of the last tile.
  if (part == KernelPart::Checkpoints && !isChunked())
    return {e.i64(0), e.sub(all, e.i64(1))};
  auto [from, to] = scannedTiles(all);
  if (walksFromEnd()) {
    Value first = e.sub(all, to);
    to = e.sub(all, from), from = first;
  }
  // Chunks past the end have no tiles. A sequence without steps ends in the
  // first one.
  Value hasEnd = walksFromEnd() ? e.equals(from, 0) : e.equals(to, all);
  holdsEnd = e.conjunction(
      hasEnd, e.disjunction(e.lessThan(from, to), e.equals(at.chunk, 0)));
  // Nothing follows the tile that L ends in: no one asks for its carry.
  if (isCarries() && !walksFromEnd())
    to = e.min(to, e.div(kernel.length(), schedule.tileSteps()));
  if (part == KernelPart::Checkpoints)
    to = e.min(to, e.sub(all, e.i64(1)));
  return {from, to};
}

/// The tiles of this block's chunk, or of the part of it whose segment it
/// finds, by number in the order of the scan.
ScanKernel::TileRange ScanKernel::scannedTiles(Value all) {
  Value each = e.ceilDiv(all, schedule.chunkUnits());
  int64_t parts = isCarries() ? schedule.getCarryParts() : 1;
  Value start = e.min(e.mul(e.div(at.chunk, parts), each), all);
  Value end = e.min(e.add(start, each), all);
  if (parts > 1) {
    each = e.ceilDiv(each, parts);
    start = e.min(e.add(start, e.mul(e.rem(at.chunk, parts), each)), end);
    end = e.min(e.add(start, each), end);
  }
  if (isCarries() || schedule.chunkUnits() == schedule.getChunks())
    return {start, end};
  Value isLast = e.equals(at.chunk, e.i64(schedule.getChunks() - 1));
  return {start, arith::SelectOp::create(e, isLast, all, end)};
}

/// A team takes every teams()th tile, counted by turns. Where recurrences are
/// replayed, the tiles come from the end; weighted sums take them against the
/// scan.
Value ScanKernel::tileOfTurn(const TileRange &range, Value turn) {
  if (takesLastFirst())
    return e.sub(e.sub(range.to, e.i64(1)), turn);
  return e.add(e.add(range.from, e.toI64(at.team)),
               e.mul(turn, schedule.teams()));
}

/// Asks for what the first tile of each team needs. There may be no tile.
ScanKernel::FirstTile ScanKernel::requestFirstTile() {
  FirstTile first;
  first.range = tileRange();
  first.start = tileOfTurn(first.range, e.i64(0));
  Value exists = hasTiles(first);
  first.words = e.ifElse(
      exists,
      [&] {
        Tile tile = tileAt(first.start, e.i64(0));
        SmallVector<Value> words = loadAhead(tile);
        first.stagedWords = words.size();
        if (schedule.getPrefetch())
          words.append(requestOwnSteps(tile));
        SmallVector<Value> checkpoints = requestCheckpoints(tile);
        first.checkpointWords = checkpoints.size();
        words.append(checkpoints);
        return words;
      },
      [&](Type type) -> Value { return LLVM::PoisonOp::create(e, type); });
  return first;
}

/// Each trip asks for what it will stage in the next tile, and with `prefetch`
/// for its steps there, before it computes its own, so that memory works while
/// the block does. Else it asks for its own steps first, while it stages.
void ScanKernel::emitTiles(const FirstTile &first) {
  e.ifThen(hasTiles(first), [&] {
    bool prefetch = schedule.getPrefetch() > 0;
    Value turns = turnsOf(first);
    e.loop(e.i64(0), turns, 1, first.words,
           [&](Value turn, ValueRange raw) -> SmallVector<Value> {
             Tile tile = tileAt(tileOfTurn(first.range, turn), turn);
             tile.ahead = unflatten(raw.take_front(first.stagedWords));
             tile.checkpoints =
                 llvm::to_vector(raw.take_back(first.checkpointWords));
             SmallVector<Value> own(raw.drop_front(first.stagedWords)
                                        .drop_back(first.checkpointWords));
             takeOwnSteps(tile, prefetch ? own : requestOwnSteps(tile));
             Value after = e.add(turn, 1);
             Tile next = tileAt(tileInRange(first.range, after), after);
             return emitTile(tile, next);
           });
  });
}

/// The tile of a turn, or the last one where there is none.
Value ScanKernel::tileInRange(const TileRange &range, Value turn) {
  if (isOneTeam())
    return tileOfTurn(
        range, e.min(turn, e.sub(e.sub(range.to, range.from), e.i64(1))));
  return e.min(tileOfTurn(range, turn), e.sub(range.to, e.i64(1)));
}

Value ScanKernel::hasTiles(const FirstTile &first) {
  if (isOneTeam())
    return e.lessThan(first.range.from, first.range.to);
  return e.lessThan(first.start, first.range.to);
}

Value ScanKernel::turnsOf(const FirstTile &first) {
  if (isOneTeam())
    return e.sub(first.range.to, first.range.from);
  return e.ceilDiv(e.sub(first.range.to, first.start), schedule.teams());
}

/// Tile `index`, the team's number `turn`.
ScanKernel::Tile ScanKernel::tileAt(Value index, Value turn) {
  Tile tile;
  tile.number = index;
  tile.steps.resize(channels.size());
  tile.sums.resize(channels.size());
  tile.spread.resize(channels.size());
  tile.weights.resize(channels.size());
  tile.start = e.mul(index, schedule.tileSteps());
  tile.first =
      e.add(tile.start, e.toI64(e.mul(at.segment, schedule.getItems())));
  tile.turn = e.toI32(turn);
  tile.slot = e.rem(tile.turn, 2);
  if (hasWholeRuns()) {
    tile.inside = e.lessThan(tile.first, kernel.length());
    tile.first = inLength(tile.first, schedule.getItems());
  } else if (meetsEnd())
    tile.isFull = e.lessThan(e.add(tile.start, schedule.tileSteps() - 1),
                             kernel.length());
  return tile;
}

/// True where L is known to end between threads: no run needs to be cut.
bool ScanKernel::hasWholeRuns() const {
  return meetsEnd() && plan.lengthMultiple() % schedule.stateItems() == 0;
}

/// The first of `count` positions to read: as given, or the last ones there are
/// where those do not exist and L is known to end between runs.
Value ScanKernel::inLength(Value position, int64_t count) {
  if (!hasWholeRuns())
    return position;
  return e.min(position, e.sub(kernel.length(), e.i64(count)));
}

/// True (i1) for a position (i64) of a tile that the sequence has.
Value ScanKernel::isInLength(Value position) {
  return meetsEnd() ? e.lessThan(position, kernel.length()) : e.always();
}

/// The number of a thread's step, or `missing` for one past the end.
Number ScanKernel::orElse(Tile &tile, const Number &number, int64_t step,
                          const Number &missing) {
  if (!meetsEnd())
    return number;
  if (hasWholeRuns())
    return e.select(tile.inside, number, missing);
  Value left = e.toI32(e.sub(kernel.length(), tile.first));
  return e.select(e.lessThan(e.i32(step), left), number, missing);
}

/// Emits `body` for a full tile, and for one that L ends in, where it gets the
/// extent of L; a tile takes one of the two. Only what touches memory differs:
/// steps past the end compute what no one reads, since a scan carries nothing
/// back to the steps before them.
SmallVector<Value>
ScanKernel::eitherWay(Tile &tile,
                      function_ref<SmallVector<Value>(Value)> body) {
  if (!tile.isFull)
    return body(nullptr);
  return e.ifElse(
      tile.isFull, [&] { return body(nullptr); },
      [&] { return body(kernel.length()); });
}

/// Emits everything that a tile does, and asks for what the next one needs: the
/// words of it.
SmallVector<Value> ScanKernel::emitTile(Tile &tile, Tile &next) {
  // With one buffer, others may still read the last tile's staged values.
  if ((!staged.empty() && stagedBuffers == 1) || isReplaying())
    teamBarrier();
  if (!staged.empty())
    stageTile(tile);
  if (isReplaying())
    loadCheckpoints(tile);
  if (!inputRows.empty())
    e.waitForCopies();
  // Staged and copied values come from other threads, and where all share a
  // tile, tables and carries too.
  teamBarrier();
  takeEarlyRows(tile);
  // The registers that staged values came in are free again.
  SmallVector<Value> asked = loadAhead(next);
  if (schedule.getPrefetch() > 0)
    asked.append(requestOwnSteps(next));
  // A result may want a value without l at every step, in a loop of its own.
  unsigned levels = std::max(body.dependence().numLevels(), 1u);
  for (unsigned level = 0; level < levels; ++level)
    emitStateLoop(tile, level);
  // Only their last states may be results.
  for (RecurrenceOp op : body.scans(/*perState=*/false))
    if (isScanned(op))
      stepsOf(tile, op.getState());
  if (part == KernelPart::Checkpoints) {
    teamBarrier();
    storeCheckpoints(e.add(tile.number, 1));
  }
  // Behind the loops over n, which need all registers.
  asked.append(requestCheckpoints(next));
  if (isAhead())
    return asked;
  storeSteps(tile);
  addStepTotals(tile);
  storeTileTotals(tile);
  return asked;
}

//===----------------------------------------------------------------------===//
// Values of a step
//===----------------------------------------------------------------------===//

/// Visits the inputs that a thread reads for itself: for each channel, or at
/// once for the `joined` channels of the thread.
void ScanKernel::eachOwnInput(
    function_ref<void(BlockArgument, int64_t joined)> visit) {
  int64_t count = schedule.getChannels();
  for (BlockArgument argument : fused.getBlock()->getArguments()) {
    if (body.home(argument) != Home::Step || !isNeeded(argument) ||
        inputRows.contains(argument))
      continue;
    if (operands.inputJoinsChannels(argument.getArgNumber(), count))
      visit(argument, count);
    else
      eachChannel([&] { visit(argument, 1); });
  }
}

/// Asks for the steps of these inputs: what the loads give, input by input.
SmallVector<Value> ScanKernel::requestOwnSteps(Tile &tile) {
  int64_t items = schedule.getItems();
  if (!inputRows.empty())
    requestRows(tile);
  return eitherWay(tile, [&](Value limit) {
    SmallVector<Value> loaded;
    ownWords.clear();
    eachOwnInput([&](BlockArgument argument, int64_t joined) {
      unsigned i = argument.getArgNumber();
      Value base = baseOf(argument);
      SmallVector<Value> raw =
          joined > 1 ? operands.loadRawAcross(i, base, tile.first, items,
                                              joined, limit)
                     : operands.loadRaw(i, base, tile.first, nullptr,
                                        {Axis::Length, items}, limit);
      ownWords.push_back(raw.size());
      loaded.append(raw);
    });
    return loaded;
  });
}

void ScanKernel::takeOwnSteps(Tile &tile, ArrayRef<Value> words) {
  const size_t *count = ownWords.begin();
  eachOwnInput([&](BlockArgument argument, int64_t joined) {
    Steps all =
        operands.widen(argument.getArgNumber(), words.take_front(*count));
    for (int64_t c = 0; c < joined; ++c) {
      Steps &own = tile.steps[channel + c][argument];
      for (size_t k = c; k < all.size(); k += joined)
        own.push_back(all[k]);
    }
    words = words.drop_front(*count++);
  });
}

/// Elements of an input that are not loaded ahead.
ScanKernel::Steps ScanKernel::loadSteps(Tile *tile, BlockArgument argument,
                                        Value position, Value state, Run run) {
  unsigned i = argument.getArgNumber();
  auto load = [&](Value limit) {
    return operands.loadRaw(i, baseOf(argument), position, state, run, limit);
  };
  bool hasLength = fused.inputAccess(i).has(Axis::Length);
  return operands.widen(i, hasLength ? eitherWay(*tile, load) : load(nullptr));
}

/// Emits the steps of `value` (home: Step) unless they are known.
const ScanKernel::Steps &ScanKernel::stepsOf(Tile &tile, Value value) {
  auto &known = tile.steps[channel];
  if (auto it = known.find(value); it != known.end())
    return it->second;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    takeRows(argument, tile);
    return tile.steps[channel].find(value)->second;
  }
  if (auto recurrence = value.getDefiningOp<RecurrenceOp>()) {
    scanSteps(tile, scanOf(recurrence));
    return tile.steps[channel].find(value)->second;
  }
  Steps steps;
  if (auto sum = value.getDefiningOp<SumOp>()) {
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
  return tile.steps[channel][value] = std::move(steps);
}

/// The steps of any value without n, invariants repeated.
ScanKernel::Steps ScanKernel::stepsOfOperand(Tile &tile, Value value) {
  if (body.home(value) == Home::Invariant)
    return Steps(schedule.getItems(), invariant(value));
  return stepsOf(tile, value);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Results with l and without n; those with n are stored in their loop.
void ScanKernel::storeSteps(Tile &tile) {
  for (auto [i, value] : llvm::enumerate(yield().getValues())) {
    AccessAttr access = fused.resultAccess(i);
    if (fused->getResult(i).use_empty() || !hasSteps(access) ||
        body.dependence().dependsOn(value, Axis::State) ||
        body.home(value) == Home::Total)
      continue;
    if (access.has(Axis::Segment)) {
      eachChannel([&, i = i, value = value] {
        storeSegments(tile, i, {tile.first}, {stepsOfOperand(tile, value)});
      });
      continue;
    }
    int64_t count = schedule.getChannels();
    if (operands.resultJoinsChannels(i, count))
      storeAtStates(tile, i, stepsOfChannels(tile, value), count);
    else
      eachChannel([&, i = i, value = value] {
        storeAtStates(tile, i, stepsOfOperand(tile, value), 1);
      });
  }
}

/// The steps of a value without n, each with the thread's channels side by
/// side.
ScanKernel::Steps ScanKernel::stepsOfChannels(Tile &tile, Value value) {
  SmallVector<Steps> byChannel;
  eachChannel([&] { byChannel.push_back(stepsOfOperand(tile, value)); });
  Steps steps;
  for (int64_t k = 0; k < schedule.getItems(); ++k)
    for (const Steps &own : byChannel)
      steps.push_back(own[k]);
  return steps;
}

/// Stores what is the same for all states, of `joined` channels a step; where
/// the result has states, at each of them.
void ScanKernel::storeAtStates(Tile &tile, unsigned result,
                               ArrayRef<Number> numbers, int64_t joined) {
  if (!fused.resultAccess(result).has(Axis::State))
    return storeStepsOf(tile, result, {tile.first}, numbers, joined);
  e.loop(e.i32(0), e.i32(fused.stateExtent()), 1, [&](Value n) {
    storeStepsOf(tile, result, {tile.first, e.toI64(n)}, numbers, joined);
  });
}

void ScanKernel::storeStepsOf(Tile &tile, unsigned result, StepsPlace place,
                              ArrayRef<Number> numbers, int64_t joined) {
  Value owns = ownsResult(result);
  if (tile.inside)
    owns = e.conjunction(owns, tile.inside);
  Value base = operands.resultBase(result, at.channels[channel].index);
  auto store = [&](int64_t k) {
    operands.store(result, base, e.add(place.first, k), place.state,
                   numbers.slice(k * joined, joined));
  };
  e.ifThen(owns, [&] {
    eitherWay(tile, [&](Value limit) -> SmallVector<Value> {
      if (!limit && joined == 1) {
        operands.storeRun(result, base, place.first, place.state, numbers);
        return {};
      }
      for (int64_t k = 0; k * joined < std::ssize(numbers); ++k)
        if (limit)
          e.ifThen(e.lessThan(e.add(place.first, k), limit), [&] { store(k); });
        else
          store(k);
      return {};
    });
  });
}

/// Stores what segments start from: at steps of the thread that are multiples
/// of their length, the states from `state`, neighbours in memory.
void ScanKernel::storeSegments(Tile &tile, unsigned result, StepsPlace place,
                               ArrayRef<Steps> byState) {
  int64_t every = fused.resultAccess(result).getEvery();
  Value base = operands.resultBase(result, at.channels[channel].index);
  Value owns = ownsResult(result);
  if (tile.inside)
    owns = e.conjunction(owns, tile.inside);
  // The thread's first step is a multiple of its number of steps.
  int64_t items = std::ssize(byState.front());
  for (int64_t k = 0; k < items; k += std::gcd(items, every)) {
    Value step = e.add(place.first, k);
    Value isFirst = e.equals(e.rem(step, every), 0);
    if (!hasWholeRuns())
      isFirst = e.conjunction(isFirst, isInLength(step));
    e.ifThen(e.conjunction(owns, isFirst), [&] {
      Steps numbers;
      for (const Steps &steps : byState)
        numbers.push_back(steps[k]);
      operands.storeRun(result, base, e.div(step, every), place.state, numbers,
                        Axis::State);
    });
  }
}

/// The threads that write a result: one channel of one sequence writes what
/// depends on neither.
Value ScanKernel::ownsResult(unsigned result) {
  AccessAttr access = fused.resultAccess(result);
  Value owns = at.channels[channel].valid;
  if (!access.has(Axis::Channel))
    owns = e.conjunction(
        owns,
        e.equals(e.add(at.firstChannel, e.toI64(at.channels[channel].row)), 0));
  return inOneSequence(owns, access.has(Axis::Batch));
}

/// What has no batch, all sequences share: the first one writes it.
Value ScanKernel::inOneSequence(Value owns, bool hasBatch) {
  return hasBatch ? owns : e.conjunction(owns, e.equals(at.batch, 0));
}
