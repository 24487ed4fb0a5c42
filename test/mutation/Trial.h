//===- Trial.h - One mutant against cases of the suite ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A trial compiles each case with the mutant's change and runs it on the
// simulated GPU, until something says that the kernel is wrong.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_MUTATION_TRIAL_H
#define MAMBA_TEST_MUTATION_TRIAL_H

#include "test/e2e/numerics/RunCase.h"
#include "test/mutation/Mutants.h"

namespace mlir::ssm::mutation {

using mamba::numerics::Case;

/// What came of a mutant.
struct Verdict {
  enum class Kind : uint8_t {
    Caught,
    Survived, ///< All cases passed.
    Unused,   ///< No case's code has a place for it.
    Broken    ///< Its code does not compile, or the failure is unknown.
  };
  Kind kind = Kind::Unused;
  /// What caught it, such as "race"; why it is broken.
  std::string by;
  /// The last case that ran.
  size_t lastCase = 0;
  /// What the suite would print.
  std::string message;
};

/// The cases' numbers in the order in which `mutant` should meet them.
std::vector<size_t> orderFor(const Mutant &mutant,
                             const std::vector<Case> &cases);

/// Called when a case begins, and once more before code that the mutant changed
/// runs for the first time.
using OnCase = std::function<void(size_t number, bool isLaunched)>;

/// Runs `cases` in the given order on a device of this process.
Verdict runTrial(const Mutant &mutant, const std::vector<Case> &cases,
                 const std::vector<size_t> &order, const OnCase &onCase);

} // namespace mlir::ssm::mutation

#endif // MAMBA_TEST_MUTATION_TRIAL_H
