//===- TensorAccess.cpp - How a task reads and writes a tensor ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TensorAccess.h"
#include "codegen/cpu/Transpose.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

bool mlir::ssm::cpu::isUniformAccess(RankedTensorType type, AccessAttr access,
                                     ChannelFacts facts, int64_t width) {
  if (access.has(Axis::Channel))
    return false;
  if (!access.has(Axis::Group))
    return true;
  int64_t groups = type.getDimSize(access.dimOf(Axis::Group));
  return groups == 1 || facts.isMultipleOf(groups * width);
}

TensorAccess::TensorAccess(Kernel &kernel, Emit &e, const LaunchPlan &plan,
                           TaskFrame &frame, unsigned number,
                           RankedTensorType tensor, AccessAttr access,
                           ChannelFacts facts, Outer outer)
    : kernel(kernel), e(e), plan(plan), frame(frame), number(number),
      access(access), outer(outer), type(tensor.getElementType()),
      word(wordType(type)), words(wordCount(type)) {
  channelDim = dimOf(Axis::Channel);
  if (int64_t dim = dimOf(Axis::Group); dim >= 0) {
    numGroups = tensor.getDimSize(dim);
    groupsAreUniform = isUniformAccess(tensor, access, facts, e.width);
    if (channelDim < 0 && numGroups == facts.extent && !groupsAreUniform)
      channelDim = dim;
    else if (numGroups > 1)
      groupDim = dim;
  }
  path = choosePath();
  if (path == Path::Table)
    table = kernel.table(type, /*uniform=*/false, tableEntries());
  if (path == Path::Lanes || (path == Path::Vector && frame.isFull))
    scratch = kernel.table(word, /*uniform=*/true, e.width * words);
}

TensorAccess::Path TensorAccess::choosePath() const {
  bool varyingGroup = groupDim >= 0 && !groupsAreUniform;
  if (channelDim < 0 && !varyingGroup)
    return Path::Uniform;
  if (channelDim >= 0 && !varyingGroup &&
      plan.layout(number).unitDim == channelDim)
    return Path::Vector;
  // A tile of all states would not fit the stack, and few steps have a segment.
  if ((has(Axis::Length) && has(Axis::State)) || has(Axis::Segment))
    return Path::Lanes;
  return Path::Table;
}

int64_t TensorAccess::dimOf(Axis axis) const {
  int64_t dim = access.dimOf(axis);
  return dim < 0 ? dim : dim + (outer != Outer::None);
}

bool TensorAccess::hasUnit(Axis axis) const {
  return has(axis) && plan.layout(number).unitDim == dimOf(axis);
}

