//===- ScanKernelTotals.cpp - Sums over sequences, steps and channels -----===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a block sums of a total, by its kind (PartialSums.h):
//
//   Steps:    each thread adds its steps to entries of its own in shared
//             memory; behind the tiles, those of a channel are added.
//   Channels: each warp adds its channels down to `apart` sums, and keeps those
//             of the tile in shared memory; behind the states, or behind each
//             group of many, those of all warps are added.
//   Points:   nothing; every point is written.
//
// All orders are fixed, so that two runs give the same bits, unless the
// schedule lets blocks add their sums by atomics. TotalKernel adds what the
// blocks have written.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/DefaultSchedule.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Entries in shared memory
//===----------------------------------------------------------------------===//

int64_t ScanKernel::statesOf(const Total &total) {
  return total.perState ? fused.stateExtent() : 1;
}

void ScanKernel::allocateTotals() {
  for (Total &total : totals) {
    if (total.sums.kind == PartialKind::Points)
      continue;
    bool isSteps = total.sums.kind == PartialKind::Steps;
    int64_t states = statesOf(total);
    total.words = isSteps
                      ? schedule.threads() * schedule.getChannels() *
                            summedRowWords(states)
                      : schedule.teams() * sumsOfTile() * keptStates(total) *
                            summedTileWords(schedule.tileSteps());
    bool isComplex = isComplexValue(total.sums.value());
    total.shared = memory.allocate(total.words * (isComplex ? 2 : 1));
  }
}

Number ScanKernel::loadEntry(const Total &total, Value entry) {
  auto word = [&](int64_t part) {
    return e.loadShared(kernel.shared(total.shared + 4 * part * total.words),
                        entry);
  };
  return {word(0), isComplexValue(total.sums.value()) ? word(1) : Value()};
}

void ScanKernel::storeEntry(const Total &total, Value entry,
                            const Number &number) {
  for (auto [part, word] : llvm::enumerate(number.words())) {
    int64_t offset = 4 * static_cast<int64_t>(part) * total.words;
    e.store(
        word,
        e.offset(kernel.shared(total.shared + offset), entry, e.getF32Type()),
        4);
  }
}

/// The entry of a thread's channel number `c`.
Value ScanKernel::ownEntry(const Total &total, Value thread, int64_t c,
                           Value state) {
  Value row = e.add(e.mul(thread, schedule.getChannels()), c);
  Value entry = e.mul(row, summedRowWords(statesOf(total)));
  return state ? e.add(entry, state) : entry;
}

/// Sums over channels that a team keeps of each step and state.
int64_t ScanKernel::sumsOfTile() {
  return schedule.getWarpsD() * schedule.sumsApart();
}

/// States whose sums over channels shared memory holds at a time.
int64_t ScanKernel::keptStates(const Total &total) {
  return total.perState
             ? mlir::ssm::keptStates(statesOf(total), schedule.getUnroll(),
                                     schedule.getStages())
             : 1;
}

/// The entry of a step of the tile in sum number `apart` of a warp. The sums of
/// a state lie side by side: a tile's row is 4 words longer than it has steps,
/// so that lanes of two of them write to different banks.
Value ScanKernel::tileEntry(const Total &total, Value state, TileSum sum,
                            Value step) {
  Value row = e.add(e.mul(at.team, schedule.getWarpsD()), sum.warp);
  int64_t kept = keptStates(total);
  row = e.mul(row, kept);
  if (state)
    row = e.add(row, kept < statesOf(total) ? e.rem(state, kept) : state);
  row = e.add(e.mul(row, schedule.sumsApart()), sum.apart);
  return e.add(e.mul(row, summedTileWords(schedule.tileSteps())), step);
}

/// Neighbours from `entry` on: a multiple of 4 words, where they fill such.
void ScanKernel::storeRun(const Total &total, Value entry,
                          ArrayRef<Number> numbers) {
  constexpr size_t kWord = 4;
  if (!isComplexValue(total.sums.value()) && numbers.size() % kWord == 0)
    return e.storeNumbers(
        numbers, e.offset(kernel.shared(total.shared), entry, e.getF32Type()));
  for (auto [j, number] : llvm::enumerate(numbers))
    storeEntry(total, e.add(entry, static_cast<int64_t>(j)), number);
}

