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
#include <memory>
#include <span>
#include <string>
#include <string_view>
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
/// the whole process. NotFound if there is none: `missing` ("NVRTC was not
/// found"), a line for each path, and what to do.
Result<std::string> openFirst(std::span<const std::string> paths,
                              const ResolveFunctions &resolve,
                              std::string_view missing,
                              std::string_view advice);

/// What Library::load(paths()) gave on the first call in this process. A
/// library lives for ever.
template <typename Library, typename Paths>
const Result<const Library *> &loadOnce(Paths &&paths) {
  static const auto *result = new Result<const Library *>([&] {
    Result<std::unique_ptr<Library>> loaded = Library::load(paths());
    return loaded.ok() ? Result<const Library *>(loaded->release())
                       : Result<const Library *>(loaded.status());
  }());
  return *result;
}

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_OPENLIBRARY_H
