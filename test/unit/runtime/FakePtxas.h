//===- FakePtxas.h - Programs in the place of ptxas -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_RUNTIME_FAKEPTXAS_H
#define MAMBA_TEST_UNIT_RUNTIME_FAKEPTXAS_H

#include "runtime/cuda/Ptxas.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace mamba::test {

/// A script that runs as ptxas; gone with this object. It names `release` when
/// it is asked, makes code of kernels that are called `nothing`, and does what
/// `others` says with others.
class FakePtxas {
public:
  explicit FakePtxas(const std::string &others,
                     const std::string &release = "13.0")
      : path_(std::filesystem::path(testing::TempDir()) /
              ("ptxas-" + std::to_string(::getpid()) + "-" +
               std::to_string(count_++))) {
    std::ofstream(path_) << "#!/bin/sh\n"
                            "if [ \"$1\" = --version ]; then\n"
                            "  echo 'Cuda tools, release "
                         << release
                         << ", V1.2'; exit; fi\n"
                            "grep -q nothing && printf '\\177ELF' && exit\n"
                         << others << '\n';
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~FakePtxas() { std::filesystem::remove(path_); }
  FakePtxas(const FakePtxas &) = delete;
  FakePtxas &operator=(const FakePtxas &) = delete;

  std::string path() const { return path_.string(); }

private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

/// PTX that a FakePtxas does not know.
inline constexpr const char *kOtherPtx =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".visible .entry other() { ret; }\n";

inline void expectTexts(const Status &status,
                        std::initializer_list<std::string_view> texts) {
  for (std::string_view text : texts)
    EXPECT_NE(status.message().find(text), std::string::npos)
        << "no '" << text << "' in: " << status.message();
}

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_RUNTIME_FAKEPTXAS_H