/// Each thread its own: no one else reads them before the end.
void ScanKernel::clearTotals() {
  for (const Total &total : totals) {
    if (total.sums.kind != PartialKind::Steps)
      continue;
    Value first = ownEntry(total, at.thread, 0, nullptr);
    int64_t words = schedule.getChannels() * summedRowWords(statesOf(total));
    Number zero = e.zero(total.sums.value().getType());
    e.loop(e.i32(0), e.i32(words), 1,
           [&](Value i) { storeEntry(total, e.add(first, i), zero); });
  }
}

//===----------------------------------------------------------------------===//
// One state of a tile, or what has none
//===----------------------------------------------------------------------===//

void ScanKernel::addSteps(Tile &tile, const Total &total, Value state,
                          ArrayRef<Steps> byChannel) {
  Number zero = e.zero(total.sums.value().getType());
  for (auto [c, numbers] : llvm::enumerate(byChannel)) {
    Number sum;
    for (auto [k, number] : llvm::enumerate(numbers)) {
      Number own = hasWholeRuns() ? number : orElse(tile, number, k, zero);
      sum = k == 0 ? own : e.addf(sum, own);
    }
    if (hasWholeRuns())
      sum = orElse(tile, sum, 0, zero);
    Value entry = ownEntry(total, at.thread, c, state);
    storeEntry(total, entry, e.addf(loadEntry(total, entry), sum));
  }
}

/// True in the upper half of the lanes along the channels, of each group of
/// neighbours that `distance` lanes divide in two.
Value ScanKernel::isUpperChannel(int64_t distance) {
  return e.equals(e.rem(e.div(at.laneChannel, distance), 2), 1);
}

Number ScanKernel::fromChannel(const Number &number, int64_t distance) {
  return e.swapLanes(number, laneOrder.channelStride(distance));
}

/// Sums over groups of `count` lanes along the channels, down to those that are
/// kept apart. While lanes hold several numbers, neighbours give each other one
/// half, and keep the sums of the other.
ScanKernel::LaneShare ScanKernel::addLanes(Steps numbers, int64_t count) {
  LaneShare share = {std::move(numbers), e.i32(0), nullptr};
  for (int64_t distance = count / 2; distance >= schedule.sumsApart();
       distance /= 2) {
    Value isUpper = isUpperChannel(distance);
    size_t half = share.numbers.size() / 2;
    if (share.numbers.size() % 2 != 0) {
      for (Number &number : share.numbers)
        number = e.addf(number, fromChannel(number, distance));
      Value isLower = e.negation(isUpper);
      share.owns = share.owns ? e.conjunction(share.owns, isLower) : isLower;
      continue;
    }
    Steps kept;
    for (size_t k = 0; k < half; ++k) {
      const Number &low = share.numbers[k], &high = share.numbers[half + k];
      Number given = fromChannel(e.select(isUpper, low, high), distance);
      kept.push_back(e.addf(e.select(isUpper, high, low), given));
    }
    share.numbers = std::move(kept);
    Value skipped = arith::SelectOp::create(
        e, isUpper, e.i32(static_cast<int64_t>(half)), e.i32(0));
    share.first = e.add(share.first, skipped);
  }
  return share;
}

/// The thread's steps, summed over its channels.
ScanKernel::Steps ScanKernel::overOwnChannels(const Total &total,
                                              ArrayRef<Steps> byChannel) {
  Steps sums;
  for (auto [c, numbers] : llvm::enumerate(byChannel))
    for (auto [k, number] : llvm::enumerate(numbers)) {
      Number own = number;
      if (!allChannelsExist())
        own = e.select(at.channels[c].valid, number,
                       e.zero(total.sums.value().getType()));
      if (c == 0)
        sums.push_back(own);
      else
        sums[k] = e.addf(sums[k], own);
    }
  return sums;
}

/// Adds up `sums` over `count` lanes, and keeps what that gives.
void ScanKernel::keepLanes(const Total &total, Value state, Steps sums,
                           int64_t count) {
  LaneShare share = addLanes(std::move(sums), count);
  Value first = e.add(e.mul(at.segment, schedule.getItems()), share.first);
  TileSum sum = {isRelay() ? e.i32(0)
                           : e.div(e.div(at.thread, 32), schedule.scanWarps()),
                 e.rem(at.laneChannel, schedule.sumsApart())};
  auto store = [&] {
    storeRun(total, tileEntry(total, state, sum, first), share.numbers);
  };
  if (share.owns)
    e.ifThen(share.owns, store);
  else
    store();
}

