//===- Suite.h - The cases of the numerics suite ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The values that the project promises to get right, and how they are
// combined.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_SUITE_H
#define MAMBA_TEST_E2E_NUMERICS_SUITE_H

#include "test/e2e/numerics/Case.h"

#include <vector>

namespace mamba::numerics {

struct SuiteOptions {
  /// For a GPU: larger problems, and GPU schedules.
  bool isCuda = false;
  /// For a simulated GPU: its schedules on small problems.
  bool isSimt = false;
  /// A tenth of the cases, all small: for tools that slow kernels down.
  bool isQuick = false;
  /// Of the covering designs and of the cases drawn beside them.
  uint64_t seed = 1;
  /// Cases drawn beside each design.
  int64_t extra = 40;
  /// Random bodies, each on a drawn shape, memory and schedule.
  int64_t random = 360;
  /// Modules with mistakes, a kind of body.
  int64_t malformed = 50;
  /// In place of all that: modules that become CUDA C++ and are compiled for
  /// every GPU: so many random bodies, half as many layers, and functions.
  int64_t translated = 0;
};

/// A pure function of its arguments. Cases of kind `far`, which need memory of
/// a device for themselves, come last.
std::vector<Case> makeSuite(const SuiteOptions &options);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_SUITE_H
