//===- Neighbours.h - What is meant for another device ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Code and tensors of one device on another: run rightly, or refused by name.
// Either way, what was right before is right after.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_TORTURE_SOAK_NEIGHBOURS_H
#define MAMBA_TEST_TORTURE_SOAK_NEIGHBOURS_H

#include "runtime/Device.h"

#include <vector>

namespace mamba::soak {

using Devices = std::vector<std::shared_ptr<Device>>;

/// For every two of `devices`, a layer and its gradients, compared with the
/// reference. The first thing that was wrong.
Status checkNeighbours(const Devices &devices);

} // namespace mamba::soak

#endif // MAMBA_TEST_TORTURE_SOAK_NEIGHBOURS_H
