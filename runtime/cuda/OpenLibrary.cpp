//===- OpenLibrary.cpp - NVIDIA's libraries, found at run time ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/OpenLibrary.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace mamba::cuda {

const char *
resolveAll(void *library,
           std::span<const std::pair<const char *, void *>> functions) {
  for (auto [name, slot] : functions) {
    void *found = ::dlsym(library, name);
    if (!found)
      return name;
    *static_cast<void **>(slot) = found;
  }
  return nullptr;
}

Result<std::string> openFirst(std::span<const std::string> paths,
                              const ResolveFunctions &resolve,
                              std::string_view missing,
                              std::string_view advice) {
  std::string tried;
  for (const std::string &path : paths) {
    void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char *reason = ::dlerror();
      tried += fmt::format("\n  {}: {}", path, reason ? reason : "no reason");
      continue;
    }
    if (const char *missing = resolve(library))
      tried += fmt::format("\n  {}: has no function {}", path, missing);
    else
      return path;
  }
  return Status(StatusCode::NotFound,
                fmt::format("{}. Tried:{}\n{}", missing, tried, advice));
}

} // namespace mamba::cuda
