//===- SingleCases.h - Cases that no design draws -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_SINGLECASES_H
#define MAMBA_TEST_E2E_NUMERICS_SINGLECASES_H

#include "test/e2e/numerics/Case.h"

#include <string_view>
#include <vector>

namespace mamba::numerics {

/// The case that a text of the suite's own names.
Case caseOf(std::string_view text);

/// Problems without sequences, steps or channels. In a covering design they
/// would tick off pairs that nothing was computed for.
std::vector<Case> emptyCases(bool isGpu);

/// Steps so large that terms of a discretization's gradient may cancel: among
/// other steps that hides.
std::vector<Case> largeStepCases();

/// Atomic sums of several groups, each of several blocks: designs draw none.
std::vector<Case> groupCases();

/// Cases that give the same bits in each of many launches.
std::vector<Case> repeatCases();

/// Extents that only meet in problems too large for the designs.
std::vector<Case> largeCases(bool isCuda);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_SINGLECASES_H
