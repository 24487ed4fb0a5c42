//===- JitThreadTest.cpp - Many threads, few kernels ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each kernel is compiled once, whoever asks for it and how often, and every
// thread gets right results. `make tsan` runs this under the thread sanitizer.
//
//===----------------------------------------------------------------------===//

#include "runtime/Buffer.h"
#include "runtime/Cache.h"
#include "test/unit/jit/JitTesting.h"
#include "test/unit/runtime/fakecuda/UseFakeCuda.h"

#include <atomic>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

using namespace mamba;
using namespace mamba::test;

namespace {

constexpr int kThreads = 32;
constexpr int kFunctions = 4;

/// Runs `body(thread)` in kThreads threads that begin together; how often it
/// was false.
int countFailures(const std::function<bool(int)> &body) {
  std::latch begin(kThreads);
  std::atomic<int> failures = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      begin.arrive_and_wait();
      failures += !body(thread);
    });
  threads.clear();
  return failures;
}

/// In even threads short sequences, in odd ones long ones: another variant.
bool launchIsRight(const Function &function,
                   const std::shared_ptr<Device> &device, int thread) {
  RecurrenceTensors tensors(2, thread % 2 ? 300 : 20, 6);
  return function.launch(device, tensors.views()).ok() &&
         tensors.maxError() < 1e-6;
}

TEST(Threads, ShareFunctions) {
  std::vector<Function> functions;
  for (int i = 0; i < kFunctions; ++i)
    functions.push_back(makeRecurrence("shared " + std::to_string(i)));
  std::shared_ptr<Device> device = cpuDevice();
  int64_t computed = Cache::global().statistics().computed;
  int failures = countFailures([&](int thread) {
    bool right = true;
    // Each begins with another one.
    for (int i = 0; i < 3 * kFunctions; ++i)
      right &=
          launchIsRight(functions[(thread + i) % kFunctions], device, thread);
    return right;
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Cache::global().statistics().computed, computed + 2 * kFunctions);
}

/// As parts of a program that know nothing of each other.
TEST(Threads, ParseTheSameTexts) {
  std::shared_ptr<Device> device = cpuDevice();
  int64_t computed = Cache::global().statistics().computed;
  int failures = countFailures([&](int thread) {
    bool right = true;
    for (int i = 0; i < kFunctions; ++i) {
      std::string name = "parsed " + std::to_string((thread + i) % kFunctions);
      right &= launchIsRight(makeRecurrence(name), device, thread);
    }
    return right;
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Cache::global().statistics().computed, computed + 2 * kFunctions);
}

/// Modules are asked for functions while others compile theirs.
TEST(Threads, AskOneModule) {
  Result<Module> module =
      Module::parse(recurrenceText("asked by threads"), "test.mlir");
  ASSERT_TRUE(module.ok());
  std::shared_ptr<Device> device = cpuDevice();
  int64_t computed = Cache::global().statistics().computed;
  int failures = countFailures([&](int thread) {
    Result<Function> function = module->function();
    return function.ok() && launchIsRight(*function, device, thread);
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Cache::global().statistics().computed, computed + 2);
}

/// The recurrence's tensors in a device's memory.
std::vector<DeviceTensor> tensorsOn(const char *device) {
  std::vector<DeviceTensor> tensors;
  RecurrenceTensors host(2, 20, 6);
  for (const HostTensor *tensor : {&host.u, &host.a, &host.h, &host.last})
    tensors.push_back(*DeviceTensor::copyOf(*tensor, *Device::open(device)));
  return tensors;
}

/// The driver is a fake: what is seen is what was compiled, loaded and launched
/// where.
TEST(Threads, LaunchWhereTheirDataIs) {
  Function function = makeRecurrence("two devices");
  std::vector<DeviceTensor> places[] = {tensorsOn("cuda:0"),
                                        tensorsOn("cuda:1")};
  int64_t computed = Cache::global().statistics().computed;
  int failures = countFailures([&](int thread) {
    std::vector<TensorView> views;
    for (const DeviceTensor &tensor : places[thread % 2])
      views.push_back(tensor.view());
    auto device = Device::open(Device::nameOf(views[0].data));
    return device.ok() && function.launch(*device, views).ok();
  });
  EXPECT_EQ(failures, 0);
  // One compilation, for both are of one kind; one module a context.
  EXPECT_EQ(Cache::global().statistics().computed, computed + 1);
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 2);
  EXPECT_EQ(fake().violations, 0);
  ASSERT_EQ(fake().launches.size(), size_t(kThreads));
  int onSecond = 0;
  for (const FakeLaunch &launch : fake().launches) {
    onSecond += launch.ordinal;
    EXPECT_EQ(launch.args[0],
              reinterpret_cast<int64_t>(places[launch.ordinal][0].view().data));
  }
  EXPECT_EQ(onSecond, kThreads / 2);
}

} // namespace
