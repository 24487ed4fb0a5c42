//===- FakeCuda.h - A libcuda without a GPU ------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime's use of the driver is tested against this library: device memory
// is host memory, launches are recorded, and calls without a current context
// count as violations. Thread-safe; what it saw is read when no call is under
// way.
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
  int ordinal; ///< Of the device whose context was current.
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
  /// The call that finds no memory: 1 is the next one, 0 none. Calls that give
  /// something back or make a context current are not counted.
  int failingCall = 0;
  /// Once a kernel crashed: what all calls return that need the context.
  int contextLost = 0;

  // Seen.
  std::vector<FakeLaunch> launches;
  std::map<std::string, int> calls;
  int violations = 0;
  /// The function that failingCall hit; empty before.
  std::string failedCall;
  int retained = 0;
  int contextDepth = 0;
  int modules = 0;
  /// Streams, events and graphs.
  int handles = 0;
  std::map<uintptr_t, size_t> allocations;
  /// Last value of MAX_DYNAMIC_SHARED_SIZE_BYTES.
  int dynamicSharedLimit = 0;
};

} // namespace mamba::test

/// Exported by the library beside the driver's functions.
extern "C" mamba::test::FakeCudaState *mambaFakeCudaState();
/// Whether this thread is in one of the driver's functions.
extern "C" bool mambaFakeCudaRuns();

#endif // MAMBA_TEST_UNIT_RUNTIME_FAKECUDA_FAKECUDA_H
