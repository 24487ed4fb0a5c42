//===- Layout.cpp - What a tensor's memory lets a kernel assume -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Strides of dimensions with one element are never multiplied by anything but
// 0, so they don't count.
//
//===----------------------------------------------------------------------===//

#include "runtime/Layout.h"

#include "runtime/DType.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <utility>

namespace mamba {

namespace {

constexpr int64_t kMaxAlignment = 16;

/// Which of several unit-stride dimensions is better to vectorise along.
int preference(Axis axis) {
  switch (axis) {
  case Axis::Length:
    return 3;
  case Axis::Channel:
    return 2;
  case Axis::State:
    return 1;
  default:
    return 0;
  }
}

int8_t deduceUnitDim(const TensorView &view, const TensorSpec &spec) {
  int8_t best = -1;
  int bestScore = -1;
  for (int dim = 0; dim < view.rank; ++dim) {
    bool unused = view.shape[dim] <= 1;
    if (!unused && view.strides[dim] != 1)
      continue;
    int score = preference(spec.dims[dim].axis) + (unused ? 0 : 4);
    if (score >= bestScore) {
      best = static_cast<int8_t>(dim);
      bestScore = score;
    }
  }
  return best;
}

/// The bits of the base address and of the strides in bytes, or-ed: their
/// lowest set bit is the alignment.
uint64_t addressBits(const TensorView &view, int unitDim) {
  auto bits = reinterpret_cast<uint64_t>(view.data);
  auto elementBytes = static_cast<uint64_t>(byteSize(view.dtype));
  for (int dim = 0; dim < view.rank; ++dim)
    if (dim != unitDim && view.shape[dim] > 1)
      bits |= static_cast<uint64_t>(view.strides[dim]) * elementBytes;
  return bits;
}

/// Where steps are rows of the sequences' memory, and not the other way round:
/// there a step's stride would change with the batch.
bool isRowOfSequence(const TensorView &view, const TensorSpec &spec, int dim) {
  int64_t stride = view.strides[dim];
  uint64_t bytes = static_cast<uint64_t>(stride) *
                   static_cast<uint64_t>(byteSize(view.dtype));
  if (view.shape[dim] <= 1 || stride <= 0 || bytes % kRowAlignment)
    return false;
  // One sequence alone may be a column of a batch.
  for (int other = 0; other < view.rank; ++other)
    if (spec.dims[other].axis == Axis::Batch && view.strides[other] != 0 &&
        view.strides[other] < stride)
      return false;
  return true;
}

/// Gives `layout` the stride of Length where that is worth a variant.
void fixStride(const TensorView &view, const TensorSpec &spec,
               LayoutSpec &layout) {
  for (int dim = 0; dim < view.rank; ++dim)
    if (spec.dims[dim].axis == Axis::Length && spec.dims[dim].tellsAxis() &&
        dim != layout.unitDim && isRowOfSequence(view, spec, dim)) {
      layout.fixedDim = static_cast<int8_t>(dim);
      layout.fixedStride = view.strides[dim];
    }
}

/// An extent of 1 has any stride.
bool hasStride(const TensorView &view, int dim, int64_t stride) {
  return dim < 0 || view.shape[dim] <= 1 || view.strides[dim] == stride;
}

} // namespace

LayoutSpec deduceLayout(const TensorView &view, const TensorSpec &spec) {
  LayoutSpec layout;
  layout.unitDim = deduceUnitDim(view, spec);
  uint64_t bits = addressBits(view, layout.unitDim) | kMaxAlignment;
  auto alignment = static_cast<int64_t>(bits & (~bits + 1));
  layout.alignment =
      static_cast<uint8_t>(std::max(alignment, byteSize(view.dtype)));
  fixStride(view, spec, layout);
  return layout;
}

void forgetFixedStrides(std::span<LayoutSpec> layouts) {
  for (LayoutSpec &layout : layouts)
    layout = layout.withoutFixedStride();
}

bool satisfies(const TensorView &view, const LayoutSpec &layout) {
  if (!hasStride(view, layout.unitDim, 1) ||
      !hasStride(view, layout.fixedDim, layout.fixedStride))
    return view.empty();
  return (addressBits(view, layout.unitDim) & (layout.alignment - 1u)) == 0 ||
         view.empty();
}

Status checkLayout(const TensorView &view, const LayoutSpec &layout,
                   std::string_view tensorName) {
  if (satisfies(view, layout))
    return Status();
  auto invalid = [&](std::string text) {
    return Status(StatusCode::InvalidArgument,
                  fmt::format("'{}' ({}): {}; compile a variant for this "
                              "layout or copy the tensor",
                              tensorName, view.describe(), text));
  };
  int unitDim = layout.unitDim;
  for (auto [dim, stride] :
       {std::pair(unitDim, int64_t(1)), {layout.fixedDim, layout.fixedStride}})
    if (!hasStride(view, dim, stride))
      return invalid(fmt::format("dimension {} has stride {}, and the kernel "
                                 "was compiled for stride {}",
                                 dim, view.strides[dim], stride));
  if (reinterpret_cast<uintptr_t>(view.data) % layout.alignment)
    return invalid(fmt::format("address {} is not a multiple of the {} bytes "
                               "that the kernel was compiled for",
                               view.data, layout.alignment));
  for (int dim = 0; dim < view.rank; ++dim)
    if (dim != unitDim && view.shape[dim] > 1 &&
        view.strides[dim] * byteSize(view.dtype) % layout.alignment)
      return invalid(fmt::format("stride {} of dimension {} is not a multiple "
                                 "of the {} bytes that the kernel was compiled "
                                 "for",
                                 view.strides[dim], dim, layout.alignment));
  return Status();
}

int64_t channelMultipleOf(int64_t channels) {
  auto bits = static_cast<uint64_t>(channels) | kMostChannelMultiple;
  return static_cast<int64_t>(bits & (~bits + 1));
}

int64_t lengthMultipleOf(int64_t length) {
  for (int64_t multiple : {kMostLengthMultiple, int64_t(16)})
    if (length % multiple == 0)
      return multiple;
  return 1;
}

int64_t extentBucket(int64_t extent) {
  int64_t bucket = extent > 0 ? 1 : 0;
  while (bucket < extent && bucket <= INT64_MAX / 2)
    bucket *= 2;
  return bucket;
}

int64_t channelBucket(int64_t channels) {
  if (channels <= 8 || channels > INT64_MAX / 2)
    return channels;
  auto below =
      static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(channels)));
  int64_t step = below / 8;
  return (channels + step - 1) / step * step;
}

} // namespace mamba
