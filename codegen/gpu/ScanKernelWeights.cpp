//===- ScanKernelWeights.cpp - Segments of chunks as weighted sums --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel that computes nothing but the segment that each chunk is to its
// recurrences needs no state on the way. Where a = exp2(x c), with x of the
// step and c not,
//
//   carry = sum over t of b_t exp2(w_t c),    decay = exp2(w c),
//
// with w_t the sum of x over the steps that the scan has yet to take behind t
// (and over t, where a step is a (h + b)), and w that over the chunk. Lanes add
// their own terms and meet once, behind the last tile; tiles, lanes and items
// come against the scan, so that w_t is what x has added up to. (x c is taken
// to have one sign, as decays do: where it grows past 2^128 on the way and
// comes back, a zero of b gives NaN, as products of decays may too.) That takes
// one exponential a step and state, where a scan takes another one a thread's
// steps for their decay, shuffles, and a carry from tile to tile.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace mlir::ssm;

/// Shared memory that a block gets on every GPU from sm_80 on.
static constexpr int64_t kMostShared = 99 * 1024;

/// Polynomials among eight of the weights' exponentials: those bind here, not
/// instructions ((1, 1536, 65536): 595 us without, 563 with one, of the
/// kernel).
static constexpr int64_t kOnFma = 1;

/// Each thread has its sums, and for each channel what x has added up to. Where
/// that does not fit beside all else, chunks are scanned.
void ScanKernel::allocateWeights() {
  auto isExponential = [&](RecurrenceOp op) {
    return splitDecay(op) && !isComplexValue(op.getState()) &&
           body.dependence().dependsOn(op.getState(), Axis::State);
  };
  int64_t each = schedule.threads() * schedule.getChannels();
  int64_t sums = each * ownStates();
  int64_t bytes = 4 * (sums + each) * std::ssize(recurrenceOps);
  if (!isCarries() || splits() || schedule.getWarpsL() > 1 ||
      !llvm::all_of(recurrenceOps, isExponential) ||
      memory.size() + bytes > kMostShared)
    return;
  for (size_t i = 0; i < recurrenceOps.size(); ++i)
    weighted.push_back({memory.allocate(sums), memory.allocate(each)});
}

/// The thread's sums of a trip over n, by state, then by channel: neighbours,
/// and next to those of the next thread.
Value ScanKernel::weightedSums(const WeightedSums &own, Value trip,
                               int64_t count) {
  Value entry = e.add(e.mul(trip, schedule.threads()), at.thread);
  return e.offset(kernel.shared(own.sums), e.mul(entry, count), e.getF32Type());
}

/// What x has added up to in the current channel.
Value ScanKernel::reachedWeight(const WeightedSums &own) {
  Value entry = e.add(at.thread, channel * schedule.threads());
  return e.offset(kernel.shared(own.reached), entry, e.getF32Type());
}

void ScanKernel::clearWeighted() {
  int64_t together = statesTogether(), count = together * channels.size();
  Number zero = e.zero(e.getF32Type());
  for (const WeightedSums &own : weighted) {
    eachChannel([&] { e.store(zero.re, reachedWeight(own), 4); });
    e.loop(e.i32(0), e.i32(ownStates() / together), 1, [&](Value trip) {
      e.storeNumbers(Steps(count, zero), weightedSums(own, trip, count));
    });
  }
}

/// The sum of a number over the lanes along L, and over those that the scan
/// comes to later. Halves of growing groups add each other's sum.
ScanKernel::LaneSums ScanKernel::sumLanes(const Number &own, bool isMirrored) {
  LaneSums sums = {own, e.zero(e.getF32Type())};
  for (int64_t group = 1; group < schedule.getLanes(); group *= 2) {
    Number other = e.swapLanes(sums.all, group * laneOrder.segmentStride());
    Value upper = isUpper(group);
    Number both = e.addf(sums.later, other);
    sums.later = isMirrored ? e.select(upper, both, sums.later)
                            : e.select(upper, sums.later, both);
    sums.all = e.addf(sums.all, other);
  }
  return sums;
}

/// w of the thread's steps in the current channel; once a tile.
void ScanKernel::weighSteps(Tile &tile, RecurrenceOp op) {
  const WeightedSums &own = weighted[indexOf(op)];
  Steps x = stepsOf(tile, splitDecay(op)->first);
  Number zero = e.zero(e.getF32Type());
  for (auto [k, number] : llvm::enumerate(x))
    number = orElse(tile, number, k, zero);
  if (!isMirrored(op))
    std::reverse(x.begin(), x.end());
  // Behind each step, and in the end behind all.
  Steps behind = {zero};
  for (const Number &number : x)
    behind.push_back(behind.size() > 1 ? e.addf(behind.back(), number)
                                       : number);
  LaneSums lanes = sumLanes(behind.back(), isMirrored(op));
  Number reached = {e.load(e.getF32Type(), reachedWeight(own), 4), nullptr};
  e.store(e.addf(reached, lanes.all).re, reachedWeight(own), 4);
  Number start = e.addf(reached, lanes.later);
  Steps &weights = tile.weights[channel][op.getState()];
  bool isInclusive = findEntered(op).has_value();
  for (size_t k = 0; k < x.size(); ++k)
    weights.push_back(
        k + isInclusive == 0 ? start : e.addf(start, behind[k + isInclusive]));
  if (!isMirrored(op))
    std::reverse(weights.begin(), weights.end());
}