void ScanKernel::addChannels(const Total &total, Value state,
                             ArrayRef<Steps> byChannel) {
  keepLanes(total, state, overOwnChannels(total, byChannel),
            schedule.channelLanes());
}

/// Both states of a pair that lanes take in their own order: of the second one,
/// each has what another lane took first. `state` is what it takes first.
void ScanKernel::addPair(const Total &total, Value state, ArrayRef<Steps> first,
                         ArrayRef<Steps> second) {
  int64_t half = schedule.channelLanes() / 2;
  Steps sums = overOwnChannels(total, first);
  for (auto [sum, number] : llvm::zip(sums, overOwnChannels(total, second)))
    sum = e.addf(sum, fromChannel(number, half));
  keepLanes(total, state, std::move(sums), half);
}

void ScanKernel::storePoints(Tile &tile, const Total &total, Value state,
                             ArrayRef<Steps> byChannel) {
  eachChannel([&] {
    e.ifThen(ownsPartial(total), [&] {
      for (auto [k, number] : llvm::enumerate(byChannel[channel])) {
        Value position = e.add(tile.first, static_cast<int64_t>(k));
        Value isThere = hasWholeRuns() ? tile.inside : isInLength(position);
        e.ifThen(isThere, [&, number = number] {
          e.storeNumbers(number, partialAddress(total, position, state));
        });
      }
    });
  });
}

/// Takes the thread's steps, by channel, at `state`.
void ScanKernel::addToTotal(Tile &tile, const Total &total, Value state,
                            ArrayRef<Steps> byChannel) {
  switch (total.sums.kind) {
  case PartialKind::Steps:
    return addSteps(tile, total, state, byChannel);
  case PartialKind::Channels:
    return addChannels(total, state, byChannel);
  case PartialKind::Points:
    return storePoints(tile, total, state, byChannel);
  }
}

/// Totals of what has l and no n.
void ScanKernel::addStepTotals(Tile &tile) {
  for (const Total &total : totals) {
    if (total.perState || !total.sums.has(Axis::Length))
      continue;
    SmallVector<Steps> byChannel;
    eachChannel(
        [&] { byChannel.push_back(stepsOfOperand(tile, total.sums.value())); });
    addToTotal(tile, total, nullptr, byChannel);
  }
}

//===----------------------------------------------------------------------===//
// Behind the states of a tile, or a group of them
//===----------------------------------------------------------------------===//

/// States of a group whose sums are added up before the next group's are.
int64_t ScanKernel::groupStates() {
  return statesOfGroup(fused.stateExtent(), schedule.getUnroll(),
                       schedule.getStages());
}

/// True where these sums are added up group by group, in the loop over n.
bool ScanKernel::isInGroups(const Total &total) {
  return total.sums.kind == PartialKind::Channels && total.perState &&
         groupStates() < statesOf(total);
}

/// What the tile sums over channels, but for what the loops over n have stored.
void ScanKernel::storeTileTotals(Tile &tile) {
  SmallVector<const Total *> rest;
  for (const Total &total : totals)
    if (total.sums.kind == PartialKind::Channels && !isInGroups(total))
      rest.push_back(&total);
  storeTileTotals(tile, rest, nullptr);
}

/// The sums over all channels of the block; of a group of states, from `first`
/// (i32) on, or of all.
void ScanKernel::storeTileTotals(Tile &tile, ArrayRef<const Total *> sums,
                                 Value first) {
  if (sums.empty())
    return;
  // The barrier behind the staging of the next tile, or behind the next group,
  // keeps its sums from overtaking these.
  teamBarrier();
  // No store in between, whose branch the reads of the next sums would wait
  // for.
  SmallVector<TileTotal> few;
  for (const Total *total : sums)
    llvm::append_range(few, fewTileTotals(tile, *total, first));
  for (const TileTotal &own : few)
    storeTileTotal(own);
  for (const Total *total : sums)
    if (!hasFewRuns(*total))
      e.loop(at.teamThread, e.i32(numTileRuns(*total)), schedule.teamThreads(),
             [&](Value item) {
               storeTileTotal(tileTotalAt(tile, *total, first, item));
             });
}

/// Threads take steps side by side, as many as memory moves at once.
int64_t ScanKernel::numTileRuns(const Total &total) {
  return schedule.tileSteps() / tileRun(total) *
         (total.perState ? groupStates() : 1);
}

