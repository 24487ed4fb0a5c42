//===- CacheTesting.h - A folder and the warnings of a test --- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each test has a fresh private folder, and sees the warnings that it causes.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_CACHE_CACHETESTING_H
#define MAMBA_TEST_UNIT_CACHE_CACHETESTING_H

#include "runtime/Cache.h"
#include "runtime/Warning.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace mamba::test {

inline std::vector<std::string> &warnings() {
  static std::vector<std::string> list;
  return list;
}

class CacheTest : public testing::Test {
protected:
  CacheTest() {
    std::string pattern = testing::TempDir() + "mamba-cache-XXXXXX";
    folder = ::mkdtemp(pattern.data());
    warnings().clear();
    setWarningHandler(
        [](std::string_view text) { warnings().emplace_back(text); });
  }
  ~CacheTest() override {
    setWarningHandler(nullptr);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  CacheOptions options() const { return {folder, int64_t(1) << 20, 1 << 16}; }
  std::string file(const std::string &key) const {
    return folder + "/" + key + ".entry";
  }
  static std::string contents(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    return bytes.str();
  }
  static void overwrite(const std::string &path, const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  /// Files of the folder whose names end so.
  int count(std::string_view suffix) const {
    int files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      files += entry.path().string().ends_with(suffix);
    return files;
  }

  std::string folder;
};

/// A computation that succeeds with `bytes` and counts itself.
inline Cache::Compute returning(std::string bytes, int *count = nullptr) {
  return [=]() -> Result<std::string> {
    if (count)
      ++*count;
    return bytes;
  };
}

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_CACHE_CACHETESTING_H
