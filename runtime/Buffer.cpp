//===- Buffer.cpp - Memory of a device, owned -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks hold their device, so that it outlives them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Buffer.h"

#include <fmt/format.h>

namespace mamba {

DeviceBuffer &DeviceBuffer::operator=(DeviceBuffer &&other) noexcept {
  if (this == &other)
    return *this;
  reset();
  device_ = std::move(other.device_);
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void DeviceBuffer::reset() {
  if (device_)
    device_->free(data_);
  device_.reset();
  data_ = nullptr;
  bytes_ = 0;
}

Result<DeviceBuffer> DeviceBuffer::allocate(std::shared_ptr<Device> device,
                                            int64_t bytes) {
  DeviceBuffer buffer;
  if (bytes == 0)
    return buffer;
  MAMBA_ASSIGN_OR_RETURN(buffer.data_, device->allocate(bytes));
  buffer.device_ = std::move(device);
  buffer.bytes_ = bytes;
  return buffer;
}

Result<DeviceTensor> DeviceTensor::copyOf(const HostTensor &host,
                                          std::shared_ptr<Device> device) {
  DeviceTensor tensor;
  auto bytes = static_cast<int64_t>(host.bytes().size());
  MAMBA_ASSIGN_OR_RETURN(tensor.buffer_, DeviceBuffer::allocate(device, bytes));
  auto *base = static_cast<std::byte *>(tensor.buffer_.data());
  if (bytes)
    MAMBA_RETURN_IF_ERROR(device->copyIn(base, host.bytes().data(), bytes));
  tensor.device_ = std::move(device);
  tensor.view_ = host.view();
  tensor.view_.data =
      base ? base + host.offset() * byteSize(host.dtype()) : nullptr;
  return tensor;
}

Status DeviceTensor::copyTo(HostTensor &host, void *stream) const {
  auto bytes = static_cast<int64_t>(host.bytes().size());
  if (bytes != buffer_.bytes())
    return Status(StatusCode::InvalidArgument,
                  fmt::format("a device tensor of {} bytes can't be copied to "
                              "a host tensor of {}",
                              buffer_.bytes(), bytes));
  if (bytes == 0)
    return Status();
  return device_->copyOut(host.bytes().data(), buffer_.data(), bytes, stream);
}

} // namespace mamba
