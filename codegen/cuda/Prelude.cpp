//===- Prelude.cpp - Device functions that CUDA C++ lacks -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The entries stand in the order in which they are written; each names those
// before it that it needs.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Prelude.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace mlir::ssm::cuda;

namespace {
struct Entry {
  StringLiteral name;
  SmallVector<StringLiteral, 2> needs;
  StringLiteral text;
};
} // namespace

static ArrayRef<Entry> entries() {
  static const Entry kEntries[] = {
#include "codegen/cuda/Prelude.inc"
  };
  return kEntries;
}

static const Entry *find(StringRef name) {
  const Entry *entry = llvm::find_if(
      entries(), [&](const Entry &entry) { return entry.name == name; });
  return entry == entries().end() ? nullptr : entry;
}

bool mlir::ssm::cuda::isPreludeName(StringRef name) { return find(name); }

StringRef Prelude::use(StringRef name) {
  const Entry *entry = find(name);
  if (entry && used.insert(name).second)
    for (StringLiteral needed : entry->needs)
      use(needed);
  return name;
}

std::string Prelude::text() const {
  std::string text;
  for (const Entry &entry : entries())
    if (used.contains(entry.name))
      text += entry.text.drop_front().str() + "\n";
  return text;
}
