//===- JitTesting.h - Modules for tests of the JIT --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A recurrence that can be checked by hand.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_JIT_JITTESTING_H
#define MAMBA_TEST_UNIT_JIT_JITTESTING_H

#include "runtime/jit/Jit.h"

#include <gtest/gtest.h>

namespace mamba::test {

/// h_t = a h_(t-1) + u_t, and its last value. `comment` makes texts that no
/// cache knows.
std::string recurrenceText(std::string_view comment = "");

/// The function of recurrenceText().
Function makeRecurrence(std::string_view comment = "");

/// Its tensors on the host, u_t = 1 and a = 0.5, results NaN.
struct RecurrenceTensors {
  RecurrenceTensors(int64_t batch, int64_t length, int64_t channels);
  std::vector<TensorView> views() const;
  /// The largest difference from 2 - 2^-t.
  double maxError() const;

  HostTensor u, a, h, last;
};

/// Those of `own`, but with u and h as the first columns of the tensors of
/// `parent`, which has more channels and else the same extents.
std::vector<TensorView> firstColumns(const RecurrenceTensors &parent,
                                     const RecurrenceTensors &own);

std::shared_ptr<Device> cpuDevice();

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_JIT_JITTESTING_H
