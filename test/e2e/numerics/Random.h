//===- Random.h - The same draws everywhere ---------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The distributions of <random> differ between standard libraries, and a suite
// of cases must not.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_RANDOM_H
#define MAMBA_TEST_E2E_NUMERICS_RANDOM_H

#include <cstddef>
#include <cstdint>

namespace mamba::numerics {

/// SplitMix64.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed) {}

  /// A number in [0, count), about evenly.
  size_t below(size_t count) {
    uint64_t x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (x ^ (x >> 31)) % count;
  }

private:
  uint64_t state_;
};

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_RANDOM_H
