//===- RunCase.h - Runs one case --------------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function a kind of case.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_RUNCASE_H
#define MAMBA_TEST_E2E_NUMERICS_RUNCASE_H

#include "runtime/jit/Jit.h"
#include "test/e2e/numerics/Case.h"

#include <functional>
#include <memory>
#include <span>

namespace mamba::numerics {

/// How a case wants its kernel.
struct LaunchWay {
  /// The schedule's attribute as text; empty: the default one.
  std::string schedule;
  /// Changes what was compiled before it is loaded; null: nothing.
  std::function<Status(Artifact &)> adapt;
};

struct RunOptions {
  /// Points of the iteration space that the reference may compute.
  int64_t maxPoints = int64_t(1) << 19;
  /// Launches of a `repeat` case.
  int64_t repeats = 20;
  /// The road to a GPU's machine code.
  Backend backend = Backend::Auto;
  /// Runs `verify` cases too, and is compared with the first; null: no one.
  std::shared_ptr<Device> other;
  /// The road of the launches that are compared; of the same device where there
  /// is no other.
  Backend otherBackend = Backend::Auto;

  bool compares() const { return other || otherBackend != Backend::Auto; }
  /// Launches a function on tensors (inputs, then results), in place of
  /// Function::launch().
  std::function<Status(const Function &, const std::shared_ptr<Device> &,
                       std::span<const TensorView>, const LaunchWay &)>
      launch;
};

/// What a case showed.
struct Outcome {
  enum class Kind : uint8_t { Passed, Failed, Refused };
  Kind kind = Kind::Passed;
  /// What was wrong, or why the compiler refused.
  std::string message;
  /// The largest error found, in parts of its bound.
  double worst = 0;
  /// The device can't be used any more: a kernel ran out of its memory.
  bool isDeviceLost = false;
  /// Largest distance from the other device's results (Difference.h); -1 where
  /// none was asked.
  double ulps = -1;
};

/// Compiles and runs `test` on `device`, and judges. Refused where the device
/// lacks what the case's own schedule asks for (shared memory, registers).
Outcome runCase(const Case &test, const std::shared_ptr<Device> &device,
                const RunOptions &options);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_RUNCASE_H
