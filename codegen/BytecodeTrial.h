//===- BytecodeTrial.h - Bytecode that its reader survives ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's reader of bytecode checks most of what it reads, but not all: one
// flipped bit in a few hundred makes it write out of bounds or count for hours.
// So a process of its own reads a file first, and what ends that one does not
// end ours. This finds damage. It is no wall against files made to attack.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_BYTECODETRIAL_H
#define MAMBA_CODEGEN_BYTECODETRIAL_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace mlir::ssm {

/// CPU seconds that reading may take; real modules take milliseconds.
inline constexpr unsigned kBytecodeSeconds = 1;

/// What happens to a process that reads `source`, if that is bytecode and ends
/// the process; nothing if it is text, or is read or refused as it should be.
std::optional<std::string> findBytecodeDamage(StringRef source);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_BYTECODETRIAL_H
