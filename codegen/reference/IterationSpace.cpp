//===- IterationSpace.cpp - Extents and strides of b, l, d, n -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/IterationSpace.h"

using namespace mlir;
using namespace mlir::ssm;

ElementMap::ElementMap(const ReferenceTensor &tensor, bool isUniform,
                       AccessAttr access, int64_t channels) {
  // An empty tensor has no element to read. Only results that lack its empty
  // axis are then computed, and those depend on none of its elements.
  if (isUniform || tensor.numElements() == 0)
    return;
  int64_t stride = 1;
  for (int64_t dim = int64_t(access.rank()) - 1; dim >= 0; --dim) {
    int64_t extent = tensor.shape[dim];
    switch (access.getAxes()[dim]) {
    case Axis::Batch:
      batch = stride;
      break;
    case Axis::Length:
      length = stride;
      break;
    case Axis::Segment:
      segment = stride;
      break;
    case Axis::State:
      state = stride;
      break;
    case Axis::Group:
      channelsPerGroup = std::max<int64_t>(1, channels / extent);
      channel = stride;
      break;
    case Axis::Channel:
      channel = stride;
      break;
    }
    stride *= extent;
  }
}

LogicalResult IterationSpace::join(Axis axis, const Known &found) {
  Known &known = axes[static_cast<unsigned>(axis)];
  bool overrules = known.extent < 0 || (known.isHint && !found.isHint);
  if (overrules)
    known = found;
  if (found.isHint || found.extent == known.extent)
    return success();
  return op->emitOpError() << describe(found.operand) << " has extent "
                           << found.extent << " of axis '"
                           << stringifyAxis(axis) << "', expected "
                           << known.extent << ", that of "
                           << describe(known.operand);
}

LogicalResult IterationSpace::add(Value operand, const ReferenceValue &value,
                                  AccessAttr access) {
  for (auto [dim, axis] : llvm::enumerate(access.getAxes())) {
    Known found{value.shape()[dim], operand, value.isUniform};
    if (axis == Axis::Segment)
      segments.push_back({found, access.getEvery()});
    else if (axis == Axis::Group)
      groups.push_back(found);
    else if (failed(join(axis, found)))
      return failure();
  }
  return success();
}

void IterationSpace::addGroups(Value result, AccessAttr access) {
  int64_t dim = access.dimOf(Axis::Group);
  if (dim >= 0)
    groups.push_back({cast<RankedTensorType>(result.getType()).getDimSize(dim),
                      result, /*isHint=*/false});
}

LogicalResult IterationSpace::finish() {
  for (const auto &[found, every] : segments)
    if (int64_t expected = segmentsOf(steps(), every);
        !found.isHint && knows(Axis::Length) && found.extent != expected)
      return op->emitOpError()
             << describe(found.operand) << " has " << found.extent
             << " segments, expected " << expected << ", those of " << every
             << " steps in " << steps();
  for (const Known &group : groups)
    if (!group.isHint && knows(Axis::Channel) &&
        (group.extent < 1 || channels() % group.extent != 0))
      return op->emitOpError()
             << describe(group.operand) << " has " << group.extent
             << " groups, which do not divide the " << channels()
             << " channels of "
             << describe(axes[static_cast<unsigned>(Axis::Channel)].operand);
  return success();
}

SmallVector<int64_t> IterationSpace::shapeOf(AccessAttr access,
                                             Type type) const {
  SmallVector<int64_t> shape;
  for (auto [dim, axis] : llvm::enumerate(access.getAxes()))
    switch (axis) {
    case Axis::Group:
      shape.push_back(cast<RankedTensorType>(type).getDimSize(dim));
      break;
    case Axis::Segment:
      shape.push_back(segmentsOf(steps(), access.getEvery()));
      break;
    default:
      shape.push_back(extent(axis));
    }
  return shape;
}
