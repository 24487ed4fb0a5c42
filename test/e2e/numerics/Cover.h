//===- Cover.h - Cases in which every pair of values meets ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The product of all values is out of reach, and most mistakes need two values
// to meet, rarely three: a pairwise covering design finds them in a hundred
// cases.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_COVER_H
#define MAMBA_TEST_E2E_NUMERICS_COVER_H

#include "test/e2e/numerics/Case.h"

#include <functional>
#include <string>
#include <vector>

namespace mamba::numerics {

struct Factor {
  std::string key;
  std::vector<std::string> values;
};

struct Design {
  /// What all cases have in common.
  Case base;
  std::vector<Factor> factors;
  /// True for the cases that may be run.
  std::function<bool(const Case &)> isValid;
};

/// Cases of `design` in which every pair of values of two factors occurs that
/// some valid case has; pairs that random search does not find are left out.
/// A pure function of its arguments.
std::vector<Case> cover(const Design &design, uint64_t seed);

/// `count` valid cases, each value drawn.
std::vector<Case> sample(const Design &design, uint64_t seed, int64_t count);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_COVER_H
