//===- MemoryTest.cpp - What many launches leave in memory ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A server sees ever new lengths: what is kept must be bounded by the kernels,
// not by the shapes.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cache.h"
#include "runtime/Environment.h"
#include "test/ResidentMemory.h"
#include "test/unit/Sanitized.h"
#include "test/unit/jit/JitTesting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <random>
#include <vector>

using namespace mamba;
using namespace mamba::test;

namespace {

struct Shape {
  int64_t length, channels;
};

/// 10,000 different ones, in random order.
std::vector<Shape> manyShapes() {
  std::vector<Shape> shapes;
  for (int64_t length = 1; length <= 5000; ++length)
    for (int64_t channels : {8, 16})
      shapes.push_back({length, channels});
  std::shuffle(shapes.begin(), shapes.end(), std::mt19937(7));
  return shapes;
}

/// The tensors of the recurrence for any shape, in the same memory.
class SharedTensors {
public:
  std::vector<TensorView> views(Shape shape) {
    std::vector<int64_t> all = {1, shape.length, shape.channels};
    return {
        TensorView::contiguous(u.data(), DType::F32, all),
        TensorView::contiguous(a.data(), DType::F32, {shape.channels}),
        TensorView::contiguous(h.data(), DType::F32, all),
        TensorView::contiguous(last.data(), DType::F32, {1, shape.channels})};
  }
  std::vector<float> u = std::vector<float>(5000 * 16, 1.0f),
                     h = std::vector<float>(5000 * 16);
  std::vector<float> a = std::vector<float>(16, 0.5f),
                     last = std::vector<float>(16);
};

/// One of every kernel that manyShapes() need: of lengths up to a power of two,
/// those that 256 divides, that 16 divides, and others.
std::vector<Shape> firstShapes() {
  std::vector<Shape> shapes;
  for (int64_t power = 1; power <= 8192; power *= 2)
    for (int64_t channels : {8, 16}) {
      int64_t length = std::min<int64_t>(power, 19 * 256);
      for (int64_t fewer : {0, 1, 16})
        shapes.push_back({std::max<int64_t>(length - fewer, 1), channels});
    }
  return shapes;
}

TEST(Memory, TenThousandShapesAreFlat) {
#ifdef MAMBA_TEST_SANITIZED
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  Function function = makeRecurrence("many shapes");
  std::shared_ptr<Device> device = cpuDevice();
  SharedTensors tensors;
  for (Shape shape : firstShapes())
    ASSERT_TRUE(function.launch(device, tensors.views(shape)).ok());
  int64_t computed = Cache::global().statistics().computed;
  std::vector<Shape> shapes = manyShapes();
  ASSERT_EQ(shapes.size(), 10000u);
  int64_t before = residentBytes();
  for (Shape shape : shapes) {
    tensors.last.assign(16, 0);
    ASSERT_TRUE(function.launch(device, tensors.views(shape)).ok());
    float exact = 2 - std::ldexp(2.0f, -static_cast<int>(shape.length));
    ASSERT_NEAR(tensors.last[shape.channels - 1], exact, 1e-6);
  }
  EXPECT_EQ(Cache::global().statistics().computed, computed);
  EXPECT_LT(residentBytes() - before, 1 << 20);
}

TEST(Memory, KernelsOutliveTheirEntries) {
  Function function = makeRecurrence("evicted");
  std::shared_ptr<Device> device = cpuDevice();
  RecurrenceTensors tensors(1, 20, 5), again(1, 20, 5);
  ASSERT_TRUE(function.launch(device, tensors.views()).ok());
  int64_t computed = Cache::global().statistics().computed;
  std::string folder = Environment::get().cacheDir;
  ASSERT_FALSE(std::filesystem::is_empty(folder));
  for (const auto &file : std::filesystem::directory_iterator(folder))
    std::filesystem::remove(file);
  ASSERT_TRUE(function.launch(device, again.views()).ok());
  EXPECT_LT(again.maxError(), 1e-6);
  EXPECT_EQ(Cache::global().statistics().computed, computed);
}

} // namespace
