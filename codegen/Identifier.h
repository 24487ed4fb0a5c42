//===- Identifier.h - Names that every language takes -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names in MLIR may be any string. What of them gets into PTX, CUDA C++ and C
// headers goes through here.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_IDENTIFIER_H
#define MAMBA_CODEGEN_IDENTIFIER_H

#include <string>
#include <string_view>

namespace mlir::ssm {

/// `text` as an identifier: a letter, then letters, digits and single
/// underscores, of which those stand for what no identifier has.
std::string identifier(std::string_view text);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_IDENTIFIER_H
