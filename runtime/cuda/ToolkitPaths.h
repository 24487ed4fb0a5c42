//===- ToolkitPaths.h - Where the toolkit's libraries lie -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_TOOLKITPATHS_H
#define MAMBA_RUNTIME_CUDA_TOOLKITPATHS_H

#include <string>
#include <string_view>
#include <vector>

namespace mamba::cuda {

/// Paths to try for a library of the CUDA toolkit such as "libnvrtc.so", in
/// order: `wanted` (an environment variable's) alone if it is not empty; else
/// one that this process has loaded (PyTorch does), what the loader finds, the
/// toolkit, and PyPI's packages, which for CUDA 12 have the folder `wheel`.
std::vector<std::string> toolkitPaths(const std::string &wanted,
                                      std::string_view library,
                                      std::string_view wheel);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_TOOLKITPATHS_H