/// True where a thread's registers hold all its sums of a total.
bool ScanKernel::hasFewRuns(const Total &total) {
  constexpr int64_t kFew = 2;
  return numTileRuns(total) <= kFew * schedule.teamThreads();
}

/// The sums of all runs that this thread takes of a total, if they are few.
SmallVector<ScanKernel::TileTotal>
ScanKernel::fewTileTotals(Tile &tile, const Total &total, Value first) {
  SmallVector<TileTotal> few;
  int64_t runs = numTileRuns(total), threads = schedule.teamThreads();
  if (!hasFewRuns(total))
    return few;
  eachItem(at.teamThread, threads, runs, [&](Value item, Value exists) {
    few.push_back(tileTotalAt(tile, total, first, item));
    if (exists)
      few.back().owns = e.conjunction(few.back().owns, exists);
  });
  return few;
}

/// The sums over all channels of the block of run `item` (i32), which counts
/// from state `first` on.
ScanKernel::TileTotal ScanKernel::tileTotalAt(Tile &tile, const Total &total,
                                              Value first, Value item) {
  int64_t width = tileRun(total), rowRuns = schedule.tileSteps() / width;
  Value step = e.mul(e.rem(item, rowRuns), width);
  Value state = total.perState ? e.div(item, rowRuns) : Value();
  if (first)
    state = e.add(first, state);
  TileTotal sums = {
      &total, state, e.add(tile.start, e.toI64(step)), nullptr, {}};
  sums.owns =
      inOneSequence(isInLength(sums.position), total.sums.has(Axis::Batch));
  for (int64_t i = 0; i < sumsOfTile(); ++i) {
    TileSum sum = {e.i32(i / schedule.sumsApart()),
                   e.i32(i % schedule.sumsApart())};
    addRun(total, tileEntry(total, sums.state, sum, step), width, sums.numbers);
  }
  return sums;
}

void ScanKernel::storeTileTotal(const TileTotal &sums) {
  e.ifThen(sums.owns, [&] {
    Value address = partialAddress(*sums.total, sums.position, sums.state);
    if (sums.total->sums.isAtomic)
      e.addToMemory(sums.numbers, address);
    else
      e.storeNumbers(sums.numbers, address);
  });
}

/// Steps of a tile that lie side by side in memory whose runs all exist and are
/// aligned: a position that counts from the end has them the other way round.
int64_t ScanKernel::tileRun(const Total &total) {
  constexpr int64_t kRun = 4;
  bool isAligned = plan.lengthMultiple() % kRun == 0 &&
                   schedule.tileSteps() % kRun == 0 &&
                   !operands.countsFromEnd();
  return isAligned && !isComplexValue(total.sums.value()) ? kRun : 1;
}

/// Adds the entries from `entry` on to `sums`, or starts them.
void ScanKernel::addRun(const Total &total, Value entry, int64_t width,
                        Steps &sums) {
  Steps own;
  if (width == 1) {
    own.push_back(loadEntry(total, entry));
  } else {
    Value address =
        e.offset(kernel.shared(total.shared), entry, e.getF32Type());
    own = e.loadNumbers(address, width, /*isComplex=*/false);
  }
  if (sums.empty()) {
    sums = std::move(own);
    return;
  }
  for (auto [sum, number] : llvm::zip(sums, own))
    sum = e.addf(sum, number);
}

//===----------------------------------------------------------------------===//
// Behind the tiles
//===----------------------------------------------------------------------===//

/// The thread that has the channel in row `row` of the block in its slot along
/// L: a lane of a warp there, or of a team.
Value ScanKernel::threadOf(Value row, Value slot) {
  int64_t lanes = schedule.getLanes(), count = schedule.channelLanes();
  Value own = e.div(row, schedule.getChannels());
  Value segment = e.rem(slot, lanes);
  Value lane = laneOrder.lane(e, segment, e.rem(own, count));
  Value warp = e.mul(e.div(own, count), schedule.getWarpsL());
  warp = e.add(warp, e.div(slot, lanes));
  return e.add(e.mul(warp, 32), lane);
}

