//===- audio.cpp - Fuzzes the reader of sounds ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/io/Audio.h"
#include "test/fuzz/FuzzFile.h"

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  test::FuzzFile file(data, size, ".wav");
  (void)readAudio(file.path()).ok();
  return 0;
}
