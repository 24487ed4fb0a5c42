//===- artifact.cpp - Fuzzes kernels as bytes -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fuzzer's bytes are the payload, behind a header that fits it.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"
#include "runtime/ByteStream.h"
#include "runtime/Hash.h"

#include <cstdlib>

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view payload(reinterpret_cast<const char *>(data), size);
  Hash128 checksum = hash128(payload);
  ByteWriter rest;
  rest.number(checksum.high);
  rest.number(checksum.low);
  // Magic and version are those of any artifact.
  std::string bytes = serialize(Artifact()).substr(0, 12) + rest.take();
  bytes += payload;
  Result<Artifact> artifact = deserializeArtifact(bytes);
  // Equal artifacts have equal bytes.
  if (artifact.ok() && serialize(*artifact) != bytes)
    std::abort();
  return 0;
}
