//===- Prelude.h - Device functions that CUDA C++ lacks ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A translated file includes nothing, so that it compiles where there are no
// headers of CUDA. What it needs beyond the language is written at its top, and
// of that only what it uses.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_PRELUDE_H
#define MAMBA_CODEGEN_CUDA_PRELUDE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringSet.h"

#include <string>

namespace mlir::ssm::cuda {

/// Collects what a file uses.
class Prelude {
public:
  /// Asks for the type or function `name` and what it needs; returns it. Names
  /// that the prelude doesn't have (the language's own types) are ignored.
  StringRef use(StringRef name);
  /// The definitions of what was asked for, in an order that compiles.
  std::string text() const;

private:
  llvm::StringSet<> used;
};

/// `name` means something in a prelude.
bool isPreludeName(StringRef name);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_PRELUDE_H
