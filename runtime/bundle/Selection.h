//===- Selection.h - Which variant a call runs ------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bundle can compile nothing, so that the best of what it has must do.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BUNDLE_SELECTION_H
#define MAMBA_RUNTIME_BUNDLE_SELECTION_H

#include "runtime/Device.h"
#include "runtime/Tensor.h"
#include "runtime/bundle/Manifest.h"

#include <span>

namespace mamba {

/// True if code of this kind for `target` runs on a device of this description.
bool runsOn(ImageKind kind, std::string_view target, const DeviceInfo &device);

/// True if the device runs some form of the target's code.
bool runsOn(const BundleTarget &target, const DeviceInfo &device);

/// The index in `variants` of the one that runs `tensors` (inputs, then
/// results) on the device: of those that it has the resources for and whose
/// assumptions hold, that made for the nearest extents: the sum over the axes
/// of |log2(extent / made for)| is the smallest; a variant made for no extents
/// is the last. Allocates nothing unless it fails: InvalidArgument that says
/// what no variant takes, or Unsupported where the device lacks resources.
Result<size_t> selectVariant(const BundleFunction &function,
                             std::span<const BundleVariant> variants,
                             std::span<const TensorView> tensors,
                             const DeviceInfo &device);

} // namespace mamba

#endif // MAMBA_RUNTIME_BUNDLE_SELECTION_H
