//===- BuildId.h - Which compiler this is -----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels of another build must not come from the cache, and no one remembers
// to raise a version number: the linker's build id changes with the code.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_BUILDID_H
#define MAMBA_RUNTIME_JIT_BUILDID_H

#include <string>

namespace mamba {

/// Identifies the code of the compiler in this process and of LLVM: hexadecimal
/// build ids of the files that hold them, and LLVM's version. Computed once.
const std::string &compilerBuildId();

/// Identifies the compiler by its sources and LLVM's version: the same in every
/// program that holds it. What is kept under it is good for all of them, and
/// must be right, if not the best, for other compilers too.
const std::string &compilerSourceId();

/// The build id of the loaded file that holds `address`: the note that the
/// linker wrote, or, where there is none, a hash of the file's read-only
/// segments. Empty if no loaded file holds it.
std::string buildIdOf(const void *address);

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_BUILDID_H
