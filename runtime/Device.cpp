//===- Device.cpp - Where kernels run -------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Device.h"

#include <fmt/format.h>

namespace mamba {

LoadedKernel::~LoadedKernel() = default;
LaunchGraph::~LaunchGraph() = default;

Device::~Device() = default;

Result<std::unique_ptr<LaunchGraph>>
Device::record(void *, const std::function<Status()> &) {
  return Status(StatusCode::Unsupported,
                fmt::format("{} has no graphs of launches, required is a CUDA "
                            "device",
                            name()));
}

} // namespace mamba
