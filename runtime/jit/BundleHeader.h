//===- BundleHeader.h - A bundle's functions for C --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_BUNDLEHEADER_H
#define MAMBA_RUNTIME_JIT_BUNDLEHEADER_H

#include "runtime/bundle/Manifest.h"

#include <string>
#include <string_view>

namespace mamba {

/// A header of C and C++: for each function a struct of its tensors, typed by
/// element and rank, and functions that launch it by libmamba_loader.
/// `checksum` is that of the manifest: the header opens this bundle only.
std::string bundleHeader(const Manifest &manifest, std::string_view checksum);

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_BUNDLEHEADER_H
