//===- ScanKernelCopies.cpp - Steps by way of shared memory ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With `prefetch = 2` the steps of the next tile are copied to shared memory
// while a tile is computed, in words of 16 bytes, and no register holds them.
// Where steps lie side by side in memory, a row has those of one channel; where
// channels do, a row has those of one step, and each thread reads its column,
// so that memory moves whole lines in either layout:
//
//   row of step 0    c0 c1 c2 ... c31    16 bytes a copy
//   row of step 1    c0 c1 c2 ... c31
//   ...
//
// Two buffers, that of a tile's slot each: the next tile is copied while the
// last reads of this one are still to come.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "mlir/IR/BuiltinTypes.h"
#include "passes/DefaultSchedule.h"

using namespace mlir;
using namespace mlir::ssm;

static constexpr int64_t kWordBytes = 16;
static constexpr int64_t kBuffers = 2;
static constexpr int64_t kWarp = 32;

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

/// How a warp's part of an input lies in shared memory; none where it is not
/// made of words of 16 bytes that are dealt evenly to the lanes.
std::optional<ScanKernel::WarpRows> ScanKernel::rowsOfInput(unsigned i) {
  int64_t items = schedule.getItems(), channels = schedule.getChannels();
  WarpRows rows;
  rows.elementBytes = operands.inputBytes(i);
  int64_t width = kWordBytes / rows.elementBytes;
  if (operands.inputWidth(i, {Axis::Length, items}) == width) {
    rows.along = Axis::Length;
    rows.words = items / width;
    rows.row = stagedSegmentBytes(items, rows.elementBytes);
    rows.bytes = kWarp * channels * rows.row;
  } else if (operands.inputJoinsChannels(i, width)) {
    rows.along = Axis::Channel;
    rows.words = schedule.warpChannels() / width;
    rows.row = schedule.warpChannels() * rows.elementBytes;
    // One row more, so that lanes along L read from different banks.
    rows.segment = (items + 1) * rows.row;
    rows.bytes = schedule.getLanes() * rows.segment;
  }
  // A thread reads its channels of a step at once.
  bool isDealt = llvm::isPowerOf2_64(rows.words) && rows.words <= kWarp &&
                 channels * items % width == 0 && channels <= width;
  return isDealt ? std::optional(rows) : std::nullopt;
}

