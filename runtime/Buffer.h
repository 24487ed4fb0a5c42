//===- Buffer.h - Memory of a device, owned ------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For tools, tests and the kernel's workspace.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BUFFER_H
#define MAMBA_RUNTIME_BUFFER_H

#include "runtime/Device.h"
#include "runtime/Tensor.h"

namespace mamba {

/// A block of a device's memory, freed with this object.
class DeviceBuffer {
public:
  DeviceBuffer() = default;
  ~DeviceBuffer() { reset(); }
  DeviceBuffer(DeviceBuffer &&other) noexcept { *this = std::move(other); }
  DeviceBuffer &operator=(DeviceBuffer &&other) noexcept;

  /// `bytes` of memory, aligned to 256 bytes; null if `bytes` is 0.
  static Result<DeviceBuffer> allocate(std::shared_ptr<Device> device,
                                       int64_t bytes);

  void *data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  void reset();

private:
  std::shared_ptr<Device> device_;
  void *data_ = nullptr;
  int64_t bytes_ = 0;
};

/// A copy of a HostTensor (same shape, strides and offset) on a device.
class DeviceTensor {
public:
  DeviceTensor() = default;
  /// Copies all bytes of `host`, those that no index reaches included.
  static Result<DeviceTensor> copyOf(const HostTensor &host,
                                     std::shared_ptr<Device> device);

  const TensorView &view() const { return view_; }
  /// Copies all bytes back into `host`, which has the shape and strides of the
  /// tensor this was made of. In order with `stream`.
  Status copyTo(HostTensor &host, void *stream = nullptr) const;

private:
  std::shared_ptr<Device> device_;
  DeviceBuffer buffer_;
  TensorView view_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_BUFFER_H
