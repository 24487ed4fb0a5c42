//===- Problem.h - The tensors of a case ------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inputs lie in memory that is NaN wherever no element is, so that a kernel
// that reads too far does not go unseen.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_PROBLEM_H
#define MAMBA_TEST_E2E_NUMERICS_PROBLEM_H

#include "runtime/jit/Jit.h"
#include "test/e2e/numerics/Case.h"
#include "tools/problem/GuardedResult.h"

#include <vector>

namespace mamba::numerics {

/// Tensors in host memory, with the extents and strides of a case.
struct HostProblem {
  FunctionInfo info;
  std::vector<HostTensor> inputs;
  std::vector<HostTensor> results;

  std::vector<TensorView> inputViews() const;
  std::vector<TensorView> resultViews() const;
  /// The input or result called `name`; null if there is none.
  HostTensor *find(std::string_view name);
};

/// Draws the inputs of `test` for a function with the signature `info`, and
/// makes room for its results.
Result<HostProblem> makeProblem(const Case &test, const FunctionInfo &info);

/// The same tensors on a device.
struct DeviceProblem {
  std::vector<DeviceTensor> inputs;
  std::vector<GuardedResult> results;

  static Result<DeviceProblem> create(const HostProblem &problem,
                                      const std::shared_ptr<Device> &device);
  /// Inputs, then results.
  std::vector<TensorView> views() const;
  /// Brings the results to the host. Internal if a kernel changed an input,
  /// wrote outside a result, or left out an element.
  Status fetch(HostProblem &problem) const;
};

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_PROBLEM_H
