//===- ToolkitPaths.h - Where the parts of the toolkit lie ------*- C++ -*-===//
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
std::vector<std::string> libraryPaths(const std::string &wanted,
                                      std::string_view library,
                                      std::string_view wheel);

/// The same for a program of NVIDIA's compiler, such as "ptxas": `wanted`
/// alone, or the toolkit and PyPI's packages, in the order of libraryPaths().
/// $PATH is not searched: it may name folders of others, or the current one,
/// and what is found is run.
std::vector<std::string> programPaths(const std::string &wanted,
                                      std::string_view program);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_TOOLKITPATHS_H
