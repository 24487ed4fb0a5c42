//===- s6.h - An S6 layer to check kernels against --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random inputs of the layer in examples/01-selective-scan, and what comes out
// by its formula in double precision. Plain C++.
//
//===----------------------------------------------------------------------===//

#ifndef EXAMPLES_SHIP_S6_H
#define EXAMPLES_SHIP_S6_H

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

constexpr int64_t kBatch = 2, kLength = 1000, kChannels = 96, kStates = 16;

using Halves = std::vector<uint16_t>; // bf16, as bits
using Floats = std::vector<float>;

inline float toFloat(uint16_t half) {
  uint32_t bits = uint32_t(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint16_t toHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The layer's inputs, row-major in the order (b, l, d, n).
struct Layer {
  Halves u, delta, B, C, z;
  Floats A, D, bias;

  Layer() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    auto halves = [&](int64_t size) {
      Halves values(size);
      for (uint16_t &value : values)
        value = toHalf(normal(random));
      return values;
    };
    const int64_t points = kBatch * kLength * kChannels;
    u = halves(points), delta = halves(points), z = halves(points);
    B = halves(kBatch * kLength * kStates);
    C = halves(kBatch * kLength * kStates);
    for (int64_t i = 0; i < kChannels * kStates; ++i)
      A.push_back(-float(1 + i % kStates));
    for (int64_t d = 0; d < kChannels; ++d) {
      D.push_back(normal(random));
      bias.push_back(normal(random) - 2);
    }
  }
};

inline double silu(double x) { return x / (1 + std::exp(-x)); }

/// y = (sum over n of C h + D u) silu(z), where h_t = exp(dt A) h_(t-1) + dt B
/// u and dt = softplus(delta + bias); Gu & Dao 2023, algorithm 2.
inline std::vector<double> forward(const Layer &in) {
  std::vector<double> y(in.u.size());
  for (int64_t b = 0; b < kBatch; ++b)
    for (int64_t d = 0; d < kChannels; ++d) {
      double h[kStates] = {};
      for (int64_t l = 0; l < kLength; ++l) {
        const int64_t step = b * kLength + l, at = step * kChannels + d;
        const double u = toFloat(in.u[at]),
                     dt = std::log1p(
                         std::exp(toFloat(in.delta[at]) + in.bias[d]));
        double sum = in.D[d] * u;
        for (int64_t n = 0; n < kStates; ++n) {
          h[n] = std::exp(dt * in.A[d * kStates + n]) * h[n] +
                 dt * toFloat(in.B[step * kStates + n]) * u;
          sum += toFloat(in.C[step * kStates + n]) * h[n];
        }
        y[at] = sum * silu(toFloat(in.z[at]));
      }
    }
  return y;
}

/// dL/dD of L = sum of y: sum over b and l of u silu(z).
inline std::vector<double> gradientOfD(const Layer &in) {
  std::vector<double> dD(kChannels);
  for (size_t at = 0; at < in.u.size(); ++at)
    dD[at % kChannels] += toFloat(in.u[at]) * silu(toFloat(in.z[at]));
  return dD;
}

/// Prints the relative error in the 2-norm, and says whether it is small.
template <typename Get>
bool check(const char *name, const std::vector<double> &exact, double bound,
           Get &&found) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    error += (found(i) - exact[i]) * (found(i) - exact[i]);
    norm += exact[i] * exact[i];
  }
  error = std::sqrt(error / norm);
  const bool isRight = error <= bound; // False for NaN.
  std::printf("%-3s relative error %.1e, at most %.0e: %s\n", name, error,
              bound, isRight ? "right" : "WRONG");
  return isRight;
}

#endif // EXAMPLES_SHIP_S6_H
