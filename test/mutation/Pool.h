//===- Pool.h - Trials in processes of their own ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mutant may hang or crash; that ends its process, and says that the mutant
// was caught.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_MUTATION_POOL_H
#define MAMBA_TEST_MUTATION_POOL_H

#include "test/mutation/Trial.h"

namespace mlir::ssm::mutation {

/// A mutant and the cases that it is to meet.
struct Job {
  size_t mutant = 0;
  std::vector<size_t> order;
};

struct Finished {
  Verdict verdict;
  /// The cases whose code the mutant changed.
  std::vector<size_t> used;
  double seconds = 0;
};

struct PoolOptions {
  /// Processes at one time.
  int64_t jobs = 2;
  /// Seconds after which a case counts as hung.
  int64_t timeout = 60;
};

/// Runs all jobs; `onFinished` is called once a job, in the order in which they
/// end. This process must not have opened a device or started a thread.
mamba::Status
runJobs(const std::vector<Job> &jobs, const std::vector<Mutant> &mutants,
        const std::vector<Case> &cases, const PoolOptions &options,
        const std::function<void(size_t job, const Finished &)> &onFinished);

} // namespace mlir::ssm::mutation

#endif // MAMBA_TEST_MUTATION_POOL_H
