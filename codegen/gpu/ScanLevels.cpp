//===- ScanLevels.cpp - The levels of a parallel scan ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanLevels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace mlir::ssm;

/// Fewer do not repay the selects that it takes (bench/NOTES.md).
static constexpr int64_t kLanesToSplitPairs = 16;

/// So many warps read each other's segments: one barrier, where the sweeps
/// take one a level. More would read for longer than they wait.
static constexpr int64_t kWarpsThatMeetAtOnce = 4;

Segment mlir::ssm::takeSegment(ArrayRef<Value> &words, bool isComplex) {
  SmallVector<Number> numbers = takeNumbers(words, 2, isComplex);
  return {numbers[0], numbers[1]};
}

Segment mlir::ssm::combine(Emit &e, const Segment &first,
                           const Segment &second) {
  return {e.mulf(first.decay, second.decay),
          e.fma(second.decay, first.carry, second.carry)};
}

ScanLevels::ScanLevels(Emit &e, Kernel &kernel, SharedMemory &memory,
                       const Place &place, ScheduleAttr schedule, int64_t lanes,
                       int64_t segmentStride)
    : e(e), kernel(kernel), memory(memory), place(place), schedule(schedule),
      numLanes(lanes), segmentStride(segmentStride) {}

Value ScanLevels::isLastSegment(bool isMirrored) const {
  int64_t last = numLanes * schedule.scanWarps() - 1;
  return e.equals(place.segment, isMirrored ? 0 : last);
}

/// Lanes and warps in the order of the scan.
Value ScanLevels::laneSegment() {
  if (!mirrored)
    return place.laneSegment;
  return e.sub(e.i32(numLanes - 1), place.laneSegment);
}

Value ScanLevels::warpSegment() {
  if (!mirrored)
    return place.warpSegment;
  return e.sub(e.i32(schedule.scanWarps() - 1), place.warpSegment);
}

Segment ScanLevels::identityLike(const Segment &segment) {
  Type type = segment.decay.re.getType();
  if (segment.decay.isComplex())
    type = ComplexType::get(type);
  return {e.one(type), e.zero(type)};
}

//===----------------------------------------------------------------------===//
// Items in registers
//===----------------------------------------------------------------------===//

/// The state behind step `k`, which starts from `h`.
Number ScanLevels::stepFrom(LocalScan &scan, size_t k, const Number &h) {
  if (!scan.addsFirst)
    return e.fma(scan.a[k], h, scan.b[k]);
  scan.entered.push_back(e.addf(h, scan.b[k]));
  return e.mulf(scan.a[k], scan.entered.back());
}

Segment ScanLevels::scanItems(LocalScan &scan) {
  const Number &a = scan.a.front(), &b = scan.b.front();
  Segment segment = {a, scan.addsFirst ? e.mulf(a, b) : b};
  for (size_t k = 1; k < scan.a.size(); ++k) {
    segment.carry = stepFrom(scan, k, segment.carry);
    if (!scan.decay)
      segment.decay = e.mulf(segment.decay, scan.a[k]);
  }
  if (scan.decay)
    segment.decay = *scan.decay;
  return segment;
}

//===----------------------------------------------------------------------===//
// Lanes of a warp
//===----------------------------------------------------------------------===//

Number ScanLevels::shuffle(Number number, int64_t segments,
                           gpu::ShuffleMode mode) {
  auto word = [&](Value value) -> Value {
    return gpu::ShuffleOp::create(e, value, e.i32(segments * segmentStride),
                                  e.i32(32), mode)
        .getShuffleResult();
  };
  return {word(number.re), number.isComplex() ? word(number.im) : Value()};
}

Number ScanLevels::shuffleUp(Number number, int64_t segments) {
  return shuffle(number, segments,
                 mirrored ? gpu::ShuffleMode::DOWN : gpu::ShuffleMode::UP);
}

/// What the lane has that differs in the bit `group`.
Number ScanLevels::swapGroups(Number number, int64_t group) {
  return e.swapLanes(number, group * segmentStride);
}

