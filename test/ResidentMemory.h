//===- ResidentMemory.h - What a process has in memory ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_RESIDENTMEMORY_H
#define MAMBA_TEST_RESIDENTMEMORY_H

#include <cstdint>
#include <fstream>
#include <malloc.h>
#include <unistd.h>

namespace mamba::test {

/// Of this process, without what the allocator has free: room that compiling
/// left would hide a leak.
inline int64_t residentBytes() {
  ::malloc_trim(0);
  int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * ::sysconf(_SC_PAGE_SIZE);
}

} // namespace mamba::test

#endif // MAMBA_TEST_RESIDENTMEMORY_H
