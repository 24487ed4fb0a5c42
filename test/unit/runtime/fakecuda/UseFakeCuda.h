//===- UseFakeCuda.h - Tests on a libcuda without a GPU ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program with this header in it finds the fake library and no other.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_USEFAKECUDA_H
#define MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_USEFAKECUDA_H

#include "test/unit/runtime/fakecuda/FakeCuda.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>

namespace mamba::test {

/// The module beside this program, wherever a build was unpacked.
inline const std::string &fakeCudaPath() {
  static const std::string path =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() /
      "libfakecuda.so";
  return path;
}

/// Before anything reads the environment.
[[maybe_unused]] static const int kEnvironmentIsSet =
    setenv("MAMBA_LIBCUDA", fakeCudaPath().c_str(), 1);

template <typename Function> Function *fakeFunction(const char *name) {
  return reinterpret_cast<Function *>(
      dlsym(dlopen(fakeCudaPath().c_str(), RTLD_NOW | RTLD_LOCAL), name));
}

inline FakeCudaState &fake() {
  static auto *function = fakeFunction<FakeCudaState *()>("mambaFakeCudaState");
  return *function();
}

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_USEFAKECUDA_H
