//===- TemporaryFolder.h - A folder of a test's own -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tests of file formats write damaged files and read them back.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_IO_TEMPORARYFOLDER_H
#define MAMBA_TEST_UNIT_IO_TEMPORARYFOLDER_H

#include "runtime/Status.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <string_view>

namespace mamba {

/// A test whose files are gone when it ends.
class TemporaryFolder : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "mamba-io-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(std::string_view name) const { return folder_ / name; }

  /// Writes `bytes` to the file `name` and gives its path.
  std::string put(std::string_view name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

  static std::string get(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

private:
  std::filesystem::path folder_;
};

inline Status statusOf(const Status &status) { return status; }
template <typename T> Status statusOf(const Result<T> &result) {
  return result.status();
}

/// Expects an error of `code` whose message holds `text`.
#define EXPECT_ERROR(expression, expectedCode, text)                           \
  do {                                                                         \
    const auto &outcome = (expression);                                        \
    ASSERT_FALSE(outcome.ok());                                                \
    const ::mamba::Status error = ::mamba::statusOf(outcome);                  \
    EXPECT_EQ(error.code(), expectedCode) << error.message();                  \
    EXPECT_NE(error.message().find(text), std::string::npos)                   \
        << error.message();                                                    \
  } while (false)

} // namespace mamba

#endif // MAMBA_TEST_UNIT_IO_TEMPORARYFOLDER_H
