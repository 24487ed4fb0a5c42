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

#include "runtime/Cache.h"
#include "test/unit/jit/JitTesting.h"

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

} // namespace
