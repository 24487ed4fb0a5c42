//===- CpuObjectTest.cpp - Linking compiled objects -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTesting.h"
#include "runtime/jit/ObjectLinker.h"

#include <gtest/gtest.h>

#include <thread>

using namespace mamba;

static const char *const kScaled = R"(
func.func @scaled(%x_: tensor<?xf64>) -> tensor<?xf64> {
  %y = ssm.fused (%x = %x_[d] : tensor<?xf64>) -> ([d] : tensor<?xf64>) {
    %factor = arith.constant FACTOR : f64
    %e = math.exp %x : f64
    %y = arith.mulf %e, %factor : f64
    ssm.yield %y : f64
  }
  return %y : tensor<?xf64>
})";

static std::string scaledObject(const std::string &factor) {
  CompiledFunction function(substitute(kScaled, {{"FACTOR", factor}}));
  return function.ok() ? function.object() : "";
}

static std::shared_ptr<ObjectLoader> linker() {
  auto created = createObjectLinker();
  EXPECT_TRUE(created.ok()) << created.status().message();
  return *created;
}

/// exp(0) times the factor of an object of scaledObject().
static double callScaled(LoadedObject &object) {
  auto entry = object.lookup("scaled_0");
  EXPECT_TRUE(entry.ok()) << entry.status().message();
  double x = 0, y = -1;
  // The order of the arguments is the launch's; this one has no strides.
  int64_t extent = 1;
  int64_t args[] = {extent, reinterpret_cast<int64_t>(&x),
                    reinterpret_cast<int64_t>(&y)};
  (*entry)(args, 0, 1);
  return y;
}

TEST(CpuObject, ObjectsWithOneNameAreApart) {
  auto loader = linker();
  auto two = loader->load(scaledObject("2.0"));
  auto three = loader->load(scaledObject("3.0"));
  ASSERT_TRUE(two.ok() && three.ok());
  EXPECT_EQ(callScaled(**two), 2.0);
  EXPECT_EQ(callScaled(**three), 3.0);
}

TEST(CpuObject, OutlivesItsLoader) {
  auto loader = linker();
  auto object = loader->load(scaledObject("5.0"));
  ASSERT_TRUE(object.ok());
  loader.reset();
  EXPECT_EQ(callScaled(**object), 5.0);
}

TEST(CpuObject, UnknownEntry) {
  auto object = linker()->load(scaledObject("2.0"));
  ASSERT_TRUE(object.ok());
  auto entry = (*object)->lookup("other");
  EXPECT_EQ(entry.code(), StatusCode::NotFound);
  EXPECT_NE(entry.status().message().find("other"), std::string::npos);
}

TEST(CpuObject, BrokenObjects) {
  std::string whole = scaledObject("2.0");
  auto loader = linker();
  auto fails = [&](std::string_view image) {
    auto object = loader->load(image);
    return !object.ok() || !(*object)->lookup("scaled_0").ok();
  };
  EXPECT_TRUE(fails(""));
  EXPECT_TRUE(fails("no object"));
  EXPECT_TRUE(fails(std::string(4096, '\0')));
  for (size_t size = 1; size < whole.size() / 2; size += 97)
    EXPECT_TRUE(fails(std::string_view(whole).substr(0, size))) << size;
}

TEST(CpuObject, ThreadsLinkAtOnce) {
  auto loader = linker();
  std::string image = scaledObject("7.0");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        auto object = loader->load(image);
        ASSERT_TRUE(object.ok());
        EXPECT_EQ(callScaled(**object), 7.0);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}
