//===- ScanKernelLoop.cpp - Loops over the states of a tile ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One stage: a trip scans `unroll` states and adds what they give to the sums.
// Behind 16 of many states, the block adds up their sums over channels.
// Two stages: it begins the next ones before it ends its own, so that the
// exponentials of some fill the waits of the others' chains:
//
//   begin 0
//   for n = 0, 2, ... : begin n + 1, end n, begin n + 2, end n + 1
//   begin the last, end the one before, end the last
//
// Two groups a trip, so that no register has to move from one to the other.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/DefaultSchedule.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// What a loop is for
//===----------------------------------------------------------------------===//

/// States of a trip: `unroll`, or fewer where that does not divide them.
int64_t ScanKernel::statesTogether() {
  return statesOfTrip(ownStates(), schedule.getUnroll());
}

/// Recurrences over states of this level, sums that end with it, and results
/// that have the state axis.
ScanKernel::Roots ScanKernel::rootsAt(unsigned level) {
  const Dependence &dependence = body.dependence();
  auto isHere = [&](Value value, bool isEachStep) {
    const ValueInfo &info = dependence.of(value);
    return info.level == level && info.axes.has(Axis::State) && isEachStep;
  };
  Roots roots;
  for (RecurrenceOp op : body.scans(/*perState=*/true))
    if (isScanned(op) && dependence.of(op.getState()).level == level)
      roots.recurrences.push_back(op);
  // Ahead of the results, recurrences may read sums, but of no states.
  auto isWanted = [&](SumOp op) {
    return isNeeded(op.getResult()) &&
           !(isAhead() && dependence.of(op.getValue()).hasStates);
  };
  for (SumOp op : fused.getBlock()->getOps<SumOp>())
    if (isWanted(op) && isHere(op.getValue(), dependence.dependsOn(
                                                  op.getValue(), Axis::Length)))
      roots.sums.push_back(sumRoot(op, level));
  if (isAhead())
    return roots;
  for (auto [i, value] : llvm::enumerate(yield().getValues()))
    if (isHere(value, hasSteps(fused.resultAccess(i))) &&
        !fused->getResult(i).use_empty() && body.home(value) != Home::Total)
      roots.results.push_back(i);
  for (const Total &total : totals)
    if (isHere(total.sums.value(), total.sums.has(Axis::Length)))
      roots.totals.push_back(&total);
  addReplayed(roots, level);
  return roots;
}

/// Recurrences of earlier loops that are replayed run again in a loop that
/// reads their states: they start from what the tile does, and leave nothing.
void ScanKernel::addReplayed(Roots &roots, unsigned level) {
  llvm::SetVector<Value> read;
  for (RecurrenceOp op : roots.recurrences)
    read.insert(op.getB()), read.insert(op.getA());
  for (SumRoot root : roots.sums)
    read.insert(root.sum.getValue());
  for (unsigned i : roots.results)
    read.insert(yield().getValues()[i]);
  for (const Total *total : roots.totals)
    read.insert(total->sums.value());
  SmallVector<RecurrenceOp> again;
  for (size_t i = 0; i < read.size(); ++i) {
    Operation *op = read[i].getDefiningOp();
    if (!op || body.home(read[i]) != Home::State)
      continue;
    auto recurrence = dyn_cast<RecurrenceOp>(op);
    if (!recurrence)
      read.insert(op->operand_begin(), op->operand_end());
    else if (body.dependence().of(read[i]).level < level &&
             !llvm::is_contained(again, scanOf(recurrence)))
      again.push_back(scanOf(recurrence));
  }
  roots.recurrences.insert(roots.recurrences.begin(), again.begin(),
                           again.end());
}

