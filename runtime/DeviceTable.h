//===- DeviceTable.h - One object for each open device ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_DEVICETABLE_H
#define MAMBA_RUNTIME_DEVICETABLE_H

#include "runtime/Device.h"

#include <map>
#include <mutex>

namespace mamba {

/// The devices of this process that someone holds. Thread-safe.
class DeviceTable {
public:
  /// A forked child has a table of its own: the parent's CUDA devices don't
  /// work there. Never destroyed: static objects may open devices.
  static DeviceTable &get();

  /// The device number `ordinal`, or what `create` makes if no one holds it.
  Result<std::shared_ptr<Device>>
  open(int ordinal,
       const std::function<Result<std::shared_ptr<Device>>()> &create);

private:
  std::mutex mutex_;
  std::map<int, std::weak_ptr<Device>> byOrdinal_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_DEVICETABLE_H
