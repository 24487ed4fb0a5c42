//===- NvrtcPaths.h - Where NVRTC may lie ---------------------- -*- C++
//-*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_NVRTCPATHS_H
#define MAMBA_RUNTIME_CUDA_NVRTCPATHS_H

#include <string>
#include <vector>

namespace mamba::cuda {

/// Paths to try, in order: MAMBA_LIBNVRTC alone if it is set; else a library
/// that this process has loaded (PyTorch does), what the loader finds, the CUDA
/// toolkit, and packages from PyPI.
std::vector<std::string> nvrtcPaths();

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_NVRTCPATHS_H
