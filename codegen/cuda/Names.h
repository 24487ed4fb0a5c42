//===- Names.h - Identifiers of a CUDA C++ file -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names come from the IR, where they may be any string: only letters, digits
// and underscores of them get into the file.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_NAMES_H
#define MAMBA_CODEGEN_CUDA_NAMES_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <string>

namespace mlir::ssm::cuda {

/// Hands out identifiers, each once.
class Names {
public:
  /// `wanted` itself if it is free and no word of C++ or of the prelude.
  std::string take(StringRef wanted);
  /// `base` with a number behind it: the first free one.
  std::string number(StringRef base);

private:
  llvm::StringSet<> taken;
  llvm::StringMap<unsigned> counts;
};

/// `text` as the inside of a `//` comment: one line that ends where it ends,
/// of printable characters.
std::string commentText(StringRef text);

/// `text` behind `margin`, with breaks at commas and spaces, so that no line is
/// longer than a screen; those after the first begin with `margin` and four
/// spaces. Ends with a newline.
std::string wrapLine(StringRef text, StringRef margin);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_NAMES_H
