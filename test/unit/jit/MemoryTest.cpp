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
#include "test/unit/jit/JitTesting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <random>
#include <unistd.h>
#include <vector>

using namespace mamba;
using namespace mamba::test;

namespace {

/// Of this process, without what the allocator has free: room that compiling
/// left would hide a leak.
int64_t residentBytes() {
  ::malloc_trim(0);
  int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * ::sysconf(_SC_PAGE_SIZE);
}

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

TEST(Memory, TenThousandShapesAreFlat) {
  Function function = makeRecurrence("many shapes");
  std::shared_ptr<Device> device = cpuDevice();
  SharedTensors tensors;
  std::vector<Shape> shapes = manyShapes();
  ASSERT_EQ(shapes.size(), 10000u);
  int64_t before = Cache::global().statistics().computed, half = 0;
  for (size_t i = 0; i < shapes.size(); ++i) {
    // By now there was a shape of every bucket.
    if (i == shapes.size() / 2)
      half = residentBytes();
    tensors.last.assign(16, 0);
    ASSERT_TRUE(function.launch(device, tensors.views(shapes[i])).ok());
    float exact = 2 - std::ldexp(2.0f, -static_cast<int>(shapes[i].length));
    ASSERT_NEAR(tensors.last[shapes[i].channels - 1], exact, 1e-6);
  }
  // 14 buckets of lengths, most of them with and without multiples of 16.
  EXPECT_LE(Cache::global().statistics().computed - before, 2 * 2 * 14);
  EXPECT_LT(residentBytes() - half, 1 << 20);
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
