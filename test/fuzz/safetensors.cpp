//===- safetensors.cpp - Fuzzes the reader of .safetensors files ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/io/Safetensors.h"
#include "test/fuzz/FuzzFile.h"

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  test::FuzzFile file(data, size, ".safetensors");
  Result<SafetensorsFile> tensors = SafetensorsFile::open(file.path());
  if (tensors.ok())
    for (const SafetensorsEntry &entry : tensors->entries())
      (void)tensors->read(entry.name).ok();
  return 0;
}
