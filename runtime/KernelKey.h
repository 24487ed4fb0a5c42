//===- KernelKey.h - What decides a variant's code ------------ -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler's cache key in one place, so that nothing is forgotten in it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_KERNELKEY_H
#define MAMBA_RUNTIME_KERNELKEY_H

#include "runtime/Artifact.h"

#include <string>
#include <vector>

namespace mamba {

/// Everything that decides the code of a variant. Two keys that differ in
/// anything have different hex().
struct KernelKey {
  std::string source;   ///< Canonical text of the IR, without file paths.
  std::string function; ///< The function compiled.
  std::string pipeline; ///< The passes and all their options.
  std::string compiler; ///< Build id and version of compiler and LLVM.
  std::string target;   ///< Device::target(), suffix included.
  std::vector<LayoutSpec> layouts; ///< One per input and result.
  std::vector<int64_t> extents;    ///< Buckets that chose the schedule.
  int64_t channelMultiple = 1;
  int64_t lengthMultiple = 1;

  /// The key for Cache.
  std::string hex() const;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_KERNELKEY_H
