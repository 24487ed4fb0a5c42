//===- CpuMathTest.cpp - Accuracy of the functions on vectors -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTesting.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

using namespace mamba;

namespace {

/// A function of a body, and what it should be.
struct Function {
  std::string name;
  std::function<double(double)> exact;
  double low, high;
  /// Relative error allowed, in units of 2^-24; absolute where the result is
  /// below `floor`.
  double units = 4;
  double floor = 1e-30;
};

} // namespace

/// y = f(x) with the elements in the lanes (axis d) or one by one (axis l).
static std::string applied(const std::string &function,
                           const std::string &axis) {
  return substitute(R"(
func.func @f(%x_: tensor<?xf32>) -> tensor<?xf32> {
  %y = ssm.fused (%x = %x_[AXIS] : tensor<?xf32>) -> ([AXIS] : tensor<?xf32>) {
    %y = math.FUNCTION %x : f32
    ssm.yield %y : f32
  }
  return %y : tensor<?xf32>
})",
                    {{"AXIS", axis}, {"FUNCTION", function}});
}

static std::vector<float> apply(CompiledFunction &function,
                                std::vector<float> x) {
  std::vector<float> y(x.size(), -1.0f);
  int64_t extent = x.size();
  std::vector<TensorView> views = {
      TensorView::contiguous(x.data(), DType::F32, {extent}),
      TensorView::contiguous(y.data(), DType::F32, {extent})};
  Status status = function.launch(views);
  EXPECT_TRUE(status.ok()) << status.message();
  return y;
}

/// Processors without AVX-512, and without anything beyond AVX.
static std::vector<mlir::ssm::ObjectTarget> targets() {
  mlir::ssm::ObjectTarget host = mlir::ssm::ObjectTarget::host();
  mlir::ssm::ObjectTarget avx2 = host, avx = host;
  avx2.cpu = "haswell";
  avx2.features = "";
  avx.cpu = "sandybridge";
  avx.features = "";
  return {host, avx2, avx};
}

static void expectAccurate(const Function &f) {
  std::vector<float> x;
  for (int i = 0; i < 20011; ++i)
    x.push_back(static_cast<float>(f.low + (f.high - f.low) * i / 20010.0));
  // Small arguments of both signs, where cancellation would show.
  for (double size = 1e-8; size < f.high; size *= 1.7)
    for (double value : {size, -size})
      if (value >= f.low && value <= f.high)
        x.push_back(static_cast<float>(value));
  for (std::string axis : {"d", "l"}) {
    CompiledFunction function(applied(f.name, axis));
    ASSERT_TRUE(function.ok());
    std::vector<float> y = apply(function, x);
    double worst = 0;
    float at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      double exact = f.exact(x[i]);
      double error =
          std::abs(y[i] - exact) / std::max(std::abs(exact), f.floor) * 0x1p24;
      if (!(error <= worst)) {
        worst = error;
        at = x[i];
      }
    }
    EXPECT_LE(worst, f.units) << f.name << "(" << at << ") over " << axis;
  }
}

TEST(CpuMath, Exponentials) {
  expectAccurate({"exp2", [](double x) { return std::exp2(x); }, -125, 127.9});
  expectAccurate({"exp", [](double x) { return std::exp(x); }, -87, 88.7});
  expectAccurate({"expm1", [](double x) { return std::expm1(x); }, -30, 30, 8});
}

TEST(CpuMath, Logarithms) {
  expectAccurate(
      {"log", [](double x) { return std::log(x); }, 1e-6, 1e4, 4, 1e-3});
  expectAccurate(
      {"log2", [](double x) { return std::log2(x); }, 1e-6, 1e4, 6, 1e-3});
  expectAccurate(
      {"log1p", [](double x) { return std::log1p(x); }, -0.9, 1e4, 8});
}

TEST(CpuMath, Circle) {
  // Angles of long sequences: the reduction must not lose them. Near a zero of
  // the function the error is absolute.
  for (double high : {3.0, 1e3, 1e6}) {
    expectAccurate(
        {"sin", [](double x) { return std::sin(x); }, -high, high, 4, 1e-3});
    expectAccurate(
        {"cos", [](double x) { return std::cos(x); }, -high, high, 4, 1e-3});
  }
}

TEST(CpuMath, Activations) {
  expectAccurate({"tanh", [](double x) { return std::tanh(x); }, -20, 20, 12});
  expectAccurate({"erf", [](double x) { return std::erf(x); }, -5, 5, 12});
}

TEST(CpuMath, SpecialValues) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x = {inf, -inf, nan, 0.0f, -0.0f, 1e30f, -1e30f};
  for (const mlir::ssm::ObjectTarget &target : targets())
    for (std::string axis : {"d", "l"})
      for (std::string name : {"exp", "exp2"}) {
        CompiledFunction function(applied(name, axis), target);
        ASSERT_TRUE(function.ok());
        std::vector<float> y = apply(function, x);
        EXPECT_EQ(y[0], inf) << name;
        EXPECT_EQ(y[1], 0.0f) << name;
        EXPECT_TRUE(std::isnan(y[2])) << name;
        EXPECT_EQ(y[3], 1.0f) << name;
        EXPECT_EQ(y[4], 1.0f) << name;
        EXPECT_EQ(y[5], inf) << name;
        EXPECT_EQ(y[6], 0.0f) << name;
      }
  for (std::string name : {"sin", "cos", "tanh", "erf", "log1p", "log"}) {
    CompiledFunction function(applied(name, "d"));
    std::vector<float> y = apply(function, x);
    EXPECT_TRUE(std::isnan(y[2])) << name;
    EXPECT_FALSE(std::isnan(y[5]) && name != "log") << name;
  }
}

TEST(CpuMath, OtherProcessors) {
  for (const mlir::ssm::ObjectTarget &target : targets()) {
    CompiledFunction function(applied("exp2", "d"), target);
    ASSERT_TRUE(function.ok());
    std::vector<float> x, y;
    for (int i = -12500; i < 12790; ++i)
      x.push_back(i / 100.0f);
    y = apply(function, x);
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_NEAR(y[i] / std::exp2(static_cast<double>(x[i])), 1.0, 3e-7)
          << x[i] << " on " << target.cpu;
  }
}
