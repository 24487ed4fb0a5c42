//===- RandomBody.h - Fused bodies that no one thought of -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A generator of valid ssm.fused ops: any inputs, any dependences between
// scalar operations, recurrences and sums. Values stay of the order of 1 and
// decays away from 1, so that the usual bounds on the error hold.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_RANDOMBODY_H
#define MAMBA_TEST_E2E_NUMERICS_RANDOMBODY_H

#include "test/e2e/numerics/Case.h"

#include <functional>
#include <string>
#include <vector>

namespace mamba::numerics {

/// A fused op and the function around it, as text.
struct FusedText {
  /// (name, axes, element type) of each argument.
  struct Tensor {
    std::string name;
    std::string axes;
    std::string element;
  };
  std::vector<Tensor> inputs;
  std::vector<Tensor> results;
  /// The operations, a line each, up to ssm.yield.
  std::string body;
  /// Statements that the body was made of, dropped ones included.
  int64_t statements = 0;
};

/// The body that `test` asks for: a pure function of `bodyseed`, `type`,
/// `reverse` and of `drop`, a list "3.7" of statements to replace by a
/// constant.
FusedText randomBody(const Case &test);

/// The statements that `test` drops.
std::vector<int64_t> droppedStatements(const Case &test);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_RANDOMBODY_H
