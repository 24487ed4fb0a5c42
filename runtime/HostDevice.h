//===- HostDevice.h - Devices that run in this process ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the CPU and the simulated GPU have in common: work is done on return,
// so that there are no streams to wait for, and memory is the process's own.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_HOSTDEVICE_H
#define MAMBA_RUNTIME_HOSTDEVICE_H

#include "runtime/Device.h"
#include "runtime/ObjectLoader.h"

namespace mamba {

class HostDevice : public Device {
public:
  const DeviceInfo &info() const override { return info_; }
  bool isCuda() const override { return false; }
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
  /// By the wall clock.
  Result<double> timeMillis(void *stream,
                            const std::function<Status()> &body) override;
  Result<bool> isCapturing(void *) override { return false; }

protected:
  /// Takes the registered ObjectLoader, if there is one.
  HostDevice() : loader_(objectLoader()) {}

  /// Unsupported where nothing can link object code.
  Status requireLoader() const;

  DeviceInfo info_;
  std::shared_ptr<ObjectLoader> loader_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_HOSTDEVICE_H
