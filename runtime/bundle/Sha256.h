//===- Sha256.h - Checksums that anyone can check --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bundles travel, so their files have the checksum that every system has a tool
// for (sha256sum). No library for it is in libc.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BUNDLE_SHA256_H
#define MAMBA_RUNTIME_BUNDLE_SHA256_H

#include <string>
#include <string_view>

namespace mamba {

/// SHA-256 (FIPS 180-4) of `bytes`, as 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

} // namespace mamba

#endif // MAMBA_RUNTIME_BUNDLE_SHA256_H
