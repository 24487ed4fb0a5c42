//===- SimtTesting.h - Kernels by hand on the simt device -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_SIMT_SIMTTESTING_H
#define MAMBA_TEST_UNIT_SIMT_SIMTTESTING_H

#include "runtime/simt/SimtDevice.h"
#include "test/defects/PlantedKernels.h"

#include <gtest/gtest.h>

namespace mamba::test {

/// How a test's kernel is launched.
struct SimtLaunch {
  int64_t blocks = 1;
  uint32_t threads = 32;
  uint32_t sharedBytes = 0;
  simt::Options options = {};
};

/// A kernel written by hand, and its device.
class SimtProgram {
public:
  SimtProgram(const std::string &body, const SimtLaunch &launch,
              const std::string &globals = "");
  /// The planted kernel called `name`, which there must be.
  explicit SimtProgram(std::string_view name);

  /// Runs it on `x` and an array of `outputs` floats that nothing was written
  /// to. Errors are those of the compiler or of the launch.
  Status run(const std::vector<float> &x, size_t outputs);
  /// Runs a planted kernel as its table says.
  Status run();

  /// What the last run left.
  std::vector<float> y;
  /// "test.mlir:<line>:" of the line with the mark.
  std::string here() const { return kernel_.here("test.mlir"); }

  const std::shared_ptr<SimtDevice> &device() const { return device_; }

private:
  Status load();

  const PlantedKernel *planted_ = nullptr;
  HandKernel kernel_;
  simt::Options options_;
  std::shared_ptr<SimtDevice> device_;
  std::shared_ptr<LoadedKernel> loaded_;
};

/// Expects an error whose message holds all of `parts`.
void expectReport(const Status &status, std::vector<std::string> parts);

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_SIMT_SIMTTESTING_H
