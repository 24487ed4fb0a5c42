//===- SimtTesting.h - Kernels by hand on the simt device -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are written as --ssm-lower-to-gpu writes them. A line that ends in
// "// HERE" is where a report must point to.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_SIMT_SIMTTESTING_H
#define MAMBA_TEST_UNIT_SIMT_SIMTTESTING_H

#include "runtime/Buffer.h"
#include "runtime/simt/SimtDevice.h"

#include <gtest/gtest.h>

namespace mamba::test {

/// How a test's kernel is launched.
struct SimtLaunch {
  int64_t blocks = 1;
  uint32_t threads = 32;
  uint32_t sharedBytes = 0;
  simt::Options options = {};
};

/// A kernel @kernel(%x: in, %y: out) of f32 arrays, and its device.
class SimtProgram {
public:
  /// `body` goes on after these values: %i, the thread's number as i32; %b,
  /// the block's; %shared, its shared memory. `globals` stands before it.
  SimtProgram(const std::string &body, const SimtLaunch &launch,
              const std::string &globals = "");

  /// Runs it on `x` and an array of `outputs` floats that nothing was written
  /// to. Errors are those of the compiler or of the launch.
  Status run(const std::vector<float> &x, size_t outputs);

  /// What the last run left.
  std::vector<float> y;
  /// "test.mlir:<line>:" of the line with the mark.
  std::string here() const;

  const std::shared_ptr<SimtDevice> &device() const { return device_; }

private:
  Status compile();

  SimtLaunch launch_;
  std::string text_;
  std::shared_ptr<SimtDevice> device_;
  std::shared_ptr<LoadedKernel> kernel_;
};

/// Expects an error whose message holds all of `parts`.
void expectReport(const Status &status, std::vector<std::string> parts);

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_SIMT_SIMTTESTING_H
