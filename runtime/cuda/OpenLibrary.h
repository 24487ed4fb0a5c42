//===- OpenLibrary.h - NVIDIA's libraries at run time -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_OPENLIBRARY_H
#define MAMBA_RUNTIME_CUDA_OPENLIBRARY_H

#include "runtime/Status.h"

#include <functional>
#include <span>
#include <string>
#include <utility>

namespace mamba::cuda {

/// Looks up a library's functions; the name of one that it lacks, or null.
using ResolveFunctions = std::function<const char *(void *library)>;

/// Looks up each function in `library` and stores it in the pointer behind its
/// name; the name of the first that is missing, or null.
const char *
resolveAll(void *library,
           std::span<const std::pair<const char *, void *>> functions);

/// The path of the first library of `paths` that opens and that `resolve` is
/// content with. It is never closed: such libraries have threads and state of
/// the whole process. NotFound, with a line for each path, if there is none.
Result<std::string> openFirst(std::span<const std::string> paths,
                              const ResolveFunctions &resolve);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_OPENLIBRARY_H