/// A sum over n has no order, so what is added to it may come first: the steps
/// that it is computed from need no registers during the loop.
ScanKernel::SumRoot ScanKernel::sumRoot(SumOp sum, unsigned level) {
  const Dependence &dependence = body.dependence();
  auto total = sum->hasOneUse() ? dyn_cast<arith::AddFOp>(*sum->user_begin())
                                : arith::AddFOp();
  if (!total)
    return {sum, nullptr, sum};
  Value addend = total.getLhs() == sum ? total.getRhs() : total.getLhs();
  Home home = body.home(addend);
  if ((home != Home::Step && home != Home::Invariant) ||
      dependence.of(addend).level > level)
    return {sum, nullptr, sum};
  return {sum, addend, total};
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// Words that the accumulators start with, by sum, then by channel. Lanes that
/// split states add what comes first behind the loop.
SmallVector<Value> ScanKernel::startOfSums(Tile &tile, const Roots &roots) {
  SmallVector<Value> words;
  for (SumRoot root : roots.sums)
    eachChannel([&] {
      Steps start(schedule.stateItems(), e.zero(root.result.getType()));
      if (root.addend) {
        Steps first = stepsOfOperand(tile, root.addend);
        if (!splits())
          start = first;
      }
      words.append(wordsOf(start));
    });
  return words;
}

/// The accumulators in such words.
SmallVector<ScanKernel::Steps> ScanKernel::sumsIn(StateLoop &loop,
                                                  ArrayRef<Value> words) {
  SmallVector<Steps> sums;
  for (SumRoot root : loop.roots.sums)
    eachChannel([&] {
      sums.push_back(takeNumbers(words, schedule.stateItems(),
                                 isComplexValue(root.result)));
    });
  return sums;
}

/// The trip behind `done` (i32) states of the lane.
ScanKernel::States ScanKernel::tripAt(StateLoop &loop, Value done) {
  int64_t count = loop.together;
  States trip{loop.tile, count, {}, done, {}, {}};
  Value first = firstStateOf(done, count);
  for (int64_t u = 0; u < count; ++u) {
    if (loop.hasSeveralPairs()) {
      trip.states.push_back(e.add(e.add(first, loop.ofPair[u % 2]), u - u % 2));
      continue;
    }
    Value state = e.add(first, u);
    if (loop.swapsPairs)
      state = arith::SelectOp::create(
          e, isUpperChannel(schedule.channelLanes() / 2), e.add(first, u ^ 1),
          state);
    trip.states.push_back(state);
  }
  trip.swapsPairs = loop.swapsPairs;
  trip.values.resize(count * channels.size());
  return trip;
}

/// Ends a trip; the sums, with its terms, in words.
SmallVector<Value> ScanKernel::endTrip(StateLoop &loop, States &trip,
                                       ArrayRef<Value> words) {
  SmallVector<Steps> sums = sumsIn(loop, words);
  emitStates(trip, loop.roots, sums);
  // Behind the sums, so that nothing cuts their code in two.
  for (auto &[op, scans] : trip.scans)
    finishCarries(loop.tile, cast<RecurrenceOp>(op), scans, trip.states);
  for (auto &[op, scans] : trip.scans)
    passBaton(cast<RecurrenceOp>(op), trip.trip(e));
  SmallVector<Value> next;
  for (const Steps &steps : sums)
    next.append(wordsOf(steps));
  return next;
}

void ScanKernel::emitStateLoop(Tile &tile, unsigned level) {
  StateLoop loop{tile, rootsAt(level), statesTogether()};
  Roots &roots = loop.roots;
  if (roots.isEmpty())
    return;
  loop.swapsPairs = swapsPairs(loop);
  if (loop.hasSeveralPairs()) {
    Value upper = isUpperChannel(schedule.channelLanes() / 2);
    loop.ofPair[0] = arith::ExtUIOp::create(e, e.getI32Type(), upper);
    loop.ofPair[1] = e.sub(e.i32(1), loop.ofPair[0]);
  }
  eachChannel([&] { prepareRoots(tile, roots); });
  llvm::SaveAndRestore constants(e.keepsConstantsLast, loop.hasSeveralPairs());
  bool isStaged = dividesIntoStages(ownStates(), schedule.getUnroll(),
                                    schedule.getStages()) &&
                  mayBeginEarly(roots) && !isWeighted();
  SmallVector<Value> words = startOfSums(tile, roots);
  if (isStaged)
    words = emitStagedTrips(loop, words);
  else
    words = emitTrips(loop, words);
  SmallVector<Steps> sums = sumsIn(loop, words);
  const Steps *steps = sums.begin();
  for (SumRoot root : roots.sums)
    eachChannel([&] { takeSum(tile, root, *steps++); });
}

/// One stage; gives the sums in words, as it takes them. Behind each group of
/// states, the block adds up what its warps sum of them over channels.
SmallVector<Value> ScanKernel::emitTrips(StateLoop &loop,
                                         ArrayRef<Value> sums) {
  auto trips = [&](Value from, Value to, ArrayRef<Value> words) {
    return e.loop(from, to, loop.together, words,
                  [&](Value n, ValueRange carried) -> SmallVector<Value> {
                    States trip = tripAt(loop, n);
                    return endTrip(loop, trip, llvm::to_vector(carried));
                  });
  };
  SmallVector<const Total *> grouped;
  llvm::copy_if(loop.roots.totals, std::back_inserter(grouped),
                [&](const Total *total) { return isInGroups(*total); });
  if (grouped.empty())
    return trips(e.i32(0), e.i32(ownStates()), sums);
  int64_t group = groupStates();
  return e.loop(e.i32(0), e.i32(ownStates()), group, sums,
                [&](Value first, ValueRange carried) -> SmallVector<Value> {
                  SmallVector<Value> words = trips(first, e.add(first, group),
                                                   llvm::to_vector(carried));
                  storeTileTotals(loop.tile, grouped, first);
                  return words;
                });
}

/// Where lanes sum over channels, those of one half give what those of the
/// other one keep: if each takes what it keeps first, no one has to choose.
/// Results with n are written as neighbours, in order.
bool ScanKernel::swapsPairs(const StateLoop &loop) {
  bool hasSums = llvm::any_of(loop.roots.totals, [](const Total *total) {
    return total->sums.kind == PartialKind::Channels;
  });
  return hasSums && loop.roots.results.empty() && loop.together % 2 == 0 &&
         schedule.channelLanes() > 1;
}

void ScanKernel::takeSum(Tile &tile, const SumRoot &root, const Steps &sums) {
  Steps own = collect(sums);
  if (splits() && root.addend)
    for (auto [sum, first] : llvm::zip(own, stepsOfOperand(tile, root.addend)))
      sum = e.addf(sum, first);
  tile.steps[channel][root.result] = own;
}

/// Emits, before the loop, the step values that it reads.
void ScanKernel::prepareRoots(Tile &tile, Roots &roots) {
  DenseSet<Value> prepared;
  for (RecurrenceOp op : roots.recurrences) {
    prepare(tile, op.getB(), prepared);
    if (isWeighted()) {
      weighSteps(tile, op);
      continue;
    }
    prepare(tile, op.getA(), prepared);
    if (auto split = splitDecay(op); split && !splits())
      sumOfSteps(tile, split->first);
  }
  for (SumRoot root : roots.sums)
    prepare(tile, root.sum.getValue(), prepared);
  for (unsigned i : roots.results)
    prepare(tile, yield().getValues()[i], prepared);
  for (const Total *total : roots.totals)
    prepare(tile, total->sums.value(), prepared);
}

/// Looks at each value once: a body may use one in many ways.
void ScanKernel::prepare(Tile &tile, Value value, DenseSet<Value> &prepared) {
  if (!prepared.insert(value).second)
    return;
  if (body.home(value) == Home::Step)
    stepsInLoop(tile, value);
  Operation *op = value.getDefiningOp();
  if (body.home(value) != Home::State || !op || isa<RecurrenceOp>(op))
    return;
  for (Value operand : op->getOperands())
    prepare(tile, operand, prepared);
}

//===----------------------------------------------------------------------===//
// Two stages
//===----------------------------------------------------------------------===//

/// Gives the sums in words, as it takes them.
SmallVector<Value> ScanKernel::emitStagedTrips(StateLoop &loop,
                                               ArrayRef<Value> sums) {
  int64_t states = ownStates(), together = loop.together;
  States first = tripAt(loop, e.i32(0));
  SmallVector<Value> words(sums);
  words.append(beginEarly(first, loop.roots));
  auto begunIn = [&](ArrayRef<Value> all, Value n) {
    States trip = tripAt(loop, n);
    takeBegun(trip, loop.roots, all.drop_front(sums.size()));
    return trip;
  };
  words = e.loop(e.i32(0), e.i32(states - 2 * together), 2 * together, words,
                 [&](Value n, ValueRange carried) -> SmallVector<Value> {
                   SmallVector<Value> all(carried);
                   States own = begunIn(all, n);
                   States second = tripAt(loop, e.add(n, together));
                   beginEarly(second, loop.roots);
                   SmallVector<Value> next = endTrip(
                       loop, own, ArrayRef(all).take_front(sums.size()));
                   States third = tripAt(loop, e.add(n, 2 * together));
                   SmallVector<Value> begun = beginEarly(third, loop.roots);
                   next = endTrip(loop, second, next);
                   next.append(begun);
                   return next;
                 });
  States own = begunIn(words, e.i32(states - 2 * together));
  States last = tripAt(loop, e.i32(states - together));
  beginEarly(last, loop.roots);
  words = endTrip(loop, own, ArrayRef(words).take_front(sums.size()));
  return endTrip(loop, last, words);
}

/// True where no recurrence of the loop feeds another one.
bool ScanKernel::mayBeginEarly(const Roots &roots) {
  return llvm::all_of(roots.recurrences, [&](RecurrenceOp op) {
    return !body.dependence().of(op.getA()).hasStates &&
           !body.dependence().of(op.getB()).hasStates;
  });
}

/// Begins the trip's scans; in words, of each its a, its b and its segment.
SmallVector<Value> ScanKernel::beginEarly(States &states, const Roots &roots) {
  SmallVector<Value> words;
  for (RecurrenceOp op : roots.recurrences) {
    beginScans(states, op);
    for (LocalScan &scan : states.scans[op]) {
      words.append(wordsOf(scan.a));
      words.append(wordsOf(scan.b));
      if (scan.own)
        words.append(wordsOf({scan.own->decay, scan.own->carry}));
    }
  }
  return words;
}

void ScanKernel::takeBegun(States &states, const Roots &roots,
                           ArrayRef<Value> words) {
  for (RecurrenceOp op : roots.recurrences) {
    bool isComplex = isComplexValue(op.getState());
    std::vector<LocalScan> &scans = states.scans[op];
    scans.resize(states.count * channels.size());
    for (LocalScan &scan : scans) {
      scan.addsFirst = findEntered(op).has_value();
      scan.a = takeNumbers(words, schedule.stateItems(), isComplex);
      scan.b = takeNumbers(words, schedule.stateItems(), isComplex);
      if (stateLevels.joinsSegments(needsStates()))
        scan.own = takeSegment(words, isComplex);
    }
  }
}
