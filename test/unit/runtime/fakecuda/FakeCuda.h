//===- FakeCuda.h - A libcuda without a GPU ------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime's use of the driver is tested against this library: device memory
// is host memory, launches are recorded, and calls without a current context
// count as violations.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_FAKECUDA_H
#define MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_FAKECUDA_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mamba::test {

struct FakeLaunch {
  std::string entry;
  unsigned grid, block, shared;
  void *stream;
  std::vector<int64_t> args;
};

/// What the library does and what it saw; one for the process.
struct FakeCudaState {
  // Settings.
  int driverVersion = 12020;
  int deviceCount = 2;
  /// Newest PTX that is taken, 10 * major + minor.
  int maxPtx = 82;
  bool capturing = false;
  int registers = 40;
  int maxThreads = 1024;
  /// Result to return by the function of this name.
  std::map<std::string, int> failures;

  // Seen.
  std::vector<FakeLaunch> launches;
  std::map<std::string, int> calls;
  int violations = 0;
  int retained = 0;
  int contextDepth = 0;
  int modules = 0;
  std::map<uintptr_t, size_t> allocations;
  /// Last value of MAX_DYNAMIC_SHARED_SIZE_BYTES.
  int dynamicSharedLimit = 0;
};

} // namespace mamba::test

/// Exported by the library beside the driver's functions.
extern "C" mamba::test::FakeCudaState *mambaFakeCudaState();

#endif // MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_FAKECUDA_H