/// An infinite number as the largest one: a weight of nothing is 1 for any c.
static Number finite(Emit &e, const Number &number) {
  double most = std::numeric_limits<float>::max();
  Type type = number.re.getType();
  Value least =
      arith::MaximumFOp::create(e, number.re, e.constant(type, -most).re);
  return {arith::MinimumFOp::create(e, least, e.constant(type, most).re),
          nullptr};
}

/// True for a c whose table nothing reads but the weights: it holds what they
/// take in its place.
bool ScanKernel::hasFiniteTable(Value c) {
  auto isExponent = [&](Operation *user) {
    return llvm::any_of(recurrenceOps, [&](RecurrenceOp op) {
      return splitDecay(op)->second == c &&
             op.getA().getDefiningOp()->getOperand(0).getDefiningOp() == user;
    });
  };
  return isWeighted() && body.home(c) == Home::Table &&
         llvm::all_of(c.getUsers(), isExponent);
}

/// `numbers` of a table's value as the table has them.
void ScanKernel::makeFinite(Value value, Steps &numbers) {
  if (hasFiniteTable(value))
    for (Number &number : numbers)
      number = finite(e, number);
}

/// What weights take for `number`, a value of c where it is read.
Number ScanKernel::finiteFactor(Value c, const Number &number) {
  return hasFiniteTable(c) ? number : finite(e, number);
}

/// Adds the terms of a trip over n.
void ScanKernel::addWeighted(States &states, RecurrenceOp op) {
  LocationScope place(e, op.getLoc());
  Value factor = splitDecay(op)->second;
  std::optional<EnteredState> entered = findEntered(op);
  Value term = entered ? entered->entering : op.getB();
  int64_t count = states.count * channels.size();
  Value address = weightedSums(weighted[indexOf(op)], states.trip(e), count);
  Steps sums = e.loadNumbers(address, count, /*isComplex=*/false);
  for (int64_t u = 0; u < states.count; ++u)
    eachChannel([&] {
      // Emitted in this order, whatever a compiler does with arguments.
      Steps b = evaluate(states, term, u);
      Steps weights = weightsAt(
          states, op, finiteFactor(factor, evaluate(states, factor, u)[0]));
      Number &sum = sums[u * channels.size() + channel];
      sum = addTerms(states.tile, sum, b, weights);
    });
  e.storeNumbers(sums, address);
}

/// exp2(w c) of the thread's steps.
ScanKernel::Steps ScanKernel::weightsAt(States &states, RecurrenceOp op,
                                        const Number &factor) {
  Steps weights;
  for (auto [k, weight] :
       llvm::enumerate(states.tile.weights[channel].at(op.getState()))) {
    auto exp = math::Exp2Op::create(e, e.mulf(weight, factor).re);
    markExp(exp, k, std::max(kOnFma, schedule.getFmaExps()));
    weights.push_back({exp, nullptr});
  }
  return weights;
}

/// `sum` and the products of b and its weights at the steps that exist.
Number ScanKernel::addTerms(Tile &tile, const Number &sum, const Steps &b,
                            const Steps &weights) {
  Number zero = e.zero(e.getF32Type()), all = sum;
  for (auto [k, weight] : llvm::enumerate(weights)) {
    Number own = tile.inside ? b[k] : orElse(tile, b[k], k, zero);
    all = e.fma(weight, own, all);
  }
  return tile.inside ? e.select(tile.inside, all, sum) : all;
}

/// Behind the tiles: the lanes' sums together are the carries.
void ScanKernel::joinWeighted() {
  int64_t together = statesTogether(), count = together * channels.size();
  for (auto [i, own] : llvm::enumerate(weighted))
    e.loop(e.i32(0), e.i32(ownStates() / together), 1,
           [&, i = i, &own = own](Value trip) {
             Steps sums = e.loadNumbers(weightedSums(own, trip, count), count,
                                        /*isComplex=*/false);
             for (Number &sum : sums)
               sum = sumLanes(sum, /*isMirrored=*/false).all;
             e.ifThen(e.equals(at.laneSegment, 0), [&] {
               for (int64_t u = 0; u < together; ++u)
                 eachChannel([&] {
                   Value state = e.add(e.mul(trip, together), u);
                   writeTable(carries[i], state,
                              sums[u * channels.size() + channel]);
                   writeTable(decays[i], state, weightedDecay(i, state));
                 });
             });
           });
}

/// The decay of the chunk at one state.
Number ScanKernel::weightedDecay(unsigned i, Value state) {
  Value c = splitDecay(recurrenceOps[i])->second;
  Number factor = body.home(c) == Home::Invariant
                      ? invariant(c)
                      : readTable(tables.at(c), state);
  Number reached = {e.load(e.getF32Type(), reachedWeight(weighted[i]), 4),
                    nullptr};
  Number exponent = e.mulf(reached, finiteFactor(c, factor));
  return {math::Exp2Op::create(e, exponent.re), nullptr};
}
