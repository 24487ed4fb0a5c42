//===- HostLauncher.h - Kernels launched from CUDA programs -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_HOSTLAUNCHER_H
#define MAMBA_CODEGEN_CUDA_HOSTLAUNCHER_H

#include "codegen/cuda/Names.h"
#include "runtime/Artifact.h"

#include <string>

namespace mlir::ssm::cuda {

/// A struct of what the function takes, and a host function that queues its
/// launches with their grids, for programs that nvcc compiles; NVRTC skips it.
/// The launches' entries are the names in the file.
std::string hostLauncher(const mamba::Artifact &artifact, Names &names);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_HOSTLAUNCHER_H
