//===- ThreadPoolTest.cpp - Loops over tasks ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every task once, from any number of callers, nested and after fork().
//
//===----------------------------------------------------------------------===//

#include "runtime/ThreadPool.h"

#include <atomic>
#include <gtest/gtest.h>
#include <numeric>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace mamba;

namespace {

void expectEachTaskOnce(ThreadPool &pool, int64_t numTasks) {
  std::vector<std::atomic<int>> runs(static_cast<size_t>(numTasks));
  pool.parallelFor(numTasks, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      ++runs[static_cast<size_t>(i)];
  });
  for (const std::atomic<int> &count : runs)
    ASSERT_EQ(count, 1);
}

TEST(ThreadPool, EachTaskOnce) {
  for (int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int64_t tasks : {0, 1, 2, 3, 31, 32, 33, 1000, 65537})
      expectEachTaskOnce(pool, tasks);
  }
}

TEST(ThreadPool, ManyShortLoops) {
  ThreadPool pool(4);
  std::atomic<int64_t> sum{0};
  for (int i = 0; i < 20000; ++i)
    pool.parallelFor(3,
                     [&](int64_t begin, int64_t end) { sum += end - begin; });
  EXPECT_EQ(sum, 60000);
}

TEST(ThreadPool, SeveralCallersAtOnce) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        expectEachTaskOnce(pool, 97);
    });
  for (std::thread &caller : callers)
    caller.join();
}

TEST(ThreadPool, LoopInsideALoop) {
  ThreadPool pool(4);
  std::atomic<int64_t> total{0};
  pool.parallelFor(16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      pool.parallelFor(10,
                       [&](int64_t from, int64_t to) { total += to - from; });
  });
  EXPECT_EQ(total, 160);
}

TEST(ThreadPool, WorksInAForkedChild) {
  ThreadPool pool(4);
  expectEachTaskOnce(pool, 1000);
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::atomic<int64_t> sum{0};
    pool.parallelFor(1000,
                     [&](int64_t begin, int64_t end) { sum += end - begin; });
    _exit(sum == 1000 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  expectEachTaskOnce(pool, 1000);
}

TEST(ThreadPool, ForkWhileLoopsRun) {
  ThreadPool pool(3);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop)
      pool.parallelFor(50, [](int64_t, int64_t) {});
  });
  for (int i = 0; i < 20; ++i) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20); // A deadlock must fail, not hang.
      std::atomic<int64_t> sum{0};
      pool.parallelFor(100,
                       [&](int64_t begin, int64_t end) { sum += end - begin; });
      _exit(sum == 100 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  stop = true;
  busy.join();
}

} // namespace
