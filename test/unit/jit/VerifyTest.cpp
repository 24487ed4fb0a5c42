//===- VerifyTest.cpp - Right and wrong results ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A comparison that passes everything would be worse than none.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Verify.h"
#include "test/unit/jit/JitTesting.h"

#include <cmath>
#include <limits>

using namespace mamba;
using namespace mamba::test;

namespace {

/// A launched recurrence, to be spoiled and verified.
struct Launched {
  explicit Launched(int64_t batch, int64_t length, int64_t channels)
      : function(makeRecurrence()), tensors(batch, length, channels) {
    Status status = function.launch(cpuDevice(), tensors.views());
    EXPECT_TRUE(status.ok()) << status.message();
  }

  Verification check(const VerifyOptions &options = {}) {
    std::vector<TensorView> views = tensors.views();
    Result<Verification> verification = verify(
        function, std::span(views).first(2), std::span(views).last(2), options);
    EXPECT_TRUE(verification.ok()) << verification.status().message();
    return *verification;
  }

  void spoil(int64_t b, int64_t l, int64_t d, double value) {
    const int64_t index[] = {b, l, d};
    tensors.h.set(index, value);
  }

  Function function;
  RecurrenceTensors tensors;
};

TEST(Verify, PassesRightResults) {
  Verification found = Launched(2, 30, 5).check();
  EXPECT_TRUE(found.passed());
  EXPECT_EQ(found.slices, 0);
  ASSERT_EQ(found.results.size(), 2u);
  EXPECT_EQ(found.results[0].elements, 2 * 30 * 5);
  EXPECT_LT(found.results[0].error, 1e-6);
  EXPECT_EQ(found.results[0].bound, 1e-5);
}

TEST(Verify, FindsOneWrongElement) {
  Launched launched(2, 30, 5);
  launched.spoil(1, 29, 4, 2.1);
  Verification found = launched.check();
  EXPECT_FALSE(found.results[0].passed());
  EXPECT_TRUE(found.results[1].passed());
}

TEST(Verify, FindsNaNAndInfinity) {
  for (double value : {std::nan(""), HUGE_VAL}) {
    Launched launched(2, 30, 5);
    launched.spoil(0, 3, 2, value);
    EXPECT_FALSE(launched.check().passed());
  }
}

TEST(Verify, ComparesSlicesOfLargeProblems) {
  Launched launched(3, 40, 50);
  VerifyOptions options;
  options.maxPoints = 40 * 20;
  Verification found = launched.check(options);
  EXPECT_TRUE(found.passed());
  EXPECT_GT(found.slices, 1);
  EXPECT_LE(found.results[0].elements, options.maxPoints);
  // The first and the last channel are always compared.
  launched.spoil(2, 39, 49, 0);
  EXPECT_FALSE(launched.check(options).passed());
  launched.spoil(2, 39, 49, 2);
  launched.spoil(0, 0, 0, 0);
  EXPECT_FALSE(launched.check(options).passed());
}

TEST(Verify, EmptyProblemsPass) {
  EXPECT_TRUE(Launched(2, 0, 5).check().passed());
  EXPECT_TRUE(Launched(0, 4, 5).check().passed());
}

} // namespace
