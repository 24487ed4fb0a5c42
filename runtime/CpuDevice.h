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

#include "runtime/Device.h"
#include "runtime/ObjectLoader.h"

namespace mamba {

class CpuDevice final : public Device {
public:
  /// Takes the registered ObjectLoader, if there is one.
  CpuDevice();

  const DeviceInfo &info() const override { return info_; }
  bool isCuda() const override { return false; }
  Result<std::shared_ptr<LoadedKernel>> load(const Artifact &artifact) override;
  Result<void *> allocate(int64_t bytes) override;
  void free(void *pointer) override;
  Status copyIn(void *target, const void *hostSource, int64_t bytes,
                void *stream) override;
  Status copyOut(void *hostTarget, const void *source, int64_t bytes,
                 void *stream) override;
  Status memset(void *target, uint8_t value, int64_t bytes,
                void *stream) override;
  Result<void *> createStream() override { return nullptr; }
  void destroyStream(void *) override {}
  Status synchronize(void *) override { return Status(); }
  Status synchronize() override { return Status(); }
  Result<double> timeMillis(void *stream,
                            const std::function<Status()> &body) override;
  Result<bool> isCapturing(void *) override { return false; }
  Status checkPointer(const void *pointer) override;

private:
  DeviceInfo info_;
  std::shared_ptr<ObjectLoader> loader_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_CPUDEVICE_H
