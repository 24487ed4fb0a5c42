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
#include <set>

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

bool hasCodeFor(const BundleVariant &variant, const DeviceInfo &device) {
  return fits(variant.artifact, device) &&
         std::ranges::any_of(variant.code, [&](const CodeFile &code) {
           return runsOn(variant, code, device);
         });
}

/// Lower is better.
struct Rank {
  int architecture = 0;
  int64_t distance = 0;
  auto operator<=>(const Rank &) const = default;
};

Status noTarget(const BundleFunction &function, const DeviceInfo &device) {
  std::set<std::string_view> targets;
  for (const BundleVariant &variant : function.variants)
    targets.insert(variant.artifact.target);
  std::string list;
  for (std::string_view target : targets)
    list += fmt::format("{}{}", list.empty() ? "" : ", ", target);
  return Status(StatusCode::Unsupported,
                fmt::format("the bundle has code of '{}' for {}, which {} ({}, "
                            "{}) does not run: export it with --targets={}",
                            function.name, list, device.name,
                            device.architecture, device.model,
                            device.architecture));
}

/// Why a variant that has code for the device doesn't take the tensors: as a
/// launch of it would say.
Status refusal(const Artifact &artifact, std::span<const TensorView> tensors) {
  Signature signature(artifact);
  return Binding().bind(signature, tensors);
}

} // namespace

bool runsOn(const BundleVariant &variant, const CodeFile &code,
            const DeviceInfo &device) {
  const std::string &target = variant.artifact.target;
  if (code.kind == ImageKind::Object)
    return target == device.target;
  ImageKind kind = code.kind == ImageKind::Cuda ? ImageKind::Ptx : code.kind;
  return cuda::architectureRunsOn(kind, target, device.target);
}

Result<size_t> selectVariant(const BundleFunction &function,
                             std::span<const TensorView> tensors,
                             const DeviceInfo &device) {
  Extents extents;
  bool isCall = readExtents(function, tensors, extents);
  size_t best = function.variants.size(), refused = best;
  Rank bestRank;
  for (size_t i = 0; i < function.variants.size(); ++i) {
    const BundleVariant &variant = function.variants[i];
    if (!hasCodeFor(variant, device))
      continue;
    refused = i;
    if (!isCall || !takes(variant.artifact, tensors, extents))
      continue;
    Rank rank{-cuda::architectureNumber(variant.artifact.target),
              distance(variant, extents)};
    if (best == function.variants.size() || rank < bestRank) {
      best = i;
      bestRank = rank;
    }
  }
  if (best < function.variants.size())
    return best;
  if (refused == function.variants.size())
    return noTarget(function, device);
  // The last variant assumes least.
  Status status = refusal(function.variants[refused].artifact, tensors);
  if (status.ok())
    status = Status(StatusCode::InvalidArgument,
                    "no variant in the bundle takes these tensors");
  return std::move(status).withContext(
      fmt::format("function '{}'", function.name));
}

} // namespace mamba
