//===- CpuDevice.h - The host as a device --------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs object code on the thread pool. It has no streams: every call is done
// when it returns.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CPUDEVICE_H
#define MAMBA_RUNTIME_CPUDEVICE_H

#include "runtime/HostDevice.h"

namespace mamba {

class CpuDevice final : public HostDevice {
public:
  /// Takes the registered ObjectLoader, if there is one.
  CpuDevice();

  Result<std::shared_ptr<LoadedKernel>> load(const Artifact &artifact) override;
  Result<void *> allocate(int64_t bytes) override;
  void free(void *pointer) override;
  Status checkPointer(const void *pointer) override;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_CPUDEVICE_H
