//===- SimtDevice.h - A GPU, simulated on the host --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the code that a GPU would run, thread by thread on the host, and checks
// what it does: where there is no GPU, and for what a GPU does not show. It has
// memory of its own and no streams: every call is done when it returns.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_SIMTDEVICE_H
#define MAMBA_RUNTIME_SIMT_SIMTDEVICE_H

#include "runtime/HostDevice.h"
#include "runtime/simt/Memory.h"
#include "runtime/simt/Options.h"

namespace mamba {

namespace simt {
class BlockPool;
} // namespace simt

class SimtDevice final : public HostDevice {
public:
  /// A device of its own with the limits of an H100; Device::open("simt") gives
  /// one with the options of the environment. Takes the registered
  /// ObjectLoader. OutOfMemory if the process can't have the addresses.
  static Result<std::shared_ptr<SimtDevice>>
  create(const simt::Options &options);

  /// Kernels hold the device's options as they are now.
  Result<std::shared_ptr<LoadedKernel>> load(const Artifact &artifact) override;
  Result<int64_t> bytesInUse() override;
  Result<void *> allocate(int64_t bytes) override;
  void free(void *pointer) override;
  bool checksAccesses() const override { return true; }
  void mark(void *pointer, int64_t bytes, MemoryContent content) override;
  Status checkPointer(const void *pointer) override;

private:
  SimtDevice(std::shared_ptr<simt::Memory> memory,
             const simt::Options &options);

  std::shared_ptr<simt::Memory> memory_;
  std::shared_ptr<simt::BlockPool> blocks_;
  simt::Options options_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_SIMT_SIMTDEVICE_H
