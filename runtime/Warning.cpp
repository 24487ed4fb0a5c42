//===- Warning.cpp - Where warnings go ------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One atomic pointer, so that a forked child can warn whatever its parent did.
//
//===----------------------------------------------------------------------===//

#include "runtime/Warning.h"

#include <atomic>
#include <cstdio>

namespace mamba {

static void writeToStderr(std::string_view message) {
  std::fprintf(stderr, "mamba: warning: %.*s\n",
               static_cast<int>(message.size()), message.data());
}

static std::atomic<WarningHandler> currentHandler{writeToStderr};

void warn(std::string_view message) { currentHandler.load()(message); }

WarningHandler setWarningHandler(WarningHandler handler) {
  return currentHandler.exchange(handler ? handler : writeToStderr);
}

} // namespace mamba
