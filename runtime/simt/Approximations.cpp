//===- Approximations.cpp - The GPU's approximate instructions ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Division by zero is what these instructions define: infinity.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Approximations.h"

#include <cmath>
#include <limits>

namespace mamba::simt {

/// A subnormal number as a zero of its sign.
static float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

float approximateExp2(float x) {
  return flush(static_cast<float>(std::exp2(double(flush(x)))));
}

float approximateLog2(float x) {
  return static_cast<float>(std::log2(double(flush(x))));
}

float approximateReciprocal(float x) {
  x = flush(x);
  if (x == 0)
    return std::copysign(std::numeric_limits<float>::infinity(), x);
  return flush(static_cast<float>(1 / double(x)));
}

float approximateSquareRoot(float x) {
  return static_cast<float>(std::sqrt(double(flush(x))));
}

float approximateReciprocalSquareRoot(float x) {
  x = flush(x);
  if (x == 0)
    return std::copysign(std::numeric_limits<float>::infinity(), x);
  return static_cast<float>(1 / std::sqrt(double(x)));
}

} // namespace mamba::simt
