//===- LookupTest.cpp - Hits, misses and races ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is computed once, what is kept, and what is dropped first.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"
#include "test/unit/cache/CacheTesting.h"

#include <atomic>
#include <chrono>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace mamba;
using namespace mamba::test;

namespace {

using LookupTest = CacheTest;

TEST_F(LookupTest, ComputesOnceThenHits) {
  int computed = 0;
  Cache cache(options());
  for (int i = 0; i < 3; ++i) {
    auto bytes = cache.getOrCompute("key", returning("value", &computed));
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(**bytes, "value");
  }
  EXPECT_EQ(computed, 1);
  EXPECT_EQ(cache.statistics().memoryHits, 2);
  Cache other(options());
  EXPECT_EQ(**other.getOrCompute("key", returning("new", &computed)), "value");
  EXPECT_EQ(computed, 1);
  EXPECT_EQ(other.statistics().diskHits, 1);
  EXPECT_TRUE(warnings().empty());
}

TEST_F(LookupTest, EmptyAndBinaryValues) {
  std::string binary("\0\n\xFF\0", 4);
  Cache cache(options());
  cache.store("binary", binary);
  cache.store("empty", "");
  Cache other(options());
  EXPECT_EQ(*other.lookup("binary"), binary);
  EXPECT_EQ(*other.lookup("empty"), "");
  EXPECT_EQ(other.lookup("missing"), nullptr);
}

TEST_F(LookupTest, RemoveAndReplace) {
  Cache cache(options());
  cache.store("key", "one");
  cache.store("key", "two");
  EXPECT_EQ(*cache.lookup("key"), "two");
  EXPECT_EQ(*Cache(options()).lookup("key"), "two");
  cache.remove("key");
  EXPECT_EQ(cache.lookup("key"), nullptr);
  EXPECT_EQ(count(".entry"), 0);
}

TEST_F(LookupTest, ErrorsAreNotStored) {
  Cache cache(options());
  auto failing = []() -> Result<std::string> {
    return Status(StatusCode::CompileError, "no");
  };
  EXPECT_EQ(cache.getOrCompute("key", failing).code(),
            StatusCode::CompileError);
  EXPECT_EQ(**cache.getOrCompute("key", returning("yes")), "yes");
}

TEST_F(LookupTest, KeysThatAreNoFileNames) {
  Cache cache(options());
  for (std::string key : {"", "../x", "a/b", "a.b", "a b"}) {
    EXPECT_EQ(cache.getOrCompute(key, returning("x")).code(),
              StatusCode::InvalidArgument);
    cache.store(key, "x");
    EXPECT_EQ(cache.lookup(key), nullptr);
  }
  EXPECT_EQ(cache.getOrCompute(std::string(129, 'a'), returning("x")).code(),
            StatusCode::InvalidArgument);
  EXPECT_EQ(warnings().size(), 5u);
}

TEST_F(LookupTest, RacingThreadsComputeOnce) {
  Cache cache(options());
  std::atomic<int> computed{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&] {
      auto bytes = cache.getOrCompute("key", [&]() -> Result<std::string> {
        ++computed;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return std::string("value");
      });
      wrong += !bytes.ok() || **bytes != "value";
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(computed, 1);
  EXPECT_EQ(wrong, 0);
}

TEST_F(LookupTest, RacingThreadsAllSeeTheError) {
  Cache cache(options());
  std::atomic<int> errors{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      auto bytes = cache.getOrCompute("key", []() -> Result<std::string> {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return Status(StatusCode::CompileError, "no");
      });
      errors += bytes.code() == StatusCode::CompileError;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(errors, 8);
}

TEST_F(LookupTest, AComputationMayAskForOthersButNotForItself) {
  Cache cache(options());
  auto outer = cache.getOrCompute("outer", [&]() -> Result<std::string> {
    return **cache.getOrCompute("inner", returning("x")) + "y";
  });
  EXPECT_EQ(**outer, "xy");
  auto self = cache.getOrCompute("self", [&]() -> Result<std::string> {
    return cache.getOrCompute("self", returning("x")).status();
  });
  EXPECT_EQ(self.code(), StatusCode::Internal);
}

TEST_F(LookupTest, MemoryIsCapped) {
  CacheOptions memoryOnly{"", 0, 1000};
  Cache cache(memoryOnly);
  for (int i = 0; i < 20; ++i)
    cache.store("key" + std::to_string(i), std::string(100, 'x'));
  EXPECT_EQ(cache.lookup("key9"), nullptr);
  EXPECT_NE(cache.lookup("key10"), nullptr);
  // Asked for last, so it stays.
  cache.store("new", std::string(100, 'x'));
  EXPECT_NE(cache.lookup("key10"), nullptr);
  EXPECT_EQ(cache.lookup("key11"), nullptr);
  cache.store("large", std::string(2000, 'x'));
  EXPECT_EQ(cache.lookup("large"), nullptr);
}

TEST_F(LookupTest, DiskIsCappedLeastRecentlyUsedFirst) {
  CacheOptions small{folder, 10000, 0};
  Cache cache(small);
  std::string value(1000, 'x');
  for (int i = 0; i < 9; ++i) {
    cache.store("key" + std::to_string(i), value);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_NE(cache.lookup("key0"), nullptr); // Renews it.
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (int i = 9; i < 12; ++i)
    cache.store("key" + std::to_string(i), value);
  EXPECT_NE(cache.lookup("key0"), nullptr);
  EXPECT_EQ(cache.lookup("key1"), nullptr);
  EXPECT_NE(cache.lookup("key11"), nullptr);
  EXPECT_EQ(count(".entry"), 9);
  cache.store("large", std::string(20000, 'x'));
  EXPECT_EQ(cache.lookup("large"), nullptr);
  EXPECT_TRUE(warnings().empty());
}

TEST_F(LookupTest, EvictedEntriesStayWithTheirHolders) {
  Cache cache({folder, 3000, 3000});
  std::string value(1000, 'v');
  auto held = cache.getOrCompute("held", returning(value));
  ASSERT_TRUE(held.ok());
  for (int i = 0; i < 10; ++i)
    cache.store("key" + std::to_string(i), std::string(1000, 'x'));
  EXPECT_EQ(cache.lookup("held"), nullptr);
  EXPECT_EQ(**held, value);
}

TEST_F(LookupTest, WorksInAForkedChild) {
  Cache cache(options());
  std::atomic<bool> stop{false};
  // Some child is forked while a computation is under way and the lock is held.
  std::thread busy([&] {
    for (int i = 0; !stop; ++i)
      (void)cache.getOrCompute("busy" + std::to_string(i % 50), returning("x"));
  });
  for (int i = 0; i < 20; ++i) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      auto bytes = cache.getOrCompute("busy1", returning("x"));
      _exit(bytes.ok() && **bytes == "x" ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  stop = true;
  busy.join();
}

Artifact someArtifact() {
  Artifact artifact;
  artifact.name = "f";
  artifact.image = "image";
  return artifact;
}

TEST_F(LookupTest, ArtifactsAreCompiledOnce) {
  int compiled = 0;
  auto compile = [&]() -> Result<Artifact> {
    ++compiled;
    return someArtifact();
  };
  Cache cache(options());
  EXPECT_EQ((*getOrCompile(cache, "key", compile))->image, "image");
  Cache other(options());
  auto artifact = getOrCompile(other, "key", compile);
  ASSERT_TRUE(artifact.ok());
  EXPECT_EQ((*artifact)->image, "image");
  EXPECT_EQ(compiled, 1);
}

TEST_F(LookupTest, ArtifactsOfAnotherFormatAreCompiledAnew) {
  Cache cache(options());
  cache.store("key", "an intact entry that holds no artifact");
  int compiled = 0;
  auto compile = [&]() -> Result<Artifact> {
    ++compiled;
    return someArtifact();
  };
  EXPECT_TRUE(getOrCompile(cache, "key", compile).ok());
  EXPECT_TRUE(getOrCompile(cache, "key", compile).ok());
  EXPECT_EQ(compiled, 1);
  EXPECT_EQ(warnings().size(), 1u);
}

} // namespace
