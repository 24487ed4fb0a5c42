//===- TaskTotals.cpp - What a task sums of totals ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums over steps stay in registers during a tile and in a table between
// tiles, one a state; sums over channels are those of a vector's lanes. See
// PartialSums.h.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TaskEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

const PartialSums &TaskEmitter::sumsOf(TotalOp total) const {
  return *llvm::find_if(request.totals, [&](const PartialSums &sums) {
    return sums.total == total;
  });
}

TensorAccess &TaskEmitter::partialOf(TotalOp total) {
  return *partials[&sumsOf(total) - request.totals.begin()];
}

bool TaskEmitter::isOfSteps(TotalOp total) const {
  return sumsOf(total).kind == PartialKind::Steps;
}

void TaskEmitter::openTotals() {
  for (const PartialSums &sums : request.totals) {
    Type type = sums.value().getType();
    Outer outer = !sums.hasOuter                       ? Outer::None
                  : sums.kind == PartialKind::Channels ? Outer::Vectors
                                                       : Outer::Chunks;
    partials.push_back(std::make_unique<TensorAccess>(
        kernel, e, plan, frame, sums.tensor, RankedTensorType::get({}, type),
        sums.access, request.facts, outer));
    if (sums.kind == PartialKind::Steps)
      tables[TotalOp(sums.total).getResult()] =
          kernel.table(type, body.isUniform(sums.value()),
                       sums.has(Axis::State) ? frame.numStates : 1);
  }
}

void TaskEmitter::clearTotals() {
  for (const PartialSums &sums : request.totals) {
    if (sums.kind != PartialKind::Steps)
      continue;
    const Table &table = tables[TotalOp(sums.total).getResult()];
    forEachState(sums.has(Axis::State), [&](Value state) {
      kernel.store(table, stateEntry(state), e.zero(table.type, table.uniform));
    });
  }
}

/// The sum of the lanes that hold a channel.
Lanes TaskEmitter::sumOfLanes(Lanes lanes) {
  Value held;
  if (frame.isFull) {
    VectorType numbers = e.vectorOf(e.getI64Type());
    Value lane = arith::ConstantOp::create(
        e,
        DenseElementsAttr::get(numbers, ArrayRef<int64_t>(llvm::to_vector(
                                            llvm::seq<int64_t>(0, e.width)))));
    held = arith::CmpIOp::create(e, arith::CmpIPredicate::slt, lane,
                                 e.widen(frame.validLanes));
  }
  auto sum = [&](Value part) -> Value {
    if (held) {
      Type type = cast<VectorType>(part.getType()).getElementType();
      Value zero = e.widen(e.zero(type, /*uniform=*/true).re);
      part = arith::SelectOp::create(e, held, part, zero);
    }
    // A tree of any shape: the same one in every run.
    return vector::ReductionOp::create(e, vector::CombiningKind::ADD, part,
                                       arith::FastMathFlags::reassoc);
  };
  return {sum(lanes.re), lanes.isComplex() ? sum(lanes.im) : Value()};
}

/// Takes a point of the total's value: sums over steps as one of `values`.
void TaskEmitter::addToTotal(TotalOp total, Point point, Values &values) {
  Lanes own = valueOf(total.getValue(), values);
  switch (sumsOf(total).kind) {
  case PartialKind::Steps:
    values[total.getResult()] = e.sum(values[total.getResult()], own);
    return;
  case PartialKind::Channels:
    return partialOf(total).store(point, sumOfLanes(e.widen(own)));
  case PartialKind::Points:
    return partialOf(total).store(point, own);
  }
}

void TaskEmitter::storeStepSums() {
  for (const PartialSums &sums : request.totals) {
    if (sums.kind != PartialKind::Steps)
      continue;
    TensorAccess &partial = partialOf(sums.total);
    const Table &table = tables[TotalOp(sums.total).getResult()];
    forEachState(sums.has(Axis::State), [&](Value state) {
      partial.store({nullptr, state}, kernel.load(table, stateEntry(state)));
    });
    partial.flush(/*perTile=*/false);
  }
}
