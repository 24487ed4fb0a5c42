//===- Bytecode.h - Reading bytecode that anyone may have written -*- C++ -*-=//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's reader of bytecode trusts what it reads: a count too large ends the
// process, and a type with an extent below zero gets through. So a child
// process reads the file and writes it as text, and only text, all of which is
// checked, becomes a module here.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_BYTECODE_H
#define MAMBA_CODEGEN_BYTECODE_H

#include "mlir/Support/LLVM.h"
#include "runtime/Status.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace mlir::ssm {

/// True for what begins as MLIR's bytecode does.
bool isBytecodeText(StringRef source);

/// The module that `bytecode` holds, as text with its locations. CompileError
/// says why there is none; `name` stands for the file in it.
mamba::Result<std::string> textOfBytecode(StringRef bytecode, StringRef name);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_BYTECODE_H
