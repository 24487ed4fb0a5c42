//===- Driver.h - libcuda, found at run time ------------------ -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One build runs with and without a GPU: libcuda is opened with dlopen when a
// CUDA device is first asked for, and never linked.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_DRIVER_H
#define MAMBA_RUNTIME_CUDA_DRIVER_H

#include "runtime/Status.h"
#include "runtime/cuda/Types.h"

#include <memory>
#include <span>
#include <string>

namespace mamba::cuda {

/// The functions of a loaded libcuda, by their names in Symbols.inc.
class Driver {
public:
#define MAMBA_CUDA_SYMBOL(name, parameters)                                    \
  CUresult(*name) parameters = nullptr;
#include "runtime/cuda/Symbols.inc"

  /// The driver of this process, loaded and initialised on the first call. The
  /// object lives for ever. NotFound with every path tried and what to do;
  /// Forked if it was initialised before this process was forked.
  static Result<const Driver *> get();
  /// Loads the first library of `paths` that opens; calls nothing in it.
  /// NotFound with the reason for each path.
  static Result<std::unique_ptr<Driver>>
  load(std::span<const std::string> paths);

  /// CUDA version that the driver supports: 1000 * major + 10 * minor.
  int version() const { return version_; }
  /// The path that was opened.
  const std::string &path() const { return path_; }

  /// Success, or an error that names `call`, the result and its text.
  Status check(CUresult result, const char *call) const {
    return result == CUDA_SUCCESS ? Status() : failure(result, call);
  }
  Status failure(CUresult result, const char *call) const;

private:
  static Result<const Driver *> initialize();

  std::string path_;
  int version_ = 0;
};

/// "13.0" for 13000.
std::string versionText(int cudaVersion);

} // namespace mamba::cuda

/// Calls `name` of a Driver; a Status.
#define MAMBA_CUDA_CALL(driver, name, ...)                                     \
  (driver).check((driver).name(__VA_ARGS__), #name)

#endif // MAMBA_RUNTIME_CUDA_DRIVER_H
