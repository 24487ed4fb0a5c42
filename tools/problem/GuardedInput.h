//===- GuardedInput.h - An input with nothing to read beside it -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_GUARDEDINPUT_H
#define MAMBA_TOOLS_PROBLEM_GUARDEDINPUT_H

#include "runtime/Buffer.h"

namespace mamba {

/// A copy of `host` on `device`; a device that checks accesses reports kernels
/// that read the bytes between its elements.
Result<DeviceTensor> copyGuarded(const HostTensor &host,
                                 const std::shared_ptr<Device> &device);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_GUARDEDINPUT_H
