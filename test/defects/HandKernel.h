//===- HandKernel.h - Kernels written by hand, on any device ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are written as --ssm-lower-to-gpu writes them, and go the way of real
// ones from there. A line that ends in "// HERE" is where a report must point
// to.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_DEFECTS_HANDKERNEL_H
#define MAMBA_TEST_DEFECTS_HANDKERNEL_H

#include "runtime/Device.h"

#include <string>
#include <vector>

namespace mamba::test {

/// A kernel @kernel(%x: in, %y: out) of f32 arrays, and its launch.
struct HandKernel {
  /// Goes on after these values: %i, the thread's number as i32; %b, the
  /// block's; %shared, its shared memory.
  std::string body;
  int64_t blocks = 1;
  uint32_t threads = 32;
  uint32_t sharedBytes = 0;
  /// Stands before the kernel.
  std::string globals = "";

  /// The module that it is.
  std::string text() const;
  /// "<file>:<line>:" of the line with the mark, which there must be.
  std::string here(const std::string &file) const;
};

/// The kernel's code for a DeviceInfo::architecture: PTX for "sm_90", an object
/// for "simt-sm_90". `file` is how errors call its text.
Result<std::string> codeFor(const std::string &architecture,
                            const HandKernel &kernel, const std::string &file);

/// Compiles the kernel for `device` and loads it there. `file` is how reports
/// call its text. A simt device needs registerObjectLinker() before it is made.
Result<std::shared_ptr<LoadedKernel>>
loadOn(Device &device, const HandKernel &kernel, const std::string &file);

/// Runs `loaded`, which loadOn() made of `kernel`, on `x` and an array of
/// `outputs` floats that nothing was written to, and waits for it. `y`, if
/// given, receives what it left, also after a launch that failed.
Status runOn(const std::shared_ptr<Device> &device, LoadedKernel &loaded,
             const HandKernel &kernel, const std::vector<float> &x,
             size_t outputs, std::vector<float> *y = nullptr);

} // namespace mamba::test

#endif // MAMBA_TEST_DEFECTS_HANDKERNEL_H