/// Inclusive scan over the lanes along L, by doubling distances.
void ScanLevels::scanLanes(MutableArrayRef<Segment> segments) {
  for (int64_t distance = 1; distance < numLanes; distance *= 2) {
    Value hasOther = arith::CmpIOp::create(e, arith::CmpIPredicate::sge,
                                           laneSegment(), e.i32(distance));
    for (Segment &segment : segments) {
      Segment other = {shuffleUp(segment.decay, distance),
                       shuffleUp(segment.carry, distance)};
      Segment joined = combine(e, other, segment);
      segment = {e.select(hasOther, joined.decay, segment.decay),
                 e.select(hasOther, joined.carry, segment.carry)};
    }
  }
}

/// The state before each lane's steps: that behind the lane below, or `start`.
Number ScanLevels::stateBefore(const Number &end, const Number &start) {
  if (numLanes == 1)
    return start;
  Value isFirst = e.equals(laneSegment(), 0);
  return e.select(isFirst, start, shuffleUp(end, 1));
}

//===----------------------------------------------------------------------===//
// Warps of a block
//===----------------------------------------------------------------------===//

/// Segments of the warps lie as [scan][row][warp], each the words of its decay
/// and of its carry.
Value ScanLevels::meetingAddress(Value base, Value scan, Value warp,
                                 Value row) {
  Value index = e.add(e.mul(scan, schedule.tileChannels()), row);
  index = e.add(e.mul(index, schedule.scanWarps()), warp);
  return e.offset(base, e.mul(index, 2 * words), e.getF32Type());
}

Segment ScanLevels::loadSegment(Value address) {
  auto word = [&](int64_t i) -> Value {
    return e.load(e.getF32Type(), e.offset(address, 4 * i), 4);
  };
  if (words == 1)
    return {{word(0), nullptr}, {word(1), nullptr}};
  return {{word(0), word(1)}, {word(2), word(3)}};
}

void ScanLevels::storeSegment(const Segment &segment, Value address) {
  SmallVector<Value> values;
  for (const Number &number : {segment.decay, segment.carry})
    values.append(number.words());
  for (auto [i, value] : llvm::enumerate(values))
    e.store(value, e.offset(address, 4 * static_cast<int64_t>(i)), 4);
}

/// One level of a sweep: pairs of neighbours at `distance` meet, one thread a
/// pair, until all pairs of all channels and scans are done.
void ScanLevels::sweepLevel(Value base, int64_t scans, int64_t distance,
                            bool down) {
  int64_t pairs = schedule.scanWarps() / (2 * distance);
  int64_t rows = scans * schedule.tileChannels();
  e.loop(place.thread, e.i32(rows * pairs), schedule.threads(), [&](Value i) {
    Value row = e.div(i, pairs);
    Value left = e.add(e.mul(e.rem(i, pairs), 2 * distance), distance - 1);
    Value leftAt = meetingAddress(base, e.i32(0), left, row);
    Value rightAt = meetingAddress(base, e.i32(0), e.add(left, distance), row);
    Segment leftSegment = loadSegment(leftAt);
    Segment rightSegment = loadSegment(rightAt);
    if (!down)
      return storeSegment(combine(e, leftSegment, rightSegment), rightAt);
    // The right node holds what lies before the pair.
    storeSegment(rightSegment, leftAt);
    storeSegment(combine(e, rightSegment, leftSegment), rightAt);
  });
  e.barrier();
}

void ScanLevels::upSweep(Value base, int64_t scans) {
  for (int64_t d = 1; d < schedule.scanWarps(); d *= 2)
    sweepLevel(base, scans, d, /*down=*/false);
}

void ScanLevels::downSweep(Value base, int64_t scans) {
  for (int64_t d = schedule.scanWarps() / 2; d >= 1; d /= 2)
    sweepLevel(base, scans, d, /*down=*/true);
}

/// The root of all warps: each thread joins the segments below its own warp.
SmallVector<Segment> ScanLevels::meetAtOnce(Value base,
                                            ArrayRef<LocalScan> scans) {
  SmallVector<Segment> before;
  for (const LocalScan &scan : scans) {
    Value first = meetingAddress(base, e.i32(scan.number), e.i32(0), scan.row);
    SmallVector<Number> numbers =
        e.loadNumbers(first, 2 * schedule.scanWarps(), words == 2);
    Segment joined = {numbers[0], numbers[1]};
    Segment below = identityLike(joined);
    for (int64_t w = 1; w < schedule.scanWarps(); ++w) {
      Value isBehind = arith::CmpIOp::create(e, arith::CmpIPredicate::sge,
                                             warpSegment(), e.i32(w));
      below = {e.select(isBehind, joined.decay, below.decay),
               e.select(isBehind, joined.carry, below.carry)};
      if (w + 1 < schedule.scanWarps())
        joined = combine(e, joined, {numbers[2 * w], numbers[2 * w + 1]});
    }
    before.push_back(below);
  }
  return before;
}

