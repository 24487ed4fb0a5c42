//===- npy.cpp - Fuzzes the reader of .npy files --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/io/Npy.h"
#include "test/fuzz/FuzzFile.h"

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  test::FuzzFile file(data, size, ".npy");
  (void)readNpy(file.path()).ok();
  return 0;
}
