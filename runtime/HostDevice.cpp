//===- HostDevice.cpp - Devices that run in this process ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/HostDevice.h"

#include <chrono>
#include <cstring>

namespace mamba {

Status HostDevice::requireLoader() const {
  if (loader_)
    return Status();
  return Status(StatusCode::Unsupported,
                "nothing in this program can link object code: link MambaJit "
                "and register its loader before opening the device");
}

Status HostDevice::copyIn(void *target, const void *hostSource, int64_t bytes,
                          void *) {
  if (bytes)
    std::memcpy(target, hostSource, static_cast<size_t>(bytes));
  mark(target, bytes, MemoryContent::Written);
  return Status();
}

Status HostDevice::copyOut(void *hostTarget, const void *source, int64_t bytes,
                           void *) {
  if (bytes)
    std::memcpy(hostTarget, source, static_cast<size_t>(bytes));
  return Status();
}

Status HostDevice::memset(void *target, uint8_t value, int64_t bytes, void *) {
  if (bytes)
    std::memset(target, value, static_cast<size_t>(bytes));
  mark(target, bytes, MemoryContent::Written);
  return Status();
}

Result<double> HostDevice::timeMillis(void *,
                                      const std::function<Status()> &body) {
  auto start = std::chrono::steady_clock::now();
  MAMBA_RETURN_IF_ERROR(body());
  std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  return elapsed.count();
}

} // namespace mamba