/// What lies before each thread's warp within the tile.
SmallVector<Segment> ScanLevels::scanWarps(ArrayRef<LocalScan> scans,
                                           ArrayRef<Segment> inclusive,
                                           Value slot) {
  words = inclusive.front().decay.isComplex() ? 2 : 1;
  int64_t numbers = scans.back().number + 1;
  int64_t floats =
      numbers * schedule.tileChannels() * schedule.scanWarps() * 2 * words;
  // Two buffers: a fast warp may fill the next before a slow one has read.
  Value base = e.offset(kernel.shared(memory.allocate(2 * floats)),
                        e.mul(slot, floats), e.getF32Type());
  Value isLastLane = e.equals(laneSegment(), numLanes - 1);
  auto addressOf = [&](size_t i) {
    return meetingAddress(base, e.i32(scans[i].number), warpSegment(),
                          scans[i].row);
  };
  auto storeEach = [&](ArrayRef<Segment> segments) {
    for (auto [i, segment] : llvm::enumerate(segments))
      storeSegment(segment, addressOf(i));
  };
  e.ifThen(isLastLane, [&] { storeEach(inclusive); });
  e.barrier();
  if (schedule.scanWarps() <= kWarpsThatMeetAtOnce)
    return meetAtOnce(base, scans);
  upSweep(base, numbers);
  // Nothing lies before the whole tile.
  Value isRoot = e.equals(warpSegment(), schedule.scanWarps() - 1);
  e.ifThen(e.conjunction(isLastLane, isRoot), [&] {
    storeEach(SmallVector<Segment>(inclusive.size(),
                                   identityLike(inclusive.front())));
  });
  e.barrier();
  downSweep(base, numbers);
  SmallVector<Segment> before;
  for (size_t i = 0; i < inclusive.size(); ++i)
    before.push_back(loadSegment(addressOf(i)));
  return before;
}

//===----------------------------------------------------------------------===//
// All levels
//===----------------------------------------------------------------------===//

bool ScanLevels::joinsSegments(bool needStates) const {
  return numLanes > 1 || schedule.scanWarps() > 1 || !needStates;
}

void ScanLevels::begin(MutableArrayRef<LocalScan> scans, bool needStates) {
  if (!joinsSegments(needStates))
    return;
  for (LocalScan &scan : scans)
    scan.own = scanItems(scan);
}

void ScanLevels::finish(MutableArrayRef<LocalScan> scans, Value slot,
                        bool needStates, bool isMirrored) {
  mirrored = isMirrored;
  if (needStates && schedule.scanWarps() == 1)
    return finishInWarp(scans);
  SmallVector<Segment> inclusive;
  for (LocalScan &scan : scans)
    inclusive.push_back(*scan.own);
  scanLanes(inclusive);
  SmallVector<Segment> warps;
  if (schedule.scanWarps() > 1)
    warps = scanWarps(scans, inclusive, slot);
  for (auto [i, scan] : llvm::enumerate(scans)) {
    const Segment &lane = inclusive[i];
    scan.tile = warps.empty() ? lane : combine(e, warps[i], lane);
    // What the warps below make of the carry is this warp's start.
    Number start = warps.empty()
                       ? scan.carry
                       : e.fma(warps[i].decay, scan.carry, warps[i].carry);
    scan.end = e.fma(lane.decay, start, lane.carry);
    if (needStates)
      scanFrom(scan, stateBefore(scan.end, start));
  }
}

