//===- memory.h - Device memory without a CUDA toolkit ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef EXAMPLES_SHIP_MEMORY_H
#define EXAMPLES_SHIP_MEMORY_H

#include "mamba_loader.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

inline mamba_device *device = nullptr;

inline void must(mamba_status status) {
  if (status == MAMBA_OK)
    return;
  std::fprintf(stderr, "error: %s\n", mamba_error());
  std::exit(1);
}

/// Device memory for `size` elements, filled with NaN or with values.
template <typename T> T *memory(size_t size, const T *values = nullptr) {
  void *address = nullptr;
  std::vector<unsigned char> poison(size * sizeof(T), 0xff);
  must(mamba_allocate(device, int64_t(size * sizeof(T)), &address));
  must(mamba_copy_in(device, address,
                     values ? (const void *)values : poison.data(),
                     int64_t(size * sizeof(T))));
  return static_cast<T *>(address);
}
template <typename T> T *memory(const std::vector<T> &values) {
  return memory(values.size(), values.data());
}

template <typename T>
std::vector<T> download(const void *address, size_t size) {
  std::vector<T> values(size);
  must(mamba_copy_out(device, values.data(), address,
                      int64_t(size * sizeof(T))));
  return values;
}

#endif // EXAMPLES_SHIP_MEMORY_H