/// What all threads of the current channel have added to a total of steps.
Number ScanKernel::sumOfEntries(const Total &total, Value state) {
  Value row = at.channels[channel].row;
  Value own = e.rem(row, schedule.getChannels());
  Number zero = e.zero(total.sums.value().getType());
  SmallVector<Value> words = e.loop(
      e.i32(0), e.i32(schedule.getLanes() * schedule.getWarpsL()), 1,
      SmallVector<Value>(zero.words()),
      [&](Value slot, ValueRange carried) -> SmallVector<Value> {
        SmallVector<Value> before(carried);
        ArrayRef<Value> rest(before);
        Number sum = takeNumber(rest, zero.isComplex());
        Value entry = ownEntry(total, threadOf(row, slot), 0, state);
        entry = e.add(entry, e.mul(own, summedRowWords(statesOf(total))));
        return SmallVector<Value>(e.addf(sum, loadEntry(total, entry)).words());
      });
  ArrayRef<Value> rest(words);
  return takeNumber(rest, zero.isComplex());
}

/// Emits `body` for each channel of the block that this thread does.
void ScanKernel::eachOwnRow(function_ref<void()> body) {
  e.loop(at.thread, e.i32(schedule.tileChannels()), schedule.threads(),
         [&](Value row) { withChannel(row, body); });
}

/// Totals of steps, and of what is known after the last step.
void ScanKernel::storeTotals() {
  auto store = [&](bool perState, StateRun run) {
    for (const Total &total : totals)
      if (total.perState == perState)
        storeTotal(total, run);
  };
  auto has = [&](bool perState) {
    return llvm::any_of(
        totals, [=](const Total &total) { return total.perState == perState; });
  };
  if (has(/*perState=*/true))
    eachOwnStates([&](StateRun run) { store(/*perState=*/true, run); });
  if (has(/*perState=*/false))
    eachOwnRow([&] { store(/*perState=*/false, {}); });
}

void ScanKernel::storeTotal(const Total &total, StateRun run) {
  bool isSteps = total.sums.kind == PartialKind::Steps;
  if (!isSteps && total.sums.has(Axis::Length))
    return;
  Value owns = ownsPartial(total);
  if (!isSteps && isChunked())
    owns = e.conjunction(owns, holdsEnd);
  e.ifThen(owns, [&] {
    for (int64_t k = 0; k < run.count; ++k) {
      Value state = run.first ? e.add(run.first, k) : Value();
      llvm::DenseMap<Value, Number> known;
      Number number = isSteps ? sumOfEntries(total, state)
                              : evaluateLast(total.sums.value(), state, known);
      e.storeNumbers(number, partialAddress(total, nullptr, state));
    }
  });
}

//===----------------------------------------------------------------------===//
// Partial sums in memory
//===----------------------------------------------------------------------===//

/// Of so many groups, that of the block's channels.
Value ScanKernel::groupOfBlock(int64_t groups) {
  if (groups == 1)
    return e.i64(0);
  return e.div(at.firstChannel, e.div(kernel.channels(), groups));
}

/// Where the block, or the current channel, writes; `position` (i64) and
/// `state` (i32) where the partial sums have l and n.
Value ScanKernel::partialAddress(const Total &total, Value position,
                                 Value state) {
  unsigned tensor = total.sums.tensor;
  auto indexOf = [&](const mamba::DimSpec &dim) -> Value {
    switch (dim.axis) {
    case mamba::Axis::Batch:
      return at.batch;
    case mamba::Axis::Channel:
      return total.sums.kind == PartialKind::Channels
                 ? e.div(at.firstChannel, dim.divisor)
                 : at.channels[channel].index;
    case mamba::Axis::Length:
      return operands.stepAt(position);
    case mamba::Axis::State:
      return e.toI64(state);
    default:
      return total.sums.isAtomic ? groupOfBlock(dim.extent) : at.chunk;
    }
  };
  Value offset = e.i64(0);
  for (auto [i, dim] : llvm::enumerate(plan.tensor(tensor).dims))
    offset = e.add(offset, e.mul(indexOf(dim), kernel.stride(tensor, i)));
  bool isComplex = isComplexValue(total.sums.value());
  return e.offset(kernel.pointer(tensor), e.mul(offset, isComplex ? 2 : 1),
                  e.getF32Type());
}

/// The current channel exists, and writes what lacks its axes only if it is the
/// first one of all.
Value ScanKernel::ownsPartial(const Total &total) {
  Value owns = at.channels[channel].valid;
  if (!total.sums.has(Axis::Channel))
    owns = e.conjunction(owns, e.equals(at.channels[channel].index, 0));
  return inOneSequence(owns, total.sums.has(Axis::Batch));
}
