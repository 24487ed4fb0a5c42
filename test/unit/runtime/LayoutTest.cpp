//===- LayoutTest.cpp - Assumptions on memory -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is deduced must be satisfied; what is violated must be named.
//
//===----------------------------------------------------------------------===//

#include "runtime/Layout.h"

#include "runtime/KernelKey.h"

#include <gtest/gtest.h>
#include <set>
#include <vector>

using namespace mamba;

namespace {

const TensorSpec kSpec{
    "u", DType::F32, {{Axis::Batch}, {Axis::Length}, {Axis::Channel}}};

void *at(uintptr_t address) { return reinterpret_cast<void *>(address); }

TensorView view(std::vector<int64_t> shape, std::vector<int64_t> strides,
                uintptr_t address = 4096) {
  return TensorView(at(address), DType::F32, shape, strides);
}

TEST(Layout, UnitDimension) {
  EXPECT_EQ(deduceLayout(view({2, 8, 16}, {128, 16, 1}), kSpec).unitDim, 2);
  EXPECT_EQ(deduceLayout(view({2, 8, 16}, {128, 1, 8}), kSpec).unitDim, 1);
  EXPECT_EQ(deduceLayout(view({2, 8, 16}, {128, 32, 2}), kSpec).unitDim, -1);
}

TEST(Layout, TiesPreferDimensionsThatMove) {
  // One step of decoding: the length's stride is never used.
  EXPECT_EQ(deduceLayout(view({2, 1, 16}, {16, 1, 1}), kSpec).unitDim, 2);
  EXPECT_EQ(deduceLayout(view({2, 1, 16}, {16, 16, 1}), kSpec).unitDim, 2);
  EXPECT_EQ(deduceLayout(view({2, 8, 1}, {8, 1, 1}), kSpec).unitDim, 1);
  EXPECT_EQ(deduceLayout(view({2, 1, 1}, {7, 7, 7}), kSpec).unitDim, 1);
}

TEST(Layout, Alignment) {
  EXPECT_EQ(deduceLayout(view({2, 8, 16}, {128, 16, 1}), kSpec).alignment, 16);
  EXPECT_EQ(deduceLayout(view({2, 8, 14}, {112, 14, 1}), kSpec).alignment, 8);
  EXPECT_EQ(deduceLayout(view({2, 8, 15}, {120, 15, 1}), kSpec).alignment, 4);
  EXPECT_EQ(deduceLayout(view({2, 8, 16}, {128, 16, 1}, 4100), kSpec).alignment,
            4);
  // Strides of dimensions with one element don't count; broadcasts divide.
  EXPECT_EQ(deduceLayout(view({1, 8, 16}, {3, 16, 1}), kSpec).alignment, 16);
  EXPECT_EQ(deduceLayout(view({2, 8, 16}, {0, 16, 1}), kSpec).alignment, 16);
}

/// The stride that deduceLayout() makes a constant, along Length; 0 for none.
int64_t fixedStride(std::vector<int64_t> shape, std::vector<int64_t> strides,
                    const TensorSpec &spec = kSpec) {
  LayoutSpec layout = deduceLayout(view(shape, strides), spec);
  EXPECT_EQ(layout.fixedDim, layout.fixedStride ? 1 : -1);
  return layout.fixedStride;
}

TEST(Layout, RowsOfWholeLinesHaveAFixedStride) {
  EXPECT_EQ(fixedStride({2, 8, 32}, {256, 32, 1}), 32);
  // Half of a wider parent, in sequences that lie apart.
  EXPECT_EQ(fixedStride({2, 8, 32}, {4096, 64, 1}), 64);
  EXPECT_EQ(fixedStride({1, 8, 3}, {256, 32, 2}), 32);
  EXPECT_EQ(fixedStride({2, 8, 32}, {0, 32, 1}), 32);
}

TEST(Layout, OtherStridesStayArguments) {
  EXPECT_EQ(fixedStride({2, 8, 48}, {384, 48, 1}), 0) << "a line and a half";
  EXPECT_EQ(fixedStride({2, 64, 32}, {2048, 1, 64}), 0) << "(B, D, L)";
  EXPECT_EQ(fixedStride({2, 8, 32}, {32, 64, 1}), 0) << "(L, B, D)";
  EXPECT_EQ(fixedStride({1, 8, 32}, {32, 64, 1}), 0) << "one of (L, B, D)";
  EXPECT_EQ(fixedStride({2, 8, 32}, {0, INT64_MAX - 31, 1}), INT64_MAX - 31);
  EXPECT_EQ(fixedStride({2, 8, 32}, {32, 0, 1}), 0) << "one for all steps";
  EXPECT_EQ(fixedStride({2, 8, 32}, {256, -32, 1}), 0) << "backwards";
  EXPECT_EQ(fixedStride({2, 1, 32}, {32, 32, 1}), 0) << "one step";
  TensorSpec saved = kSpec;
  saved.dims[1].divisor = 16;
  EXPECT_EQ(fixedStride({2, 8, 32}, {256, 32, 1}, saved), 0) << "chunks";
}

TEST(Layout, DeducedIsSatisfied) {
  for (int64_t channels : {1, 2, 3, 4, 7, 8, 16, 32})
    for (int64_t length : {1, 3, 8})
      for (uintptr_t address : {4096, 4100, 4104}) {
        TensorView rows = view({2, length, channels},
                               {length * channels, channels, 1}, address);
        EXPECT_TRUE(satisfies(rows, deduceLayout(rows, kSpec)));
        EXPECT_TRUE(checkLayout(rows, deduceLayout(rows, kSpec), "u").ok());
      }
}

TEST(Layout, ViolationsAreNamed) {
  LayoutSpec layout{2, 16};
  Status stride = checkLayout(view({2, 8, 16}, {128, 1, 8}), layout, "u");
  EXPECT_EQ(stride.code(), StatusCode::InvalidArgument);
  EXPECT_NE(stride.message().find("dimension 2 has stride 8"),
            std::string::npos);
  Status base = checkLayout(view({2, 8, 16}, {128, 16, 1}, 4100), layout, "u");
  EXPECT_NE(base.message().find("0x1004"), std::string::npos);
  Status other = checkLayout(view({2, 8, 15}, {120, 15, 1}), layout, "u");
  EXPECT_NE(other.message().find("stride 15 of dimension 1"),
            std::string::npos);
  layout.fixedDim = 1;
  layout.fixedStride = 32;
  EXPECT_TRUE(satisfies(view({2, 8, 16}, {512, 32, 1}), layout));
  EXPECT_TRUE(satisfies(view({2, 1, 16}, {16, 16, 1}), layout));
  Status fixed = checkLayout(view({2, 8, 16}, {128, 16, 1}), layout, "u");
  EXPECT_NE(fixed.message().find("dimension 1 has stride 16, and the kernel "
                                 "was compiled for stride 32"),
            std::string::npos)
      << fixed.message();
}

TEST(Layout, EmptyMeetsEverything) {
  EXPECT_TRUE(satisfies(view({0, 8, 15}, {1, 3, 5}, 0), LayoutSpec{2, 16}));
}

TEST(Layout, MultiplesAndBuckets) {
  EXPECT_EQ(channelMultipleOf(48), 16);
  EXPECT_EQ(channelMultipleOf(12), 4);
  EXPECT_EQ(channelMultipleOf(7), 1);
  EXPECT_EQ(lengthMultipleOf(2048), 256);
  EXPECT_EQ(lengthMultipleOf(0), 256);
  EXPECT_EQ(lengthMultipleOf(2064), 16);
  EXPECT_EQ(lengthMultipleOf(2056), 1);
  EXPECT_EQ(extentBucket(0), 0);
  EXPECT_EQ(extentBucket(1), 1);
  EXPECT_EQ(extentBucket(1025), 2048);
  for (int64_t exact : {-1, 0, 1, 7, 9, 100 / 8 * 8, 1536, 2560, 5120})
    EXPECT_EQ(channelBucket(exact), exact);
  EXPECT_EQ(channelBucket(100), 104);
  EXPECT_EQ(channelBucket(1537), 1664);
}

TEST(KernelKey, EveryFieldCounts) {
  KernelKey key{"ir", "f", "pipeline", "build", "sm_90", {{2, 16}}, {1024}, 1};
  std::set<std::string> keys{key.hex()};
  auto changed = [&](auto change) {
    KernelKey other = key;
    change(other);
    EXPECT_TRUE(keys.insert(other.hex()).second);
  };
  changed([](KernelKey &k) { k.source += " "; });
  changed([](KernelKey &k) { k.function = "g"; });
  changed([](KernelKey &k) { k.pipeline = "pipelin"; });
  changed([](KernelKey &k) { k.compiler = "ebuild"; });
  changed([](KernelKey &k) { k.target = "sm_90a"; });
  changed([](KernelKey &k) { k.layouts[0].unitDim = 1; });
  changed([](KernelKey &k) { k.layouts[0].alignment = 8; });
  changed([](KernelKey &k) { k.layouts[0].fixedDim = 1; });
  changed([](KernelKey &k) { k.layouts[0].fixedStride = 64; });
  changed([](KernelKey &k) { k.layouts.clear(); });
  changed([](KernelKey &k) { k.extents = {2048}; });
  changed([](KernelKey &k) { k.extents = {1024, 1}; });
  changed([](KernelKey &k) { k.channelMultiple = 2; });
  changed([](KernelKey &k) { k.lengthMultiple = 16; });
  changed([](KernelKey &k) {
    k.source = "i";
    k.function = "rf";
  });
  EXPECT_EQ(key.hex().size(), 32u);
}

} // namespace
