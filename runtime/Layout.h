//===- Layout.h - What a tensor's memory lets a kernel assume - -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Unit strides, alignments and the rows of steps are compiled into a variant;
// this is where they are found and checked.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_LAYOUT_H
#define MAMBA_RUNTIME_LAYOUT_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <span>
#include <string_view>

namespace mamba {

/// The strongest assumptions that hold for `view` of a tensor `spec`, whose
/// rank it has. Of the dimensions with stride 1 and more than one element:
/// Length, then Channel, then State, then the last; only if there is none, one
/// of extent 1 in the same order (its stride is never used). -1 means that no
/// dimension has unit stride. The fixed stride is that of Length, where steps
/// are rows of whole lines of kRowAlignment bytes within a sequence, as a
/// model's activations in (B, L, D) memory are: it is the width of the model
/// then, one number for all batches and lengths.
LayoutSpec deduceLayout(const TensorView &view, const TensorSpec &spec);

inline constexpr int64_t kRowAlignment = 128;

/// Makes all strides but unit ones arguments of the launch.
void forgetFixedStrides(std::span<LayoutSpec> layouts);

/// True if `view` meets `layout`. An empty view meets every layout.
bool satisfies(const TensorView &view, const LayoutSpec &layout);

/// InvalidArgument that names the stride or address if !satisfies().
Status checkLayout(const TensorView &view, const LayoutSpec &layout,
                   std::string_view tensorName);

/// The largest power of two up to kMostChannelMultiple that divides `channels`.
/// A block's channels then are known to exist, and to be of one group.
inline constexpr int64_t kMostChannelMultiple = 256;
int64_t channelMultipleOf(int64_t channels);

/// The divisor of `length` that kernels are compiled for: kMostLengthMultiple,
/// 16 or 1, so that three kernels serve all lengths. Tiles whose steps all
/// exist need no code for one that L ends in; threads whose steps all exist, or
/// none, need none for a run.
inline constexpr int64_t kMostLengthMultiple = 256;
int64_t lengthMultipleOf(int64_t length);

/// `extent` rounded up to a power of two: problems of one bucket share a
/// schedule. 0 stays 0.
int64_t extentBucket(int64_t extent);

/// `channels` rounded up by less than an eighth. Finer than extentBucket:
/// models have few channel counts, and how many blocks there are hangs on them.
int64_t channelBucket(int64_t channels);

} // namespace mamba

#endif // MAMBA_RUNTIME_LAYOUT_H
