//===- ObjectLoader.h - How object code gets in --------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linking an ELF object needs LLVM's ORC, which the core doesn't have; the JIT
// library registers it here.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_OBJECTLOADER_H
#define MAMBA_RUNTIME_OBJECTLOADER_H

#include "runtime/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mamba {

/// An entry of an object: runs tasks [firstTask, endTask).
using CpuEntry = void (*)(const int64_t *args, int64_t firstTask,
                          int64_t endTask);

/// An object linked into this process; its code lives as long as it does.
class LoadedObject {
public:
  virtual ~LoadedObject();
  /// NotFound if there is no such symbol.
  virtual Result<CpuEntry> lookup(const std::string &entry) = 0;
};

/// Links objects into this process. Thread-safe.
class ObjectLoader {
public:
  virtual ~ObjectLoader();
  /// `image` is an ELF object and may be dropped after the call.
  virtual Result<std::shared_ptr<LoadedObject>>
  load(std::string_view image) = 0;
  /// Artifact::target of objects that run here: the CPU's name and features.
  virtual std::string target() const = 0;
};

/// Sets the loader of CPU devices that are opened from now on; null removes it.
void registerObjectLoader(std::shared_ptr<ObjectLoader> loader);
/// The registered loader, or null.
std::shared_ptr<ObjectLoader> objectLoader();

} // namespace mamba

#endif // MAMBA_RUNTIME_OBJECTLOADER_H
