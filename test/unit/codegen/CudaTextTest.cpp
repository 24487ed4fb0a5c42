//===- CudaTextTest.cpp - Names, lines and expressions of CUDA C++ --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Identifier.h"
#include "codegen/cuda/Expression.h"
#include "codegen/cuda/Names.h"
#include "codegen/cuda/Prelude.h"

#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace mlir::ssm;
using namespace mlir::ssm::cuda;

namespace {

TEST(CudaNames, OnlyLettersDigitsAndUnderscores) {
  EXPECT_EQ(identifier("u"), "u");
  EXPECT_EQ(identifier("a.b-c"), "a_b_c");
  EXPECT_EQ(identifier("u; } evil();//"), "u_evil_");
  EXPECT_EQ(identifier("__launch_bounds__"), "v_launch_bounds_");
  EXPECT_EQ(identifier("3x"), "v3x");
  EXPECT_EQ(identifier("\xce\xb4"), "v_");
  EXPECT_EQ(identifier(""), "v");
}

TEST(CudaNames, EachIsGivenOnce) {
  Names names;
  EXPECT_EQ(names.take("u"), "u");
  EXPECT_EQ(names.take("u"), "u_0");
  EXPECT_EQ(names.number("u"), "u_1");
  EXPECT_EQ(names.take("u_2"), "u_2");
  EXPECT_EQ(names.number("u"), "u_3");
  // Two names of the IR that are one identifier.
  EXPECT_EQ(names.take("x.y"), "x_y");
  EXPECT_EQ(names.take("x-y"), "x_y_0");
}

TEST(CudaNames, WordsOfTheLanguageAndThePreludeAreNotGiven) {
  Names names;
  for (const char *word : {"float", "for", "min", "ex2", "bf16", "fmaf",
                           "threadIdx", "asm", "template"})
    EXPECT_NE(names.take(word), word);
}

TEST(CudaNames, CommentsEndWhereTheirLineEnds) {
  EXPECT_EQ(commentText("a\nb\r\tc"), "a?b??c");
  EXPECT_EQ(commentText("goes on \\"), "goes on \\ .");
  EXPECT_EQ(commentText("goes on \\  "), "goes on \\ .");
  EXPECT_EQ(commentText("*/"), "*/");
}

TEST(CudaNames, LongLinesBreakAfterCommas) {
  std::string text =
      "call(" + std::string(60, 'a') + ", " + std::string(50, 'b') + ", c);";
  EXPECT_EQ(wrapLine(text, "  "), "  call(" + std::string(60, 'a') +
                                      ",\n      " + std::string(50, 'b') +
                                      ", c);\n");
  // A word is never broken.
  std::string word(200, 'x');
  EXPECT_EQ(wrapLine(word, "// "), "// " + word + "\n");
  EXPECT_EQ(wrapLine("short", ""), "short\n");
}

std::string textOf(float value) { return literal(llvm::APFloat(value)).text; }

TEST(CudaExpression, FloatsReadBackAsThemselves) {
  EXPECT_EQ(textOf(1.0f), "1.0f");
  EXPECT_EQ(textOf(-0.0f), "-0.0f");
  EXPECT_EQ(textOf(1.44269502f), "1.442695f");
  EXPECT_EQ(textOf(1e30f), "1e+30f");
  for (float value : {0.1f, 3.4028235e38f, 1e-45f, 1.1754944e-38f, 16777217.0f})
    EXPECT_EQ(std::strtof(textOf(value).c_str(), nullptr), value);
  EXPECT_EQ(textOf(INFINITY), "__uint_as_float(0x7f800000u)");
  EXPECT_EQ(textOf(-INFINITY), "__uint_as_float(0xff800000u)");
}

TEST(CudaExpression, ParenthesesWhereTheyAreNeeded) {
  Expression a{"a", "float"}, b{"b", "float"}, c{"c", "float"};
  auto add = [](const Expression &x, const Expression &y) {
    return binary(x, "+", y, Binding::Sum, "float");
  };
  auto mul = [](const Expression &x, const Expression &y) {
    return binary(x, "*", y, Binding::Product, "float");
  };
  EXPECT_EQ(add(add(a, b), c).text, "a + b + c");
  // Floats are not associative.
  EXPECT_EQ(add(a, add(b, c)).text, "a + (b + c)");
  EXPECT_EQ(mul(add(a, b), c).text, "(a + b) * c");
  EXPECT_EQ(add(mul(a, b), c).text, "a * b + c");
  EXPECT_EQ(cast(add(a, b), "int").text, "(int)(a + b)");
  EXPECT_EQ(cast(cast(a, "int"), "long long").text, "(long long)(int)a");
  EXPECT_EQ(call("fmaf", {add(a, b), b, c}, "float").text, "fmaf(a + b, b, c)");
}

TEST(CudaPrelude, HasWhatIsUsedAndNoMore) {
  Prelude prelude;
  EXPECT_EQ(prelude.text(), "");
  EXPECT_EQ(prelude.use("float"), "float");
  EXPECT_EQ(prelude.text(), "");
  prelude.use("narrow_bf16_all");
  std::string text = prelude.text();
  // What it needs stands before it.
  EXPECT_LT(text.find("struct alignas(N * sizeof(T)) vec"),
            text.find("narrow_bf16_all(vec"));
  EXPECT_LT(text.find("bits_as(From"), text.find("narrow_bf16_all(vec"));
  EXPECT_EQ(text.find("mbarrier"), std::string::npos);
}

} // namespace
