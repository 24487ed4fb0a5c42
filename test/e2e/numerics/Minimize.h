//===- Minimize.h - The smallest case that still fails ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_MINIMIZE_H
#define MAMBA_TEST_E2E_NUMERICS_MINIMIZE_H

#include "test/e2e/numerics/Case.h"

#include <functional>
#include <vector>

namespace mamba::numerics {

/// Cases one step simpler than `test`, the largest steps first: a key at its
/// preset, a smaller extent, a statement of a random body dropped.
std::vector<Case> simplerCases(const Case &test);

/// Goes to the first simpler case for which `fails` holds, until none is left
/// or `budget` of them were tried. `test` itself is taken to fail.
Case minimize(const Case &test, int64_t budget,
              const std::function<bool(const Case &)> &fails);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_MINIMIZE_H
