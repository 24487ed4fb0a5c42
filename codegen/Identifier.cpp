//===- Identifier.cpp - Names that every language takes -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Identifier.h"

#include "llvm/ADT/StringExtras.h"

std::string mlir::ssm::identifier(std::string_view text) {
  // Two underscores, and one in front, belong to the implementation.
  std::string name;
  for (char c : text)
    if (llvm::isAlnum(c))
      name += c;
    else if (name.empty() || name.back() != '_')
      name += '_';
  if (name.empty() || !llvm::isAlpha(name.front()))
    name = "v" + name;
  return name;
}
