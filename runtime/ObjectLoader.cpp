//===- ObjectLoader.cpp - How object code gets in -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one registered loader.
//
//===----------------------------------------------------------------------===//

#include "runtime/ObjectLoader.h"

#include <mutex>

namespace mamba {

LoadedObject::~LoadedObject() = default;
ObjectLoader::~ObjectLoader() = default;

namespace {

struct Registry {
  std::mutex mutex;
  std::shared_ptr<ObjectLoader> loader;
};

/// Never destroyed: kernels may be loaded while the program ends.
Registry &registry() {
  static Registry *instance = new Registry;
  return *instance;
}

} // namespace

void registerObjectLoader(std::shared_ptr<ObjectLoader> loader) {
  std::lock_guard lock(registry().mutex);
  registry().loader.swap(loader);
}

std::shared_ptr<ObjectLoader> objectLoader() {
  std::lock_guard lock(registry().mutex);
  return registry().loader;
}

} // namespace mamba
