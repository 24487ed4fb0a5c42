//===- Difference.cpp - How far two devices' results are apart ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Difference.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mamba;
using namespace mamba::numerics;

/// Bits of the significand behind the leading one.
static int fractionBits(DType dtype) {
  switch (dtype) {
  case DType::F16:
    return 10;
  case DType::BF16:
    return 7;
  case DType::F64:
  case DType::C128:
    return 52;
  default:
    return 23;
  }
}

static double rootMeanSquare(const HostTensor &tensor) {
  double sum = 0, count = 0;
  forEachIndex(tensor.shape(), [&](std::span<const int64_t> index) {
    double square = std::norm(tensor.at(index));
    if (std::isfinite(square)) {
      sum += square;
      ++count;
    }
  });
  return count > 0 ? std::sqrt(sum / count) : 0;
}

static double ulps(double x, double y, double scale, int bits) {
  if (x == y || (std::isnan(x) && std::isnan(y)))
    return 0;
  double magnitude = std::max({std::abs(x), scale, 1e-38});
  double distance =
      std::abs(x - y) / std::ldexp(1, std::ilogb(magnitude) - bits);
  return std::isnan(distance) ? std::numeric_limits<double>::infinity()
                              : distance;
}

double numerics::largestUlps(const HostTensor &x, const HostTensor &y) {
  double scale = rootMeanSquare(x), largest = 0;
  int bits = fractionBits(x.dtype());
  forEachIndex(x.shape(), [&](std::span<const int64_t> index) {
    std::complex<double> a = x.at(index), b = y.at(index);
    largest = std::max({largest, ulps(a.real(), b.real(), scale, bits),
                        ulps(a.imag(), b.imag(), scale, bits)});
  });
  return largest;
}
