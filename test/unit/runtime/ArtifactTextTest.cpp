//===- ArtifactTextTest.cpp - Parts of an artifact as text ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactText.h"

#include "test/unit/runtime/TestArtifacts.h"

#include <gtest/gtest.h>

using namespace mamba;
using namespace mamba::test;

namespace {

TEST(ArtifactTextTest, Dims) {
  const std::pair<DimSpec, const char *> cases[] = {
      {{Axis::Length}, "l"},
      {{Axis::State, 16}, "n = 16"},
      {{Axis::Length, kDynamic, 32}, "ceil(l / 32)"},
      {{Axis::Length, 8, 32}, "ceil(l / 32) = 8"},
      {{Axis::Other, 3}, "3"}};
  for (const auto &[dim, text] : cases) {
    EXPECT_EQ(textOf(dim), text);
    std::optional<DimSpec> parsed = parseDim(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(textOf(*parsed), text);
    EXPECT_EQ(parsed->axis, dim.axis);
    EXPECT_EQ(parsed->extent, dim.extent);
    EXPECT_EQ(parsed->divisor, dim.divisor);
  }
  for (const char *text : {"", "q", "l ", " l", "ceil(l/32)", "ceil(l / 32",
                           "l = ", "l = x", "3x", ".", "l,l"})
    EXPECT_FALSE(parseDim(text)) << text;
}

TEST(ArtifactTextTest, GridTerms) {
  const std::pair<GridTerm, const char *> cases[] = {
      {{Axis::Batch, 1}, "b"},
      {{Axis::Length, 512}, "ceil(l / 512)"},
      {{Axis::Other, 4}, "4"},
      {{Axis::Channel, 32, true}, "+ ceil(d / 32)"}};
  for (const auto &[term, text] : cases) {
    EXPECT_EQ(textOf(term), text);
    std::optional<GridTerm> parsed = parseGridTerm(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->axis, term.axis);
    EXPECT_EQ(parsed->divisor, term.divisor);
    EXPECT_EQ(parsed->isAdded, term.isAdded);
  }
  for (const char *text : {"", "q", "n = 4", "4 ", "ceil(4 / l)", "+", "+b"})
    EXPECT_FALSE(parseGridTerm(text)) << text;
}

TEST(ArtifactTextTest, Args) {
  Artifact artifact = scaleArtifact();
  for (const KernelArg &arg : artifact.launches[0].args) {
    std::string text = textOf(arg, artifact);
    std::optional<KernelArg> parsed = parseArg(text, artifact);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->kind, arg.kind);
    EXPECT_EQ(parsed->index, arg.index);
    EXPECT_EQ(parsed->dim, arg.dim);
  }
  for (const char *text : {"", "x", "pointer(q)", "pointer(x", "stride(x)",
                           "stride(x, -1)", "stride(x, 70000)", "stride(x, 1) ",
                           "extent(.)", "extent(bl)", "pointer()", "extent()"})
    EXPECT_FALSE(parseArg(text, artifact)) << text;
}

TEST(ArtifactTextTest, Kinds) {
  for (ImageKind kind :
       {ImageKind::Ptx, ImageKind::Cubin, ImageKind::Object, ImageKind::Cuda})
    EXPECT_EQ(parseImageKind(toString(kind)), kind);
  EXPECT_FALSE(parseImageKind("fatbin"));
}

} // namespace