void ScanKernel::allocateRows() {
  if (schedule.getPrefetch() < 2)
    return;
  int64_t warps = schedule.threads() / kWarp;
  for (BlockArgument argument : fused.getBlock()->getArguments()) {
    unsigned i = argument.getArgNumber();
    if (body.home(argument) != Home::Step || !isNeeded(argument))
      continue;
    std::optional<WarpRows> rows = rowsOfInput(i);
    if (!rows)
      continue;
    rows->shared = memory.allocate(kBuffers * warps * rows->bytes / 4);
    for (int64_t number = 0; number < wordsOfLane(*rows); ++number)
      rows->bases.push_back(
          operands.inputBase(i, wordAt(*rows, number).channel));
    inputRows.insert({argument, *rows});
  }
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

/// Words that each lane copies of a tile.
int64_t ScanKernel::wordsOfLane(const WarpRows &rows) {
  return schedule.getChannels() * schedule.getItems() * rows.elementBytes /
         kWordBytes;
}

/// A lane's word `number`: neighbouring lanes take neighbouring words of a row,
/// then the next row.
ScanKernel::RowWord ScanKernel::wordAt(const WarpRows &rows, int64_t number) {
  Value lane = e.rem(at.thread, kWarp);
  Value column = e.rem(lane, rows.words);
  Value first = e.mul(column, kWordBytes / rows.elementBytes);
  RowWord word = rows.along == Axis::Length
                     ? wordOfSteps(rows, number, first)
                     : wordOfChannels(rows, number, first);
  word.place = e.add(word.place, e.mul(column, kWordBytes));
  int64_t warpSteps = schedule.getLanes() * schedule.getItems();
  word.step = e.add(e.mul(at.warpSegment, warpSteps), word.step);
  return word;
}

/// Rows are those of all lanes' first channels, then of their second ones.
ScanKernel::RowWord ScanKernel::wordOfSteps(const WarpRows &rows,
                                            int64_t number, Value first) {
  int64_t own = number / rows.words, rowsAtOnce = kWarp / rows.words;
  Value lane = e.add(e.div(e.rem(at.thread, kWarp), rows.words),
                     number % rows.words * rowsAtOnce);
  Value segment = laneOrder.segment(e, lane);
  Value laneChannel = laneOrder.channel(e, lane);
  Value channel = e.add(e.mul(laneChannel, schedule.getChannels()), own);
  return {e.mul(e.add(lane, own * kWarp), rows.row),
          e.add(e.mul(segment, schedule.getItems()), first),
          channelOfWarp(channel, 1)};
}

/// Rows are steps.
ScanKernel::RowWord ScanKernel::wordOfChannels(const WarpRows &rows,
                                               int64_t number, Value first) {
  int64_t items = schedule.getItems(), rowsAtOnce = kWarp / rows.words;
  Value step =
      e.add(e.div(e.rem(at.thread, kWarp), rows.words), number * rowsAtOnce);
  Value place = e.add(e.mul(e.div(step, items), rows.segment),
                      e.mul(e.rem(step, items), rows.row));
  return {place, step, channelOfWarp(first, kWordBytes / rows.elementBytes)};
}

/// Channel `own` of the warp (i32) as an i64, or where it is the first of
/// `count` that do not exist, the last ones that do.
Value ScanKernel::channelOfWarp(Value own, int64_t count) {
  Value channel = e.add(at.firstChannel, e.toI64(e.add(warpChannel(), own)));
  return existingChannel(channel, count);
}

/// The first channel (i32 of the block's tile) of the thread's warp.
Value ScanKernel::warpChannel() {
  int64_t count = schedule.warpChannels();
  return e.mul(e.div(at.channels.front().row, count), count);
}

/// Where the warp's rows of a tile are.
Value ScanKernel::rowsIn(const WarpRows &rows, Tile &tile) {
  Value buffer = e.add(e.mul(e.div(at.thread, kWarp), kBuffers), tile.slot);
  return e.offset(kernel.shared(rows.shared), e.mul(buffer, rows.bytes),
                  e.getI8Type());
}

/// Where a thread's own steps of the current channel, or of all of its
/// channels, start.
Value ScanKernel::ownRow(const WarpRows &rows, Tile &tile) {
  Value lane = e.rem(at.thread, kWarp), place;
  if (rows.along == Axis::Length) {
    place = e.mul(e.add(lane, kWarp * static_cast<int64_t>(channel)), rows.row);
  } else {
    Value column = e.sub(at.channels.front().row, warpChannel());
    place = e.add(e.mul(at.laneSegment, rows.segment),
                  e.mul(column, rows.elementBytes));
  }
  return e.offset(rowsIn(rows, tile), place, e.getI8Type());
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Asks for the copies of a tile.
void ScanKernel::requestRows(Tile &tile) {
  for (auto &[argument, rows] : inputRows)
    for (int64_t number = 0; number < wordsOfLane(rows); ++number)
      copyWord(argument, rows, number, tile);
  e.commitCopies();
}

/// Past the end of L, what is copied is not used, but must be there to read.
void ScanKernel::copyWord(BlockArgument argument, const WarpRows &rows,
                          int64_t number, Tile &tile) {
  RowWord word = wordAt(rows, number);
  Value position = e.add(tile.start, e.toI64(word.step)), bytes;
  bool isAlongSteps = rows.along == Axis::Length;
  int64_t width = isAlongSteps ? kWordBytes / rows.elementBytes : 1;
  if (meetsEnd()) {
    if (isAlongSteps && !hasWholeRuns()) {
      Value left = e.min(e.sub(kernel.length(), position), e.i64(width));
      bytes = e.mul(e.toI32(e.max(left, e.i64(0))), rows.elementBytes);
    }
    Value last = e.sub(kernel.length(), e.i64(1));
    position = e.min(position, e.mul(e.div(last, width), width));
  }
  e.copyAsync(e.offset(rowsIn(rows, tile), word.place, e.getI8Type()),
              operands.inputAddress(argument.getArgNumber(), rows.bases[number],
                                    position),
              bytes);
}

/// The steps of all channels of the thread, from shared memory.
void ScanKernel::takeRows(BlockArgument argument, Tile &tile) {
  LocationScope place(e, argument.getLoc());
  const auto *found = inputRows.find(argument);
  assert(found != inputRows.end() && "an input that this kernel does not read");
  const WarpRows &rows = found->second;
  unsigned i = argument.getArgNumber();
  int64_t count = schedule.getChannels(), items = schedule.getItems();
  if (rows.along == Axis::Length)
    return eachChannel([&] {
      tile.steps[channel][argument] =
          operands.loadShared(i, ownRow(rows, tile), items);
    });
  Value row = ownRow(rows, tile);
  for (int64_t k = 0; k < items; ++k) {
    Steps across = operands.loadShared(i, e.offset(row, k * rows.row), count);
    for (int64_t c = 0; c < count; ++c)
      tile.steps[c][argument].push_back(across[c]);
  }
}

/// What recurrences are computed from is read before the next tile is asked
/// for: the assembler keeps the order of copies and reads.
void ScanKernel::takeEarlyRows(Tile &tile) {
  for (auto &[argument, rows] : inputRows)
    if (body.feedsOther(argument) || body.feedsReplayed(argument))
      takeRows(argument, tile);
}
