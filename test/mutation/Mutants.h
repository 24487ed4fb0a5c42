//===- Mutants.h - Deliberate defects of kernels ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each imitates a mistake that someone could make in the lowering. The tests
// are good enough if they catch every one.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_MUTATION_MUTANTS_H
#define MAMBA_TEST_MUTATION_MUTANTS_H

#include "test/mutation/Change.h"

#include <vector>

namespace mlir::ssm::mutation {

struct Mutant {
  /// A stem for tables and test reports.
  StringRef name;
  /// The mistake, as one would say it.
  StringRef imitates;
  /// "KEY=VALUE ..." of the cases that are most likely to catch it; they are
  /// tried first. Every other case is tried after them.
  StringRef likely;
  /// Plants it; false where the module has no place for it.
  Change change;
};

std::vector<Mutant> barrierMutants();
std::vector<Mutant> boundMutants();
std::vector<Mutant> resultMutants();
std::vector<Mutant> carryMutants();
std::vector<Mutant> laneMutants();
std::vector<Mutant> relayMutants();
std::vector<Mutant> sweepMutants();
std::vector<Mutant> indexMutants();
std::vector<Mutant> offsetMutants();
std::vector<Mutant> memoryMutants();
std::vector<Mutant> copyMutants();
std::vector<Mutant> splitMutants();
std::vector<Mutant> sumMutants();

/// All of these after number 0, which changes nothing.
std::vector<Mutant> allMutants();

} // namespace mlir::ssm::mutation

#endif // MAMBA_TEST_MUTATION_MUTANTS_H
