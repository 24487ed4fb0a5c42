//===- PartialSums.cpp - Totals in two steps ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/PartialSums.h"

using namespace mlir;
using namespace mlir::ssm;

/// Channels are added within a block only where each step keeps its sum: sums
/// over steps are few, whatever the channels.
static PartialKind kindOf(TotalOp total, const PartialSums &sums,
                          const PartialShape &shape) {
  if (total.getAxes().has(Axis::Length))
    return PartialKind::Steps;
  bool addsChannels =
      total.getAxes().has(Axis::Channel) || total.getAxes().has(Axis::Group);
  return addsChannels && sums.has(Axis::Length) && shape.tileChannels > 0
             ? PartialKind::Channels
             : PartialKind::Points;
}

static AxisSet pointAxes(AxisSet axes) {
  AxisSet points = axes;
  if (points.has(Axis::Group))
    points.insert(Axis::Channel);
  points.erase(Axis::Group);
  return points;
}

/// Axes that the result lacks first, so that a thread that adds them up walks
/// in the largest strides, and its neighbours read what is next to it.
static AccessAttr accessOf(FusedOp op, const PartialSums &sums) {
  AccessAttr result = op.resultAccess(sums.result);
  bool isPerStep = sums.kind != PartialKind::Steps;
  bool isPerChannel = sums.kind != PartialKind::Channels;
  SmallVector<Axis> axes;
  auto add = [&](Axis axis, bool isWanted) {
    if (sums.has(axis) && isWanted)
      axes.push_back(axis);
  };
  add(Axis::Batch, !result.has(Axis::Batch));
  add(Axis::Channel, isPerChannel && !result.has(Axis::Channel));
  add(Axis::Batch, result.has(Axis::Batch));
  add(Axis::State, true);
  add(Axis::Channel, isPerChannel && result.has(Axis::Channel));
  add(Axis::Length, isPerStep);
  return AccessAttr::get(op.getContext(), axes);
}

static int64_t groupsOf(FusedOp op, const PartialSums &sums) {
  int64_t dim = op.resultAccess(sums.result).dimOf(Axis::Group);
  auto type = cast<RankedTensorType>(op.getResult(sums.result).getType());
  return dim < 0 ? 1 : type.getDimSize(dim);
}

static SmallVector<mamba::DimSpec> dimsOf(FusedOp op, const PartialSums &sums,
                                          const PartialShape &shape) {
  SmallVector<mamba::DimSpec> dims;
  if (sums.isAtomic)
    dims.push_back({mamba::Axis::Other, groupsOf(op, sums)});
  else if (sums.kind == PartialKind::Channels)
    dims.push_back({mamba::Axis::Channel, mamba::kDynamic, shape.tileChannels});
  else if (sums.hasOuter)
    dims.push_back({mamba::Axis::Other, shape.chunks});
  for (Axis axis : sums.access.getAxes())
    dims.push_back({runtimeAxis(axis),
                    axis == Axis::State ? op.stateExtent() : mamba::kDynamic});
  return dims;
}

SmallVector<PartialSums>
mlir::ssm::planPartialSums(FusedOp op, const Dependence &dependence,
                           const PartialShape &shape, LaunchPlan &plan) {
  SmallVector<PartialSums> list;
  auto yield = cast<YieldOp>(op.getBlock()->getTerminator());
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    auto total = value.getDefiningOp<TotalOp>();
    if (!total || !plan.isStored(op.getResult(i)))
      continue;
    PartialSums sums;
    sums.total = total;
    sums.result = i;
    sums.axes = pointAxes(dependence.of(total.getValue()).axes);
    sums.kind = kindOf(total, sums, shape);
    sums.isAtomic = sums.kind == PartialKind::Channels && shape.areAtomic;
    sums.access = accessOf(op, sums);
    sums.hasOuter = sums.kind == PartialKind::Channels ||
                    (sums.kind == PartialKind::Steps && shape.chunks > 1);
    // A total may be several results, which have the same axes: they are added
    // up from the same sums, but for those of as many groups.
    const auto *same = llvm::find_if(list, [&](const PartialSums &other) {
      return other.total == total &&
             (!sums.isAtomic || groupsOf(op, other) == groupsOf(op, sums));
    });
    sums.tensor = same != list.end()
                      ? same->tensor
                      : plan.addTemporary("partial_sums",
                                          *dtypeOf(total.getValue().getType()),
                                          dimsOf(op, sums, shape),
                                          /*isZeroed=*/sums.isAtomic);
    list.push_back(sums);
  }
  return list;
}

std::optional<Axis> mlir::ssm::neighbourAxis(AccessAttr result) {
  for (Axis axis : {Axis::Length, Axis::Channel, Axis::Batch})
    if (result.has(axis))
      return axis;
  return std::nullopt;
}

SmallVector<PartialSums>
mlir::ssm::distinctSums(ArrayRef<PartialSums> results) {
  SmallVector<PartialSums> list;
  for (const PartialSums &sums : results)
    if (llvm::none_of(list, [&](const PartialSums &other) {
          return other.tensor == sums.tensor;
        }))
      list.push_back(sums);
  return list;
}
