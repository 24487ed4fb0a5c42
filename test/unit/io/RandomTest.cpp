//===- RandomTest.cpp - Seeded random tensors -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fixed values, since files and recorded results are compared between machines,
// and the properties that the presets promise.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Random.h"

#include "runtime/DType.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

using namespace mamba;

namespace {

TEST(RandomTest, ValuesNeverChange) {
  const RandomStream stream(42, "u");
  EXPECT_EQ(stream.bits(0), 0x428a889e4a4cf08du);
  EXPECT_EQ(stream.bits(1000000), 0x8ee9736ba293f90fu);
  EXPECT_EQ(stream.uniform(3, -1, 1), 0x1.bd43c79a35f28p-1);
  EXPECT_EQ(stream.normal(3), 0x1.d14e2ef5p+0);
}

TEST(RandomTest, SeedAndNameChooseTheStream) {
  EXPECT_EQ(RandomStream(1, "u").bits(5), RandomStream(1, "u").bits(5));
  EXPECT_NE(RandomStream(1, "u").bits(5), RandomStream(2, "u").bits(5));
  EXPECT_NE(RandomStream(1, "u").bits(5), RandomStream(1, "z").bits(5));
}

TEST(RandomTest, Moments) {
  const RandomStream stream(7, "x");
  constexpr int kCount = 100000;
  double normal = 0, normalSquared = 0, uniform = 0, product = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = stream.normal(i), y = stream.uniform(i, 2, 4);
    ASSERT_GE(y, 2);
    ASSERT_LT(y, 4);
    normal += x;
    normalSquared += x * x;
    uniform += y;
    product += x * stream.normal(i + 1);
  }
  // Five standard errors.
  EXPECT_NEAR(normal / kCount, 0, 0.016);
  EXPECT_NEAR(normalSquared / kCount, 1, 0.022);
  EXPECT_NEAR(uniform / kCount, 3, 0.0092);
  EXPECT_NEAR(product / kCount, 0, 0.016);
}

TEST(RandomTest, StridesDoNotMatter) {
  const std::array<int64_t, 2> shape = {3, 4}, strides = {1, 3};
  HostTensor rows(DType::F32, shape), columns(DType::F32, shape, strides);
  fillRandom(rows, presetFor("u", 2, false), 1, "u");
  fillRandom(columns, presetFor("u", 2, false), 1, "u");
  forEachIndex(shape, [&](std::span<const int64_t> index) {
    EXPECT_EQ(rows.at(index), columns.at(index));
  });
}

TEST(RandomTest, DecayIsS4D) {
  HostTensor real(DType::F32, {5, 16}), complex(DType::C64, {5, 16});
  fillRandom(real, presetFor("A", 2, true), 1, "A");
  fillRandom(complex, presetFor("A", 2, true), 1, "A");
  forEachIndex(real.shape(), [&](std::span<const int64_t> index) {
    const double n = static_cast<double>(index[1]);
    EXPECT_NEAR(real.at(index).real(), -(n + 1), 0.1 * (n + 1));
    EXPECT_EQ(complex.at(index).real(), -0.5);
    EXPECT_NEAR(complex.at(index).imag(), std::numbers::pi * n, 1e-5);
  });
  const std::array<int64_t, 2> first = {0, 3}, second = {1, 3};
  EXPECT_NE(real.at(first), real.at(second));
}

TEST(RandomTest, StepsStayInMambasRange) {
  HostTensor delta(DType::F64, {1000}), bias(DType::F64, {1000}),
      step(DType::F64, {1000});
  fillRandom(delta, presetFor("delta", 1, true), 1, "delta");
  fillRandom(bias, presetFor("bias", 1, true), 1, "bias");
  fillRandom(step, presetFor("delta", 1, false), 1, "delta");
  forEachIndex(delta.shape(), [&](std::span<const int64_t> index) {
    const double after =
        std::log1p(std::exp(delta.at(index).real() + bias.at(index).real()));
    EXPECT_GT(after, 0.005);
    EXPECT_LT(after, 0.25);
    EXPECT_GE(step.at(index).real(), 0.001);
    EXPECT_LT(step.at(index).real(), 0.1);
  });
}

TEST(RandomTest, ComplexPartsAreIndependent) {
  HostTensor tensor(DType::C128, {1000});
  fillRandom(tensor, presetFor("B", 1, false), 3, "B");
  double product = 0;
  forEachIndex(tensor.shape(), [&](std::span<const int64_t> index) {
    product += tensor.at(index).real() * tensor.at(index).imag();
  });
  EXPECT_NEAR(product / 1000, 0, 0.16);
}

} // namespace
