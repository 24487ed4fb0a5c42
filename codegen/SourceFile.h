//===- SourceFile.h - Reading MLIR that anyone may have written -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's parser calls itself for each level of nesting, so a text of some
// thousand brackets overruns its stack. Tools look at the text before the
// parser does, and run on a stack that fits what they let through.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SOURCEFILE_H
#define MAMBA_CODEGEN_SOURCEFILE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <optional>
#include <string>

namespace mlir::ssm {

/// How deep brackets of a source text may nest.
inline constexpr unsigned kMaxNesting = 256;

/// Bytes that a source may have: what people and programs write for this
/// compiler has some thousand, and what is larger takes time and memory.
inline constexpr size_t kMaxSourceBytes = size_t(64) << 20;

/// Bytes of stack that tools run on: aliases and chains of affine operators
/// nest without brackets, and each of them takes some bytes of text.
inline constexpr unsigned kToolStackSize = 512u << 20;

/// A place in a text, "line:column", that MLIR's parser does not survive.
struct Unreadable {
  std::string place;
  std::string why;
};

/// The first place that the text `source` must not have: brackets deeper than
/// kMaxNesting, or what MLIR's parser uses without looking whether it is there.
std::optional<Unreadable> findUnreadable(StringRef source);

/// Why a source of `bytes` bytes is too large; nothing where it is not.
std::optional<std::string> findExcess(size_t bytes);

/// The contents of the file `path` ("-" is standard input), if they can be
/// read and parsed safely; bytecode as text. Otherwise null, and `error` says
/// why, with the position in the file.
std::unique_ptr<llvm::MemoryBuffer> openSource(StringRef path,
                                               std::string &error);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SOURCEFILE_H
