//===- ProcessTest.cpp - Processes that share a folder --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Processes write and read the same entries and are killed at random moments;
// whoever survives must see right bytes only.
//
//===----------------------------------------------------------------------===//

#include "test/unit/cache/CacheTesting.h"

#include <csignal>
#include <random>
#include <sys/wait.h>

using namespace mamba;
using namespace mamba::test;

namespace {

using ProcessTest = CacheTest;

constexpr int kProcesses = 8;
constexpr int kRounds = 200;
constexpr int kKeys = 5;

std::string valueOf(int key) {
  return std::string(static_cast<size_t>(20000 + 1000 * key), char('a' + key));
}

/// False if anything went wrong.
bool useCache(const CacheOptions &options, unsigned seed) {
  std::mt19937 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    Cache cache(options);
    int key = int(random() % kKeys);
    std::string name = "key" + std::to_string(key);
    if (random() % 4 == 0)
      cache.remove(name);
    auto bytes = cache.getOrCompute(name, returning(valueOf(key)));
    if (!bytes.ok() || **bytes != valueOf(key) || !warnings().empty())
      return false;
  }
  return true;
}

TEST_F(ProcessTest, KilledAtRandomMoments) {
  // Small enough that processes also evict each other's entries.
  CacheOptions options{folder, 70000, 1 << 20};
  std::mt19937 random(5);
  int finished = 0, killed = 0;
  for (int wave = 0; wave < 4; ++wave) {
    pid_t children[kProcesses];
    for (int i = 0; i < kProcesses; ++i) {
      children[i] = fork();
      if (children[i] == 0)
        _exit(useCache(options, unsigned(wave * kProcesses + i)) ? 0 : 1);
    }
    // Every second one is killed, after up to 20 ms.
    for (int i = 0; i < kProcesses; i += 2) {
      usleep(random() % 20000);
      kill(children[i], SIGKILL);
    }
    for (pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      if (WIFSIGNALED(status)) {
        EXPECT_EQ(WTERMSIG(status), SIGKILL);
        ++killed;
        continue;
      }
      EXPECT_EQ(WEXITSTATUS(status), 0);
      ++finished;
    }
  }
  EXPECT_GE(finished, 4 * kProcesses / 2);
  EXPECT_GT(killed, 0);
  Cache cache(options);
  for (int key = 0; key < kKeys; ++key) {
    auto bytes = cache.lookup("key" + std::to_string(key));
    EXPECT_TRUE(!bytes || *bytes == valueOf(key));
  }
  EXPECT_TRUE(warnings().empty());
}

} // namespace