/// The carry joins the first lane's segment, which so becomes a state: lanes
/// pass states on, and no one needs the decay of all lanes together.
void ScanLevels::finishInWarp(MutableArrayRef<LocalScan> scans) {
  SmallVector<Segment> lanes;
  Value isFirst = e.equals(laneSegment(), 0);
  for (LocalScan &scan : scans)
    if (scan.own) {
      Number end = e.fma(scan.own->decay, scan.carry, scan.own->carry);
      lanes.push_back(
          {scan.own->decay, e.select(isFirst, end, scan.own->carry)});
    }
  SmallVector<Number> before;
  if (!lanes.empty())
    before = statesBefore(lanes, /*group=*/1);
  for (auto [i, scan] : llvm::enumerate(scans))
    scan.end = scanFrom(scan, before.empty()
                                  ? scan.carry
                                  : e.select(isFirst, scan.carry, before[i]));
}

/// The states before segments that are groups of `group` lanes each; zero
/// before the first one, whose carry is a state. Where lanes are many and
/// segments come in pairs, half of the lanes do one segment of each pair, half
/// the other: the longer rest of the way is half as much work.
SmallVector<Number> ScanLevels::statesBefore(ArrayRef<Segment> segments,
                                             int64_t group) {
  if (segments.size() % 2 == 0 && numLanes / group >= kLanesToSplitPairs)
    return splitPairs(segments, group);
  SmallVector<Segment> groups(segments);
  passStates(groups, group);
  SmallVector<Number> before;
  for (const Segment &segment : groups)
    before.push_back(shuffleUp(segment.carry, group));
  if (group == 1)
    return before;
  Value isFirst = e.lessThan(laneSegment(), e.i32(group));
  for (auto [number, segment] : llvm::zip(before, groups))
    number = e.select(isFirst, identityLike(segment).carry, number);
  return before;
}

/// Of every pair of segments, the lower group of two neighbours takes over the
/// first one of both, the upper group the second one.
SmallVector<Number> ScanLevels::splitPairs(ArrayRef<Segment> segments,
                                           int64_t group) {
  Value isUpper = e.equals(e.rem(e.div(laneSegment(), group), 2), 1);
  SmallVector<Segment> lower, joined;
  for (size_t i = 0; i < segments.size(); i += 2) {
    const Segment &even = segments[i], &odd = segments[i + 1];
    Segment other = {
        swapGroups(e.select(isUpper, even.decay, odd.decay), group),
        swapGroups(e.select(isUpper, even.carry, odd.carry), group)};
    lower.push_back({e.select(isUpper, other.decay, even.decay),
                     e.select(isUpper, other.carry, even.carry)});
    joined.push_back(combine(e, lower.back(),
                             {e.select(isUpper, odd.decay, other.decay),
                              e.select(isUpper, odd.carry, other.carry)}));
  }
  SmallVector<Number> own = statesBefore(joined, 2 * group);
  SmallVector<Number> before;
  for (auto [segment, start] : llvm::zip(lower, own)) {
    Number middle = e.fma(segment.decay, start, segment.carry);
    Number other = swapGroups(e.select(isUpper, start, middle), group);
    before.push_back(e.select(isUpper, other, start));
    before.push_back(e.select(isUpper, middle, other));
  }
  return before;
}

/// As scanLanes over groups of lanes, where the first segment's carry is a
/// state. The last lane's own end comes from its steps, so that two groups have
/// nothing to do here.
void ScanLevels::passStates(MutableArrayRef<Segment> segments, int64_t group) {
  for (int64_t distance = group; distance < numLanes && numLanes > 2 * group;
       distance *= 2) {
    Value hasOther = arith::CmpIOp::create(e, arith::CmpIPredicate::sge,
                                           laneSegment(), e.i32(distance));
    for (Segment &segment : segments) {
      Number other = shuffleUp(segment.carry, distance);
      Number joined = e.fma(segment.decay, other, segment.carry);
      segment.carry = e.select(hasOther, joined, segment.carry);
      if (2 * distance < numLanes)
        segment.decay = e.select(
            hasOther, e.mulf(shuffleUp(segment.decay, distance), segment.decay),
            segment.decay);
    }
  }
}

/// Steps through the items from state `h`, keeping each state.
Number ScanLevels::scanFrom(LocalScan &scan, Number h) {
  scan.start = h;
  scan.entered.clear();
  for (size_t k = 0; k < scan.a.size(); ++k) {
    h = stepFrom(scan, k, h);
    scan.states.push_back(h);
  }
  return h;
}
