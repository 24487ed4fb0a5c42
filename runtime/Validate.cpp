//===- Validate.cpp - Whether an artifact makes sense ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One check a function, from tensors to launches.
//
//===----------------------------------------------------------------------===//

#include "runtime/Validate.h"

#include "runtime/Tensor.h"

#include <bit>
#include <fmt/format.h>
#include <numeric>

namespace mamba {

namespace {

/// What is known of each axis before a launch.
struct AxisFacts {
  /// The extent that some tensor fixes, or kDynamic.
  int64_t staticExtent[kNumAxes];
  /// True if every launch's inputs and results tell the extent.
  bool determined[kNumAxes] = {};

  AxisFacts() { std::fill_n(staticExtent, kNumAxes, kDynamic); }
};

Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

Status checkDim(const DimSpec &dim) {
  if (static_cast<size_t>(dim.axis) >= kNumAxes)
    return invalid(fmt::format("unknown axis {}", int(dim.axis)));
  if (dim.extent != kDynamic && dim.extent < 0)
    return invalid(fmt::format("negative extent {}", dim.extent));
  if (dim.divisor < 1)
    return invalid(fmt::format("divisor {} is not positive", dim.divisor));
  if (dim.axis == Axis::Other && dim.extent == kDynamic)
    return invalid("a dimension outside the iteration space needs a static "
                   "extent");
  return Status();
}

Status checkTensor(const TensorSpec &tensor, bool isArgument,
                   AxisFacts &facts) {
  if (byteSize(tensor.dtype) == 0)
    return invalid(fmt::format("unknown element type {}", int(tensor.dtype)));
  if (tensor.dims.size() > kMaxRank)
    return invalid(
        fmt::format("rank {} is larger than {}", tensor.dims.size(), kMaxRank));
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    const DimSpec &dim = tensor.dims[i];
    MAMBA_RETURN_IF_ERROR(
        checkDim(dim).withContext(fmt::format("dimension {}", i)));
    if (!dim.tellsAxis())
      continue;
    auto axis = static_cast<size_t>(dim.axis);
    facts.determined[axis] |= isArgument;
    if (dim.extent == kDynamic)
      continue;
    int64_t &known = facts.staticExtent[axis];
    if (known != kDynamic && known != dim.extent)
      return invalid(
          fmt::format("dimension {} has {} extent {}, and an earlier "
                      "tensor has {}",
                      i, toString(dim.axis), dim.extent, known));
    known = dim.extent;
    facts.determined[axis] = true;
  }
  return Status();
}

Status checkLayoutSpec(const LayoutSpec &layout, const TensorSpec &tensor) {
  if (layout.unitDim < -1 ||
      layout.unitDim >= static_cast<int>(tensor.dims.size()))
    return invalid(fmt::format("unit dimension {} of a tensor of rank {}",
                               layout.unitDim, tensor.dims.size()));
  if (!std::has_single_bit(layout.alignment) || layout.alignment > 16)
    return invalid(
        fmt::format("alignment {} is not 1, 2, 4, 8 or 16", layout.alignment));
  bool isFixed = layout.fixedDim != -1;
  if (layout.fixedDim < -1 ||
      layout.fixedDim >= static_cast<int>(tensor.dims.size()) ||
      (isFixed && layout.fixedDim == layout.unitDim))
    return invalid(fmt::format("fixed dimension {} of a tensor of rank {} with "
                               "unit dimension {}",
                               layout.fixedDim, tensor.dims.size(),
                               layout.unitDim));
  int64_t step =
      layout.alignment / std::gcd(layout.alignment, byteSize(tensor.dtype));
  if (isFixed ? layout.fixedStride < 1 || layout.fixedStride % step
              : layout.fixedStride != 0)
    return invalid(fmt::format("fixed stride {} of dimension {}",
                               layout.fixedStride, layout.fixedDim));
  return Status();
}

Status checkDetermined(Axis axis, const AxisFacts &facts) {
  if (static_cast<size_t>(axis) >= kNumAxes)
    return invalid(fmt::format("unknown axis {}", int(axis)));
  if (axis != Axis::Other && !facts.determined[static_cast<size_t>(axis)])
    return invalid(fmt::format("no input or result has the {} axis, so its "
                               "extent is unknown",
                               toString(axis)));
  return Status();
}

Status checkArg(const KernelArg &arg, const Artifact &artifact,
                const AxisFacts &facts) {
  if (arg.kind == KernelArg::Kind::Extent) {
    if (arg.dim >= kNumAxes || static_cast<Axis>(arg.dim) == Axis::Other)
      return invalid(fmt::format("extent of the unknown axis {}", arg.dim));
    return checkDetermined(static_cast<Axis>(arg.dim), facts);
  }
  if (arg.kind > KernelArg::Kind::Extent)
    return invalid(fmt::format("unknown kind {}", int(arg.kind)));
  if (arg.index >= artifact.tensors.size())
    return invalid(
        fmt::format("tensor {} of {}", arg.index, artifact.tensors.size()));
  size_t rank = artifact.tensors[arg.index].dims.size();
  if (arg.kind == KernelArg::Kind::Stride && arg.dim >= rank)
    return invalid(fmt::format("stride {} of tensor {} of rank {}", arg.dim,
                               arg.index, rank));
  return Status();
}

Status checkLaunch(const LaunchSpec &launch, const Artifact &artifact,
                   const AxisFacts &facts) {
  if (launch.entry.empty() || launch.entry.find('\0') != std::string::npos)
    return invalid("an entry needs a name without zero bytes");
  if (launch.blockSize < 1)
    return invalid("block size 0");
  if (launch.args.size() > kMaxArgs)
    return invalid(fmt::format("{} arguments are more than {}",
                               launch.args.size(), kMaxArgs));
  if (!launch.grid.empty() && launch.grid.front().isAdded)
    return invalid("the first factor of a grid has nothing to be added to");
  for (const GridTerm &term : launch.grid) {
    MAMBA_RETURN_IF_ERROR(
        checkDetermined(term.axis, facts).withContext("grid"));
    if (term.divisor < 1)
      return invalid(
          fmt::format("grid divisor {} is not positive", term.divisor));
  }
  for (size_t i = 0; i < launch.args.size(); ++i)
    MAMBA_RETURN_IF_ERROR(checkArg(launch.args[i], artifact, facts)
                              .withContext(fmt::format("argument {}", i)));
  return Status();
}

Status checkCounts(const Artifact &artifact) {
  size_t numArguments = size_t(artifact.numInputs) + artifact.numResults;
  if (artifact.tensors.size() > kMaxTensors)
    return invalid(fmt::format("{} tensors are more than {}",
                               artifact.tensors.size(), kMaxTensors));
  if (numArguments > artifact.tensors.size())
    return invalid(fmt::format("{} inputs and {} results, but {} tensors",
                               artifact.numInputs, artifact.numResults,
                               artifact.tensors.size()));
  if (artifact.layouts.size() != numArguments)
    return invalid(fmt::format("{} layouts for {} inputs and results",
                               artifact.layouts.size(), numArguments));
  if (artifact.kind > ImageKind::Cuda)
    return invalid(fmt::format("unknown image kind {}", int(artifact.kind)));
  if (artifact.channelMultiple < 1)
    return invalid(fmt::format("channel multiple {} is not positive",
                               artifact.channelMultiple));
  if (artifact.lengthMultiple < 1)
    return invalid(fmt::format("length multiple {} is not positive",
                               artifact.lengthMultiple));
  return Status();
}

Status checkAll(const Artifact &artifact) {
  MAMBA_RETURN_IF_ERROR(checkCounts(artifact));
  AxisFacts facts;
  for (size_t i = 0; i < artifact.tensors.size(); ++i) {
    const TensorSpec &tensor = artifact.tensors[i];
    bool isArgument = i < artifact.layouts.size();
    Status status = checkTensor(tensor, isArgument, facts);
    if (status.ok() && isArgument)
      status = checkLayoutSpec(artifact.layouts[i], tensor);
    MAMBA_RETURN_IF_ERROR(std::move(status).withContext(
        fmt::format("tensor {} '{}'", i, tensor.name)));
  }
  for (const TensorSpec &tensor : artifact.tensors)
    for (const DimSpec &dim : tensor.dims)
      MAMBA_RETURN_IF_ERROR(
          checkDetermined(dim.axis, facts)
              .withContext(fmt::format("tensor '{}'", tensor.name)));
  for (const LaunchSpec &launch : artifact.launches)
    MAMBA_RETURN_IF_ERROR(
        checkLaunch(launch, artifact, facts)
            .withContext(fmt::format("launch '{}'", launch.entry)));
  return Status();
}

} // namespace

std::string_view toString(Axis axis) {
  switch (axis) {
  case Axis::Batch:
    return "batch";
  case Axis::Length:
    return "length";
  case Axis::Channel:
    return "channel";
  case Axis::State:
    return "state";
  case Axis::Group:
    return "group";
  case Axis::Other:
    return "other";
  }
  return "unknown";
}

Status validate(const Artifact &artifact) {
  return checkAll(artifact).withContext(
      fmt::format("artifact '{}' is inconsistent", artifact.name));
}

} // namespace mamba
