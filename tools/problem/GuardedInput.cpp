//===- GuardedInput.cpp - An input with nothing to read beside it ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/problem/GuardedInput.h"

using namespace mamba;

Result<DeviceTensor> mamba::copyGuarded(const HostTensor &host,
                                        const std::shared_ptr<Device> &device) {
  MAMBA_ASSIGN_OR_RETURN(DeviceTensor copy, DeviceTensor::copyOf(host, device));
  const TensorView &view = copy.view();
  int64_t size = byteSize(view.dtype);
  auto bytes = static_cast<int64_t>(host.bytes().size());
  if (!device->checksAccesses() || view.numElements() * size == bytes ||
      bytes == 0)
    return copy;
  auto *first = static_cast<std::byte *>(view.data);
  device->mark(first - host.offset() * size, bytes, MemoryContent::Guard);
  forEachIndex(host.shape(), [&](std::span<const int64_t> index) {
    device->mark(first + offsetOf(view, index) * size, size,
                 MemoryContent::Written);
  });
  return copy;
}
