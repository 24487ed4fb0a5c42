//===- Mutate.h - Modules with mistakes -------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No text may crash the compiler. Random bytes only ever reach the lexer; good
// modules with a few tokens changed reach verifiers, passes and codegen.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_MUTATE_H
#define MAMBA_TEST_E2E_NUMERICS_MUTATE_H

#include <cstdint>
#include <string>

namespace mamba::numerics {

/// `text` with one to three changes; a pure function of its arguments.
std::string mutate(const std::string &text, uint64_t seed);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_MUTATE_H
