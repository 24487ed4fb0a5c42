//===- Workers.h - Cases in processes of their own --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel that crashes, hangs or breaks its device must cost one case, not
// the suite.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_WORKERS_H
#define MAMBA_TEST_E2E_NUMERICS_WORKERS_H

#include "test/e2e/numerics/RunCase.h"

#include <functional>
#include <vector>

namespace mamba::numerics {

struct WorkerOptions {
  std::string device = "cpu";
  /// A second device that results are compared with; empty: none.
  std::string other;
  /// Processes at one time; 0: all cases run in this one.
  int64_t jobs = 1;
  /// Seconds after which a case counts as hung. The largest kernel (four
  /// channels of 16 complex steps) takes NVRTC 90 seconds and ptxas 40.
  int64_t timeout = 300;
  RunOptions run;
};

struct Finished {
  Outcome outcome;
  double seconds = 0;
};

/// Called once a case, in the order in which cases end.
using OnFinished = std::function<void(size_t index, const Finished &)>;

/// Runs all cases. This process must not have opened a device or started a
/// thread: workers are forked from it. Fails if the device can't be opened.
Status runCases(const std::vector<Case> &cases, const WorkerOptions &options,
                const OnFinished &onFinished);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_WORKERS_H
