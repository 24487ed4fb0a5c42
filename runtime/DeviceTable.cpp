//===- DeviceTable.cpp - One object for each open device ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/DeviceTable.h"

#include "runtime/PerProcess.h"

namespace mamba {

DeviceTable &DeviceTable::get() {
  static auto *instance = new PerProcess<DeviceTable>;
  return instance->get();
}

Result<std::shared_ptr<Device>> DeviceTable::open(
    int ordinal,
    const std::function<Result<std::shared_ptr<Device>>()> &create) {
  std::lock_guard lock(mutex_);
  std::weak_ptr<Device> &known = byOrdinal_[ordinal];
  if (std::shared_ptr<Device> device = known.lock())
    return device;
  Result<std::shared_ptr<Device>> device = create();
  if (device.ok())
    known = *device;
  return device;
}

} // namespace mamba
