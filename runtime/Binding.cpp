//===- Binding.cpp - Tensors meet an artifact -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks go from what later ones rely on to what is expensive: ranks and types,
// extents, sizes, layouts, overlap.
//
//===----------------------------------------------------------------------===//

#include "runtime/Binding.h"

#include "runtime/DType.h"
#include "runtime/Layout.h"

#include <algorithm>
#include <fmt/format.h>

namespace mamba {

namespace {

constexpr int64_t kTemporaryAlignment = 256;

int64_t ceilDiv(int64_t value, int64_t divisor) {
  return value / divisor + (value % divisor != 0);
}

Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

/// "input 'u'" or "result 'y'".
std::string label(const Artifact &artifact, size_t index) {
  return fmt::format("{} '{}'", index < artifact.numInputs ? "input" : "result",
                     artifact.tensors[index].name);
}

/// False if the bytes of all elements, each counted, pass 64 bits.
bool sizeFits(const TensorView &view) {
  int64_t bytes = byteSize(view.dtype);
  bool overflow = false;
  for (int dim = 0; dim < view.rank; ++dim)
    overflow |= __builtin_mul_overflow(
        bytes, std::max<int64_t>(view.shape[dim], 1), &bytes);
  return !overflow;
}

} // namespace

Signature::Signature(const Artifact &artifact) : artifact_(artifact) {
  std::fill_n(staticExtents_, kNumAxes, kDynamic);
  for (const TensorSpec &tensor : artifact.tensors)
    for (const DimSpec &dim : tensor.dims)
      if (dim.extent != kDynamic && dim.divisor == 1)
        staticExtents_[static_cast<size_t>(dim.axis)] = dim.extent;
}

Status Binding::bind(const Signature &signature,
                     std::span<const TensorView> tensors) {
  signature_ = &signature;
  tensors_ = tensors;
  const Artifact &artifact = signature.artifact();
  if (tensors.size() != artifact.layouts.size())
    return invalid(fmt::format("{} tensors given; required are {} inputs and "
                               "{} results",
                               tensors.size(), artifact.numInputs,
                               artifact.numResults));
  for (size_t i = 0; i < kNumAxes; ++i)
    extents_[i] = signature.staticExtent(static_cast<Axis>(i));
  for (size_t i = 0; i < tensors.size(); ++i)
    MAMBA_RETURN_IF_ERROR(bindTensor(i));
  for (size_t i = 0; i < tensors.size(); ++i)
    MAMBA_RETURN_IF_ERROR(checkExtents(i));
  MAMBA_RETURN_IF_ERROR(checkIterationSpace());
  for (size_t i = 0; i < tensors.size(); ++i)
    MAMBA_RETURN_IF_ERROR(checkMemory(i));
  MAMBA_RETURN_IF_ERROR(checkOverlap());
  return placeTemporaries();
}

Status Binding::bindTensor(size_t index) {
  const Artifact &artifact = signature_->artifact();
  const TensorSpec &spec = artifact.tensors[index];
  const TensorView &view = tensors_[index];
  if (view.rank != static_cast<int>(spec.dims.size()))
    return invalid(fmt::format("{} has rank {}; required is {}",
                               label(artifact, index), view.rank,
                               spec.dims.size()));
  if (view.dtype != spec.dtype)
    return invalid(fmt::format("{} has element type {}; required is {}",
                               label(artifact, index), toString(view.dtype),
                               toString(spec.dtype)));
  for (int dim = 0; dim < view.rank; ++dim) {
    const DimSpec &dimSpec = spec.dims[dim];
    int64_t extent = view.shape[dim];
    if (extent < 0)
      return invalid(fmt::format("dimension {} of {} has the negative extent "
                                 "{}",
                                 dim, label(artifact, index), extent));
    // The first tensor with a dynamic axis tells its extent; the others are
    // compared with it.
    int64_t &known = extents_[static_cast<size_t>(dimSpec.axis)];
    if (dimSpec.tellsAxis() && known == kDynamic)
      known = extent;
  }
  return Status();
}

int64_t Binding::expectedExtent(const DimSpec &dim) const {
  return dim.extentAt(extent(dim.axis));
}

Status Binding::checkExtents(size_t index) const {
  const TensorSpec &spec = signature_->artifact().tensors[index];
  const TensorView &view = tensors_[index];
  for (int dim = 0; dim < view.rank; ++dim) {
    const DimSpec &dimSpec = spec.dims[dim];
    int64_t expected = expectedExtent(dimSpec);
    if (view.shape[dim] == expected)
      continue;
    const char *reason = dimSpec.extent != kDynamic
                             ? "compiled in"
                             : "from the tensors before it";
    return invalid(fmt::format(
        "dimension {} ({}) of {} has extent {}; required is {} ({})", dim,
        toString(dimSpec.axis), label(signature_->artifact(), index),
        view.shape[dim], expected, reason));
  }
  return Status();
}

Status Binding::checkIterationSpace() const {
  int64_t length = extent(Axis::Length);
  int64_t ofLength = signature_->artifact().lengthMultiple;
  if (length != kDynamic && length % ofLength != 0)
    return invalid(fmt::format("length {} is not a multiple of {}, which the "
                               "kernel was compiled for",
                               length, ofLength));
  int64_t channels = extent(Axis::Channel), groups = extent(Axis::Group);
  int64_t multiple = signature_->artifact().channelMultiple;
  if (channels == kDynamic)
    return Status();
  if (channels % multiple != 0)
    return invalid(
        fmt::format("{} channels are not a multiple of {}, which the "
                    "kernel was compiled for",
                    channels, multiple));
  if (groups != kDynamic && channels > 0 &&
      (groups == 0 || channels % groups != 0))
    return invalid(
        fmt::format("{} groups do not divide {} channels", groups, channels));
  return Status();
}

Status Binding::checkMemory(size_t index) {
  const Artifact &artifact = signature_->artifact();
  const TensorView &view = tensors_[index];
  ByteRange &range = ranges_[index];
  if (!sizeFits(view) || !byteRange(view, range))
    return invalid(fmt::format("{} ({}): its size in bytes overflows",
                               label(artifact, index), view.describe()));
  if (range.begin == range.end)
    return Status();
  if (!view.data)
    return invalid(fmt::format("{} ({}) has a null pointer",
                               label(artifact, index), view.describe()));
  int64_t elementAlignment = byteSize(view.dtype);
  if (reinterpret_cast<int64_t>(view.data) % elementAlignment)
    return invalid(fmt::format("{} ({}): address {} is not a multiple of its "
                               "element size {}",
                               label(artifact, index), view.describe(),
                               view.data, elementAlignment));
  const LayoutSpec &layout = artifact.layouts[index];
  if (satisfies(view, layout))
    return Status();
  return checkLayout(view, layout, artifact.tensors[index].name);
}

Status Binding::checkOverlap() const {
  const Artifact &artifact = signature_->artifact();
  for (size_t i = artifact.numInputs; i < tensors_.size(); ++i) {
    if (ranges_[i].begin == ranges_[i].end)
      continue;
    if (!isInjective(tensors_[i]))
      return invalid(fmt::format("{} ({}) could hold several elements in one "
                                 "place; a result needs a place for each",
                                 label(artifact, i), tensors_[i].describe()));
    // Later results are compared when it is their turn.
    for (size_t j = 0; j < i; ++j) {
      if (ranges_[i].end <= ranges_[j].begin ||
          ranges_[j].end <= ranges_[i].begin)
        continue;
      Overlap overlap = ranges_[j].begin == ranges_[j].end
                            ? Overlap::None
                            : overlapOf(tensors_[i], tensors_[j]);
      if (overlap == Overlap::None)
        continue;
      return invalid(fmt::format(
          "{} ({}) {} the memory of {} ({}); a result needs memory of its own",
          label(artifact, i), tensors_[i].describe(),
          overlap == Overlap::Exists ? "overlaps" : "may overlap",
          label(artifact, j), tensors_[j].describe()));
    }
  }
  return Status();
}

/// Those that have to be zero come first.
Status Binding::placeTemporaries() {
  workspaceBytes_ = 0;
  MAMBA_RETURN_IF_ERROR(placeTemporaries(/*zeroed=*/true));
  zeroedBytes_ = workspaceBytes_;
  return placeTemporaries(/*zeroed=*/false);
}

Status Binding::placeTemporaries(bool zeroed) {
  const Artifact &artifact = signature_->artifact();
  for (size_t i = tensors_.size(); i < artifact.tensors.size(); ++i) {
    const TensorSpec &spec = artifact.tensors[i];
    if (spec.isZeroed != zeroed)
      continue;
    int64_t bytes = byteSize(spec.dtype);
    bool overflow = false;
    for (const DimSpec &dim : spec.dims)
      overflow |= __builtin_mul_overflow(bytes, expectedExtent(dim), &bytes);
    offsets_[i] = workspaceBytes_;
    overflow |= __builtin_add_overflow(bytes, kTemporaryAlignment - 1, &bytes);
    bytes -= bytes % kTemporaryAlignment;
    overflow |=
        __builtin_add_overflow(workspaceBytes_, bytes, &workspaceBytes_);
    if (overflow)
      return invalid(fmt::format("the size of temporary '{}' overflows for "
                                 "these extents",
                                 spec.name));
  }
  return Status();
}

Result<int64_t> Binding::numBlocks(const LaunchSpec &launch,
                                   int64_t limit) const {
  int64_t blocks = 0, product = 1;
  bool overflow = false, productOverflows = false;
  auto add = [&] {
    overflow |=
        productOverflows || __builtin_add_overflow(blocks, product, &blocks);
  };
  for (const GridTerm &term : launch.grid) {
    if (term.isAdded) {
      add();
      product = 1;
      productOverflows = false;
    }
    int64_t factor = term.axis == Axis::Other
                         ? term.divisor
                         : ceilDiv(extent(term.axis), term.divisor);
    productOverflows |= __builtin_mul_overflow(product, factor, &product);
    productOverflows &= factor != 0;
  }
  add();
  if (overflow || blocks > limit)
    return Status(
        StatusCode::InvalidArgument,
        fmt::format("launch '{}' needs {} blocks; the device takes "
                    "at most {}: split the batch",
                    launch.entry,
                    overflow ? "more than 2^63" : std::to_string(blocks),
                    limit));
  return blocks;
}

Status Binding::checkNothingToWrite() const {
  const Artifact &artifact = signature_->artifact();
  for (size_t i = artifact.numInputs; i < tensors_.size(); ++i)
    if (!tensors_[i].empty())
      return invalid(
          fmt::format("{} ({}) has elements, but no sequence or channel is "
                      "there to compute "
                      "them from; required is an extent above 0 for both",
                      label(artifact, i), tensors_[i].describe()));
  return Status();
}

int64_t Binding::temporaryStride(const TensorSpec &tensor, size_t dim) const {
  int64_t stride = 1;
  for (size_t i = dim + 1; i < tensor.dims.size(); ++i)
    stride *= expectedExtent(tensor.dims[i]);
  return stride;
}

void Binding::fillArgs(const LaunchSpec &launch, void *workspace,
                       std::span<int64_t> values) const {
  for (size_t i = 0; i < values.size(); ++i) {
    const KernelArg &arg = launch.args[i];
    bool isTemporary = arg.index >= tensors_.size();
    switch (arg.kind) {
    case KernelArg::Kind::Pointer:
      values[i] =
          isTemporary
              ? reinterpret_cast<int64_t>(workspace) + offsets_[arg.index]
              : reinterpret_cast<int64_t>(tensors_[arg.index].data);
      break;
    case KernelArg::Kind::Stride:
      values[i] = isTemporary
                      ? temporaryStride(
                            signature_->artifact().tensors[arg.index], arg.dim)
                      : tensors_[arg.index].strides[arg.dim];
      break;
    case KernelArg::Kind::Extent:
      values[i] = extent(static_cast<Axis>(arg.dim));
      break;
    }
  }
}

} // namespace mamba
