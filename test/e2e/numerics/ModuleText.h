//===- ModuleText.h - The module that a case compiles -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layers as a user writes them in model IR: the suite tests the whole way from
// there, and knows nothing of what the compiler makes of it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_MODULETEXT_H
#define MAMBA_TEST_E2E_NUMERICS_MODULETEXT_H

#include "test/e2e/numerics/Case.h"

namespace mamba::numerics {

/// A module with one function, @layer. Its arguments have the names that
/// fillRandom() knows: u, delta, A, B, C, D, z, bias, h0.
std::string moduleText(const Case &test);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_MODULETEXT_H
