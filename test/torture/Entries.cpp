//===- Entries.cpp - What the tortured cache holds ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/torture/Entries.h"

#include "runtime/ArtifactIO.h"
#include "runtime/KernelKey.h"
#include "test/unit/runtime/TestArtifacts.h"

#include <cmath>
#include <random>

namespace mamba::torture {

static std::string randomCode(std::mt19937_64 &random) {
  // Sizes whose logarithms are evenly spread.
  double exponent = std::uniform_real_distribution<double>(0, 1)(random);
  std::string code(static_cast<size_t>(1000 * std::pow(200, exponent)), '\0');
  for (char &byte : code)
    byte = static_cast<char>(random());
  return code;
}

static std::string keyOf(int index, uint64_t seed) {
  KernelKey key;
  key.source = "func.func @chunked_sum()";
  key.function = "chunked_sum";
  key.pipeline = "ssm-to-gpu";
  key.compiler = std::to_string(seed);
  key.target = "sm_90";
  key.extents = {1, index, 1};
  return key.hex();
}

std::vector<Entry> makeEntries(int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Entry> entries;
  for (int index = 0; index < count; ++index) {
    Entry entry{keyOf(index, seed), test::chunkedSumArtifact(), ""};
    entry.artifact.image = randomCode(random);
    entry.bytes = serialize(entry.artifact);
    entries.push_back(std::move(entry));
  }
  return entries;
}

int64_t totalBytes(const std::vector<Entry> &entries) {
  int64_t total = 0;
  for (const Entry &entry : entries)
    total += static_cast<int64_t>(entry.bytes.size());
  return total;
}

} // namespace mamba::torture
