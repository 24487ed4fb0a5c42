//===- Overlap.h - Whether strided views share memory --------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two views may interleave in one parent tensor without sharing an element, so
// comparing address ranges is not enough to refuse a launch.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_OVERLAP_H
#define MAMBA_RUNTIME_OVERLAP_H

#include "runtime/Tensor.h"

namespace mamba {

/// The bytes a view reaches: addresses [begin, end); empty views reach none.
struct ByteRange {
  int64_t begin;
  int64_t end;
};

/// False if the range passes the end of the address space.
bool byteRange(const TensorView &view, ByteRange &range);

enum class Overlap : uint8_t {
  None,
  Exists,
  /// The search was given up after a bounded number of steps.
  Undecided
};

/// Whether two non-empty views, whose ranges are known to fit, share a byte.
/// Allocates nothing.
Overlap overlapOf(const TensorView &a, const TensorView &b);

/// True if different indices of `view` surely are different memory. A view
/// with strides such as (2, 3), where only the sizes tell, counts as not.
bool isInjective(const TensorView &view);

} // namespace mamba

#endif // MAMBA_RUNTIME_OVERLAP_H
