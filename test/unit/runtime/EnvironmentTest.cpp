//===- EnvironmentTest.cpp - Environment variables ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Defaults, values, and values that make no sense.
//
//===----------------------------------------------------------------------===//

#include "runtime/Environment.h"

#include "runtime/Warning.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <vector>

using namespace mamba;

namespace {

std::vector<std::string> &warnings() {
  static std::vector<std::string> list;
  return list;
}

/// Sets variables (null: unset) for one test.
class EnvironmentTest : public testing::Test {
protected:
  EnvironmentTest() {
    for (const char *name : kNames) {
      const char *value = std::getenv(name);
      before_.push_back(value ? std::optional<std::string>(value)
                              : std::nullopt);
      unsetenv(name);
    }
    warnings().clear();
    setWarningHandler(
        [](std::string_view text) { warnings().emplace_back(text); });
  }
  ~EnvironmentTest() override {
    for (size_t i = 0; i < before_.size(); ++i)
      before_[i] ? setenv(kNames[i], before_[i]->c_str(), 1)
                 : unsetenv(kNames[i]);
    setWarningHandler(nullptr);
  }

  static constexpr const char *kNames[] = {
      "HOME",           "XDG_CACHE_HOME",     "MAMBA_CACHE_DIR",
      "MAMBA_CACHE",    "MAMBA_CACHE_BYTES",  "MAMBA_NUM_THREADS",
      "MAMBA_LIBCUDA",  "MAMBA_SIMT_CHECKS",  "MAMBA_SIMT_SEED",
      "MAMBA_LIBNVRTC", "MAMBA_LIBNVJITLINK", "CUDA_HOME",
      "CUDA_PATH",      "VIRTUAL_ENV",        "CONDA_PREFIX",
      "MAMBA_PTXAS"};
  std::vector<std::optional<std::string>> before_;
};

TEST_F(EnvironmentTest, CacheFolder) {
  EXPECT_EQ(Environment::read().cacheDir, "");
  setenv("HOME", "/home/u", 1);
  EXPECT_EQ(Environment::read().cacheDir, "/home/u/.cache/mamba-mlir");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(Environment::read().cacheDir, "/home/u/.cache/mamba-mlir");
  setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(Environment::read().cacheDir, "/x/mamba-mlir");
  setenv("MAMBA_CACHE_DIR", "/own", 1);
  EXPECT_EQ(Environment::read().cacheDir, "/own");
}

TEST_F(EnvironmentTest, Values) {
  setenv("MAMBA_CACHE", "off", 1);
  setenv("MAMBA_CACHE_BYTES", "3M", 1);
  setenv("MAMBA_NUM_THREADS", "7", 1);
  setenv("MAMBA_LIBCUDA", "/lib/x.so", 1);
  setenv("MAMBA_LIBNVRTC", "/lib/y.so", 1);
  setenv("MAMBA_LIBNVJITLINK", "/lib/z.so", 1);
  setenv("MAMBA_PTXAS", "/bin/p", 1);
  setenv("CUDA_PATH", "/opt/cuda", 1);
  setenv("VIRTUAL_ENV", "/venv", 1);
  Environment environment = Environment::read();
  EXPECT_FALSE(environment.diskCache);
  EXPECT_EQ(environment.cacheBytes, 3 << 20);
  EXPECT_EQ(environment.numThreads, 7);
  EXPECT_EQ(environment.libcuda, "/lib/x.so");
  EXPECT_EQ(environment.libnvrtc, "/lib/y.so");
  EXPECT_EQ(environment.libnvjitlink, "/lib/z.so");
  EXPECT_EQ(environment.ptxas, "/bin/p");
  EXPECT_EQ(environment.cudaHomes, std::vector<std::string>{"/opt/cuda"});
  EXPECT_EQ(environment.pythonPrefixes, std::vector<std::string>{"/venv"});
  EXPECT_TRUE(warnings().empty());
}

TEST_F(EnvironmentTest, SimtChecks) {
  EXPECT_EQ(Environment::read().simt.checks, simt::Checks());
  simt::Checks none{false, false, false, false, false, false};
  setenv("MAMBA_SIMT_CHECKS", "none", 1);
  setenv("MAMBA_SIMT_SEED", "77", 1);
  EXPECT_EQ(Environment::read().simt.checks, none);
  EXPECT_EQ(Environment::read().simt.seed, 77u);
  setenv("MAMBA_SIMT_CHECKS", "all", 1);
  EXPECT_EQ(Environment::read().simt.checks, simt::Checks());
  setenv("MAMBA_SIMT_CHECKS", "bounds,races", 1);
  simt::Checks some = none;
  some.bounds = some.races = true;
  EXPECT_EQ(Environment::read().simt.checks, some);
  EXPECT_TRUE(warnings().empty());
  for (const char *text : {"bounds,", "race", ",", "all,bounds"}) {
    setenv("MAMBA_SIMT_CHECKS", text, 1);
    EXPECT_EQ(Environment::read().simt.checks, simt::Checks()) << text;
  }
  EXPECT_EQ(warnings().size(), 4u);
}

TEST_F(EnvironmentTest, NonsenseIsWarnedOfAndIgnored) {
  setenv("MAMBA_CACHE", "maybe", 1);
  setenv("MAMBA_CACHE_BYTES", "99999999999999999999G", 1);
  setenv("MAMBA_NUM_THREADS", "-3", 1);
  Environment environment = Environment::read();
  EXPECT_TRUE(environment.diskCache);
  EXPECT_EQ(environment.cacheBytes, int64_t(1) << 30);
  EXPECT_EQ(environment.numThreads, 0);
  ASSERT_EQ(warnings().size(), 3u);
  EXPECT_EQ(warnings()[2], "MAMBA_NUM_THREADS=-3 is ignored: required is a "
                           "number from 1 to 1024");
}

} // namespace
