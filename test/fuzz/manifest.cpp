//===- manifest.cpp - Fuzzes the manifests of bundles ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fuzzer's bytes are all but the checksum, which is made to fit: what comes
// after it is to be tested.
//
//===----------------------------------------------------------------------===//

#include "runtime/bundle/Manifest.h"
#include "runtime/bundle/Sha256.h"

#include <cstdlib>

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  text += "\n  \"sha256\": \"";
  text += sha256(text) + "\"\n}\n";
  Result<Manifest> manifest = readManifest(text);
  // What is taken can be written, and is the same then.
  if (manifest.ok() && !readManifest(writeManifest(*manifest)).ok())
    std::abort();
  return 0;
}
