//===- PerProcess.cpp - State a forked child must not inherit -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts fork() by a handler that is installed on first use.
//
//===----------------------------------------------------------------------===//

#include "runtime/PerProcess.h"

#include <pthread.h>

namespace mamba {

static std::atomic<uint32_t> generation{0};

uint32_t forkGeneration() {
  static const int installed = pthread_atfork(nullptr, nullptr, [] {
    generation.fetch_add(1, std::memory_order_relaxed);
  });
  (void)installed;
  return generation.load(std::memory_order_relaxed);
}

} // namespace mamba
