//===- Permutation.h - Orders that a seed chooses ---------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Results must not depend on which thread or block comes first; other orders
// show where they do.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_PERMUTATION_H
#define MAMBA_RUNTIME_SIMT_PERMUTATION_H

#include <cstdint>
#include <numeric>

namespace mamba::simt {

/// Numbers that a seed decides (splitmix64).
class RandomBits {
public:
  explicit RandomBits(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t limit) { return next() % limit; }

private:
  uint64_t state_;
};

/// An order of [0, count) that takes no memory; the natural one for seed 0.
class BlockOrder {
public:
  BlockOrder(int64_t count, uint64_t seed) : count_(count) {
    if (seed == 0 || count < 2)
      return;
    RandomBits random(seed);
    offset_ = static_cast<int64_t>(random.below(count));
    do
      step_ = 1 + static_cast<int64_t>(random.below(count - 1));
    while (std::gcd(step_, count) != 1);
  }

  int64_t at(int64_t position) const {
    // Blocks are fewer than 2^31, so this does not overflow.
    return (position * step_ + offset_) % count_;
  }

private:
  int64_t count_;
  int64_t step_ = 1;
  int64_t offset_ = 0;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_PERMUTATION_H
