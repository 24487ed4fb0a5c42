//===- OverlapTest.cpp - Views that share memory --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The search is compared with counting bytes on random small views.
//
//===----------------------------------------------------------------------===//

#include "runtime/Overlap.h"

#include <gtest/gtest.h>
#include <random>
#include <set>
#include <vector>

using namespace mamba;

namespace {

std::byte *const kBase = reinterpret_cast<std::byte *>(1 << 20);

std::set<int64_t> bytesOf(const TensorView &view) {
  std::set<int64_t> bytes;
  forEachIndex({view.shape, size_t(view.rank)},
               [&](std::span<const int64_t> index) {
                 int64_t first = reinterpret_cast<int64_t>(view.data) +
                                 offsetOf(view, index) * byteSize(view.dtype);
                 for (int64_t i = 0; i < byteSize(view.dtype); ++i)
                   bytes.insert(first + i);
               });
  return bytes;
}

TensorView randomView(std::mt19937 &random) {
  auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  DType types[] = {DType::F16, DType::F32, DType::F64};
  std::vector<int64_t> shape, strides;
  for (int64_t rank = pick(0, 3); rank > 0; --rank) {
    shape.push_back(pick(1, 4));
    strides.push_back(pick(-8, 12));
  }
  return TensorView(kBase + 2 * pick(0, 60), types[pick(0, 2)], shape, strides);
}

TEST(Overlap, AgreesWithCountingBytes) {
  std::mt19937 random(1);
  int overlaps = 0;
  for (int i = 0; i < 20000; ++i) {
    TensorView a = randomView(random), b = randomView(random);
    std::set<int64_t> bytesA = bytesOf(a), bytesB = bytesOf(b);
    bool shares = std::any_of(bytesA.begin(), bytesA.end(), [&](int64_t byte) {
      return bytesB.contains(byte);
    });
    ASSERT_EQ(overlapOf(a, b), shares ? Overlap::Exists : Overlap::None)
        << a.describe() << " at " << a.data << ", " << b.describe() << " at "
        << b.data;
    overlaps += shares;
  }
  EXPECT_GT(overlaps, 1000);
}

TEST(Overlap, InjectiveMeansDistinctBytes) {
  std::mt19937 random(2);
  int injective = 0;
  for (int i = 0; i < 20000; ++i) {
    TensorView view = randomView(random);
    if (!isInjective(view))
      continue;
    ++injective;
    ASSERT_EQ(int64_t(bytesOf(view).size()),
              view.numElements() * byteSize(view.dtype))
        << view.describe();
  }
  EXPECT_GT(injective, 1000);
}

TEST(Overlap, SlicesOfALargeParentAreDecided) {
  TensorView parent =
      TensorView::contiguous(kBase, DType::BF16, {64, 65536, 8192});
  EXPECT_EQ(overlapOf(parent.slice(2, 0, 4096), parent.slice(2, 4096, 8192)),
            Overlap::None);
  EXPECT_EQ(overlapOf(parent.slice(2, 0, 4097), parent.slice(2, 4096, 8192)),
            Overlap::Exists);
  TensorView transposed = parent.permuted(std::vector<int>{0, 2, 1});
  EXPECT_EQ(overlapOf(transposed.slice(1, 0, 5), parent.slice(2, 5, 8192)),
            Overlap::None);
}

TEST(Overlap, RangesBeyondTheAddressSpace) {
  int64_t shape[] = {4}, stride[] = {INT64_MAX / 2};
  TensorView view(kBase, DType::F32, shape, stride);
  ByteRange range;
  EXPECT_FALSE(byteRange(view, range));
  int64_t negative[] = {-(1 << 20)};
  EXPECT_FALSE(
      byteRange(TensorView(kBase, DType::F32, shape, negative), range));
}

} // namespace