Value TensorAccess::strideOf(Axis axis) {
  int64_t dim = dimOf(axis);
  return dim < 0 ? e.i64(0) : kernel.stride(number, dim);
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

void TensorAccess::beginTask() {
  Value at = e.mul(frame.batch, strideOf(Axis::Batch));
  if (channelDim >= 0)
    at = e.add(at, e.mul(frame.channel, kernel.stride(number, channelDim)));
  if (groupDim >= 0 && groupsAreUniform) {
    Value group = e.div(frame.channel, e.div(frame.numChannels, numGroups));
    at = e.add(at, e.mul(group, kernel.stride(number, groupDim)));
  }
  if (outer == Outer::Vectors)
    at = e.add(at,
               e.mul(e.div(frame.channel, e.width), kernel.stride(number, 0)));
  base = e.address(kernel.pointer(number), e.mul(at, words), word);
}

Value TensorAccess::offset(Point point) {
  Value at = e.i64(0);
  if (has(Axis::Length))
    at = e.mul(e.add(frame.tileStart, point.step), strideOf(Axis::Length));
  if (has(Axis::Segment) && frame.segment)
    at = e.add(at, e.mul(frame.segment, strideOf(Axis::Segment)));
  if (has(Axis::State))
    at = e.add(at, e.mul(point.state, strideOf(Axis::State)));
  if (outer == Outer::Chunks)
    at = e.add(at, e.mul(frame.chunk, kernel.stride(number, 0)));
  return at;
}

Value TensorAccess::clampLane(Value lane) {
  if (!frame.isFull)
    return lane;
  return e.min(lane, e.sub(frame.validLanes, e.i64(1)));
}

Value TensorAccess::laneOffset(Value lane) {
  Value at = e.i64(0);
  if (channelDim >= 0)
    at = e.mul(lane, kernel.stride(number, channelDim));
  if (groupDim >= 0 && !groupsAreUniform) {
    Value group =
        e.div(e.add(frame.channel, lane), e.div(frame.numChannels, numGroups));
    at = e.add(at, e.mul(group, kernel.stride(number, groupDim)));
  }
  return at;
}

Value TensorAccess::loadWord(Value element, unsigned part) {
  return e.load(word, base, e.add(e.mul(element, words), e.i64(part)));
}

//===----------------------------------------------------------------------===//
// Vectors and lanes
//===----------------------------------------------------------------------===//

Lanes TensorAccess::loadVector(Value at) {
  VectorType all = VectorType::get(e.width * words, word);
  auto whole = [&]() { return e.load(all, base, e.mul(at, words)); };
  auto lanewise = [&]() {
    e.loop(e.i64(0), e.i64(e.width), 1, [&](Value lane) {
      Value from = e.add(at, clampLane(lane));
      for (unsigned part = 0; part < words; ++part)
        e.store(loadWord(from, part), scratch.base,
                e.add(e.mul(lane, words), e.i64(part)));
    });
    return e.load(all, scratch.base, e.i64(0));
  };
  Value loaded =
      frame.isFull ? e.ifElse(all, frame.isFull, whole, lanewise) : whole();
  if (words == 1)
    return {loaded, nullptr};
  auto parts = vector::DeinterleaveOp::create(e, loaded);
  return {parts.getRes1(), parts.getRes2()};
}

void TensorAccess::storeVector(Value at, Lanes value) {
  Value all = value.re;
  if (words == 2)
    all = vector::InterleaveOp::create(e, value.re, value.im);
  auto whole = [&]() { e.store(all, base, e.mul(at, words)); };
  auto lanewise = [&]() {
    e.store(all, scratch.base, e.i64(0));
    Value from = e.mul(at, words);
    e.loop(e.i64(0), e.mul(frame.validLanes, words), 1, [&](Value i) {
      e.store(e.load(word, scratch.base, i), base, e.add(from, i));
    });
  };
  if (frame.isFull)
    e.ifElse(frame.isFull, whole, lanewise);
  else
    whole();
}

Lanes TensorAccess::loadLanes(Value at) {
  auto gather = [&](unsigned part) -> Value {
    Value all;
    for (int64_t lane = 0; lane < e.width; ++lane) {
      Value from = e.add(at, laneOffset(clampLane(e.i64(lane))));
      Value element = loadWord(from, part);
      all = all ? Value(vector::InsertOp::create(e, element, all, lane))
                : e.widen(element);
    }
    return all;
  };
  return {gather(0), words == 2 ? gather(1) : nullptr};
}

void TensorAccess::storeLanes(Value at, Lanes value) {
  Value all = value.re;
  if (words == 2)
    all = vector::InterleaveOp::create(e, value.re, value.im);
  e.store(all, scratch.base, e.i64(0));
  e.loop(e.i64(0), frame.validLanes, 1, [&](Value lane) {
    Value to = e.mul(e.add(at, laneOffset(lane)), words);
    for (unsigned part = 0; part < words; ++part)
      e.store(
          e.load(word, scratch.base, e.add(e.mul(lane, words), e.i64(part))),
          base, e.add(to, e.i64(part)));
  });
}

Lanes TensorAccess::load(Point point) {
  if (!has(Axis::Segment) || frame.segment)
    return loadAnywhere(point);
  // A sequence without steps has no first segment.
  Value hasSteps = e.atLeast(kernel.extent(Axis::Length), 1);
  Type type = path == Path::Uniform ? word : Type(e.vectorOf(word));
  auto loadPart = [&](bool isImaginary) {
    return e.ifElse(
        type, hasSteps,
        [&] {
          Lanes all = loadAnywhere(point);
          return isImaginary ? all.im : all.re;
        },
        [&]() -> Value {
          return arith::ConstantOp::create(
              e, cast<TypedAttr>(e.getZeroAttr(type)));
        });
  };
  Value re = loadPart(/*isImaginary=*/false);
  return {re, words == 2 ? loadPart(/*isImaginary=*/true) : nullptr};
}

Lanes TensorAccess::loadAnywhere(Point point) {
  switch (path) {
  case Path::Uniform: {
    Value at = offset(point);
    return {loadWord(at, 0), words == 2 ? loadWord(at, 1) : nullptr};
  }
  case Path::Vector:
    return loadVector(offset(point));
  case Path::Table:
    return kernel.load(table, tableIndex(point));
  case Path::Lanes:
    return loadLanes(offset(point));
  }
  llvm_unreachable("all paths are handled");
}

void TensorAccess::store(Point point, Lanes value) {
  if (path == Path::Table)
    return kernel.store(table, tableIndex(point), value);
  if (path != Path::Uniform)
    value = e.widen(value);
  ifOwner([&] {
    Value at = offset(point);
    if (path == Path::Vector)
      return storeVector(at, value);
    if (path == Path::Lanes)
      return storeLanes(at, value);
    Value to = e.mul(at, words);
    e.store(value.re, base, to);
    if (value.isComplex())
      e.store(value.im, base, e.add(to, e.i64(1)));
  });
}

void TensorAccess::ifOwner(function_ref<void()> body) {
  Value owner;
  if (!has(Axis::Channel) && outer != Outer::Vectors)
    owner = e.equals(frame.channel, 0);
  if (!has(Axis::Batch))
    owner = e.both(owner, e.equals(frame.batch, 0));
  if (owner)
    e.ifThen(owner, body);
  else
    body();
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

int64_t TensorAccess::tableEntries() const {
  if (isTiled())
    return frame.tileSteps;
  return has(Axis::State) ? frame.numStates : 1;
}

Value TensorAccess::tableIndex(Point point) {
  if (isTiled())
    return point.step;
  return has(Axis::State) ? point.state : e.i64(0);
}

Value TensorAccess::rowsInUse() {
  return isTiled() ? frame.tileLength : e.i64(tableEntries());
}

Point TensorAccess::rowPoint(Value row) {
  return isTiled() ? Point{row, nullptr} : Point{nullptr, row};
}

void TensorAccess::copyRows(bool toTable) {
  Value lanes = toTable ? e.i64(e.width) : frame.validLanes;
  e.loop(e.i64(0), lanes, 1, [&](Value lane) {
    Value from = laneOffset(toTable ? clampLane(lane) : lane);
    e.loop(e.i64(0), rowsInUse(), 1, [&](Value row) {
      Value at = e.mul(e.add(from, offset(rowPoint(row))), words);
      for (unsigned part = 0; part < words; ++part) {
        Value memory = e.add(at, e.i64(part));
        Value entry = kernel.element(table, row, part, lane);
        if (toTable)
          e.store(e.load(word, base, memory), table.base, entry);
        else
          e.store(e.load(word, table.base, entry), base, memory);
      }
    });
  });
}

bool TensorAccess::canTranspose() const {
  return hasUnit(Axis::Length) && words == 1 &&
         frame.tileSteps % e.width == 0 && llvm::isPowerOf2_64(e.width);
}

void TensorAccess::transposeTile(bool toTable) {
  VectorType row = e.vectorOf(word);
  e.loop(e.i64(0), e.i64(frame.tileSteps), e.width, [&](Value step) {
    Value from = offset(rowPoint(step));
    SmallVector<Value> addresses, rows;
    for (int64_t i = 0; i < e.width; ++i) {
      Value lane = e.i64(i);
      if (toTable)
        lane = clampLane(lane);
      Value memory = e.add(from, laneOffset(lane));
      Value entry = kernel.element(table, e.add(step, e.i64(i)), 0, e.i64(0));
      rows.push_back(toTable ? e.load(row, base, memory)
                             : e.load(row, table.base, entry));
      addresses.push_back(toTable ? entry : memory);
    }
    transposeRows(e, rows);
    for (auto [value, to] : llvm::zip(rows, addresses))
      e.store(value, toTable ? table.base : base, to);
  });
}

void TensorAccess::fill(bool perTile) {
  if (path != Path::Table || perTile != isTiled())
    return;
  if (!perTile || !canTranspose())
    return copyRows(/*toTable=*/true);
  Value isWhole = e.equals(frame.tileLength, frame.tileSteps);
  e.ifElse(isWhole, [&] { transposeTile(true); }, [&] { copyRows(true); });
}

void TensorAccess::flush(bool perTile) {
  if (path != Path::Table || perTile != isTiled())
    return;
  ifOwner([&] {
    if (!perTile || !canTranspose())
      return copyRows(/*toTable=*/false);
    Value isWhole =
        e.both(e.equals(frame.tileLength, frame.tileSteps), frame.isFull);
    e.ifElse(isWhole, [&] { transposeTile(false); }, [&] { copyRows(false); });
  });
}
