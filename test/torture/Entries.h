//===- Entries.h - What the tortured cache holds -------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every process knows what each entry has to hold, so that one wrong byte is
// seen.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_TORTURE_ENTRIES_H
#define MAMBA_TEST_TORTURE_ENTRIES_H

#include "runtime/Artifact.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mamba::torture {

struct Entry {
  std::string key; ///< KernelKey::hex().
  Artifact artifact;
  std::string bytes; ///< The artifact, serialized.
};

/// `count` kernels with 1 to 200 KB of code, most of them small, as kernels
/// are; the same ones for the same seed.
std::vector<Entry> makeEntries(int count, uint64_t seed);

int64_t totalBytes(const std::vector<Entry> &entries);

} // namespace mamba::torture

#endif // MAMBA_TEST_TORTURE_ENTRIES_H
