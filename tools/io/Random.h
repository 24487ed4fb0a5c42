//===- Random.h - Seeded random tensors -------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inputs for a run that was given none. A value is a function of seed, tensor
// name and position, made of integer arithmetic, additions and products of
// doubles only: the same numbers on every machine, in any order, whatever the
// strides.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_RANDOM_H
#define MAMBA_TOOLS_IO_RANDOM_H

#include "runtime/Tensor.h"

#include <cstdint>
#include <string_view>

namespace mamba {

/// A stream of random numbers addressed by position.
class RandomStream {
public:
  /// Streams of different names are independent.
  RandomStream(uint64_t seed, std::string_view name);

  /// 64 random bits.
  uint64_t bits(uint64_t position) const;
  /// Uniform in [low, high).
  double uniform(uint64_t position, double low, double high) const;
  /// Mean 0, variance 1, in (-6, 6): a sum of twelve uniform numbers, close
  /// enough to a normal distribution for test inputs, and free of libm.
  double normal(uint64_t position) const;

private:
  uint64_t key_;
};

/// How a tensor is filled.
struct RandomFill {
  enum class Kind : uint8_t {
    Uniform, ///< Uniform in [low, high).
    Normal,  ///< Mean 0, variance 1.
    Decay    ///< A of S4D, by the index n of the last dimension: -(n + 1) with
             ///< 10 % of jitter (S4D-Real), complex -1/2 + i pi n (S4D-Lin).
  };
  Kind kind = Kind::Uniform;
  double low = -1;
  double high = 1;
};

/// What a tensor of a state-space model's usual name is filled with, so that
/// states neither vanish nor grow:
/// A decays (an A of one dimension, a number a channel: uniform in [-16, -1));
/// B, C, z and h0 are normal; D is uniform in [-1, 1); delta is uniform in
/// [-4.5, -2) where softplus follows (steps of 0.01 to 0.13), else in
/// [0.001, 0.1); delta's bias is uniform in [-0.5, 0.5). Any other name:
/// uniform in [-1, 1).
RandomFill presetFor(std::string_view name, int rank, bool softplusOfDelta);

/// Fills `tensor`, rounding to its type. In complex types both parts are drawn,
/// except by Decay.
void fillRandom(HostTensor &tensor, const RandomFill &fill, uint64_t seed,
                std::string_view name);

} // namespace mamba

#endif // MAMBA_TOOLS_IO_RANDOM_H
