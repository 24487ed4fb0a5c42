//===- Subject.h - A layer, and shapes that one kernel serves ---*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Any number of shapes, of a known number of kernels: what a soak compiles is
// bounded, and what it launches is not.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_TORTURE_SOAK_SUBJECT_H
#define MAMBA_TEST_TORTURE_SOAK_SUBJECT_H

#include "runtime/jit/Jit.h"
#include "test/e2e/numerics/Case.h"
#include "test/e2e/numerics/Random.h"

#include <mutex>
#include <optional>
#include <vector>

namespace mamba::soak {

struct Shape {
  int64_t batch = 0;
  int64_t length = 0;
  int64_t channels = 0;

  auto operator<=>(const Shape &) const = default;
};

/// Thread-safe.
class Subject {
public:
  /// `layer` says all but the extents; `shape` is one of those to draw.
  Subject(numerics::Case layer, Shape shape)
      : layer_(std::move(layer)), shape_(shape) {}

  Shape draw(numerics::Random &random) const;
  Shape smallest() const;
  /// None needs more memory, also for temporaries.
  Shape largest() const;
  numerics::Case caseOf(const Shape &shape, uint64_t seed) const;

  /// The function that all threads launch: the first that was given.
  Function keep(const Function &fresh);

private:
  numerics::Case layer_;
  Shape shape_;
  std::mutex mutex_;
  std::optional<Function> function_;
};

/// `count` layers and first shapes; no shape of theirs has more than
/// `maxPoints` points (b, l, d, n), except for a few that the reference can
/// compare on slices. A pure function of its arguments.
std::vector<std::unique_ptr<Subject>> drawSubjects(int64_t count, uint64_t seed,
                                                   int64_t maxPoints);

} // namespace mamba::soak

#endif // MAMBA_TEST_TORTURE_SOAK_SUBJECT_H
