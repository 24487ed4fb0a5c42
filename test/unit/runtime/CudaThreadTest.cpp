//===- CudaThreadTest.cpp - Many threads, two devices ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/CudaTesting.h"

#include <atomic>
#include <set>
#include <thread>

using namespace mamba;
using namespace mamba::test;

namespace {

using CudaThreadTest = CudaTest;

constexpr int kThreads = 32;
constexpr int kLaunches = 10;

/// A kernel and its tensors, on one device.
struct Place {
  std::shared_ptr<Device> device;
  std::shared_ptr<Kernel> kernel;
  DeviceBuffer x, sums;

  explicit Place(const char *name) : device(*Device::open(name)) {
    auto artifact = std::make_shared<const Artifact>(cudaArtifact());
    kernel = *Kernel::create(std::move(artifact), device);
    x = *DeviceBuffer::allocate(device, 4096);
    sums = *DeviceBuffer::allocate(device, 4096);
  }

  /// Several launches on a stream of the caller's own; false if any failed.
  bool launchAll() {
    std::vector<TensorView> views = {
        TensorView::contiguous(x.data(), DType::F32, {2, 9}),
        TensorView::contiguous(sums.data(), DType::F32, {2})};
    void *stream = *device->createStream();
    bool works = true;
    for (int i = 0; i < kLaunches; ++i)
      works &= kernel->launch(views, stream).ok();
    device->destroyStream(stream);
    return works;
  }
};

TEST_F(CudaThreadTest, LoadOnceAndLaunchOnTheirStreams) {
  Place places[] = {Place("cuda:0"), Place("cuda:1")};
  fake().calls.clear();
  std::atomic<int> failures = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] { failures += !places[i % 2].launchAll(); });
  threads.clear();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 2);
  ASSERT_EQ(fake().launches.size(), size_t(2 * kThreads * kLaunches));
  // Launches of a stream share their temporaries with none of another device.
  std::set<int64_t> temporaries[2];
  for (const FakeLaunch &launch : fake().launches)
    if (launch.entry == "sum_chunks")
      temporaries[launch.ordinal].insert(launch.args[2]);
  for (int64_t temporary : temporaries[0])
    EXPECT_FALSE(temporaries[1].contains(temporary));
}

} // namespace
