//===- Selection.cpp - Which variant a call runs --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/bundle/Selection.h"

#include "runtime/Binding.h"
#include "runtime/Layout.h"
#include "runtime/Validate.h"
#include "runtime/cuda/Compatibility.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace mamba {

namespace {

/// Extents of batch, length and channels; -1 where no tensor has the axis.
struct Extents {
  int64_t of[3] = {-1, -1, -1};
};

/// Nothing where the tensors' ranks are not those of the function.
bool readExtents(const BundleFunction &function,
                 std::span<const TensorView> tensors, Extents &extents) {
  if (tensors.size() != function.tensors.size())
    return false;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::vector<DimSpec> &dims = function.tensors[i].dims;
    if (tensors[i].rank != static_cast<int>(dims.size()))
      return false;
    for (size_t dim = 0; dim < dims.size(); ++dim)
      if (auto axis = static_cast<size_t>(dims[dim].axis);
          axis < std::size(extents.of) && dims[dim].tellsAxis())
        extents.of[axis] = tensors[i].shape[dim];
  }
  return true;
}

bool isMultiple(int64_t extent, int64_t of) {
  return extent < 0 || extent % of == 0;
}

bool takes(const Artifact &artifact, std::span<const TensorView> tensors,
           const Extents &extents) {
  if (!isMultiple(extents.of[size_t(Axis::Length)], artifact.lengthMultiple) ||
      !isMultiple(extents.of[size_t(Axis::Channel)], artifact.channelMultiple))
    return false;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (!satisfies(tensors[i], artifact.layouts[i]))
      return false;
  return true;
}

/// log2 in 16ths, exact enough to compare distances: no call of libm.
int64_t logOf(int64_t value) {
  auto bits = static_cast<uint64_t>(std::max<int64_t>(value, 1));
  int whole = std::bit_width(bits) - 1;
  uint64_t fraction = whole >= 4 ? bits >> (whole - 4) : bits << (4 - whole);
  return 16 * whole + static_cast<int64_t>(fraction & 15);
}

int64_t distance(const BundleVariant &variant, const Extents &extents) {
  constexpr int64_t kUnknown = 16 * 64;
  int64_t sum = 0;
  for (size_t i = 0; i < std::size(extents.of); ++i) {
    if (extents.of[i] < 0)
      continue;
    sum += variant.madeFor[i] < 0
               ? kUnknown
               : std::abs(logOf(extents.of[i]) - logOf(variant.madeFor[i]));
  }
  return sum;
}

/// Schedules are chosen for an architecture's limits, and later ones may have
/// less: sm_80 has more shared memory than sm_86.
bool fits(const Artifact &artifact, const DeviceInfo &device) {
  return std::ranges::all_of(artifact.launches, [&](const LaunchSpec &launch) {
    return launch.sharedBytes <= device.sharedBytesPerBlock &&
           launch.blockSize <=
               static_cast<uint32_t>(std::max(device.maxThreadsPerBlock, 1));
  });
}

/// Why a variant that has code for the device doesn't take the tensors: as a
/// launch of it would say.
Status refusal(const Artifact &artifact, std::span<const TensorView> tensors) {
  Signature signature(artifact);
  return Binding().bind(signature, tensors);
}

} // namespace

bool runsOn(ImageKind kind, std::string_view target, const DeviceInfo &device) {
  if (kind == ImageKind::Object)
    return target == device.target;
  return cuda::architectureRunsOn(
      kind == ImageKind::Cuda ? ImageKind::Ptx : kind, target, device.target);
}

bool runsOn(const BundleTarget &target, const DeviceInfo &device) {
  return std::ranges::any_of(target.forms, [&](ImageKind kind) {
    return runsOn(kind, target.target, device);
  });
}

Result<size_t> selectVariant(const BundleFunction &function,
                             std::span<const BundleVariant> variants,
                             std::span<const TensorView> tensors,
                             const DeviceInfo &device) {
  Extents extents;
  bool isCall = readExtents(function, tensors, extents);
  size_t best = variants.size(), refused = best;
  int64_t least = INT64_MAX;
  for (size_t i = 0; i < variants.size(); ++i) {
    if (!fits(variants[i].artifact, device))
      continue;
    refused = i;
    if (!isCall || !takes(variants[i].artifact, tensors, extents))
      continue;
    int64_t far = distance(variants[i], extents);
    if (best == variants.size() || far < least) {
      best = i;
      least = far;
    }
  }
  if (best < variants.size())
    return best;
  if (refused == variants.size())
    return Status(StatusCode::Unsupported,
                  fmt::format("blocks of every variant of '{}' are larger than "
                              "{} ({}) has shared memory or threads for",
                              function.name, device.name, device.architecture));
  // The last variant assumes least.
  Status status = refusal(variants[refused].artifact, tensors);
  if (status.ok())
    status = Status(StatusCode::InvalidArgument,
                    "no variant in the bundle takes these tensors");
  return std::move(status).withContext(
      fmt::format("function '{}'", function.name));
}

} // namespace mamba
