//===- Nesting.h - How deep parsed IR nests ---------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// SourceFile.h looks at brackets of a text. Aliases and bytecode nest without
// any, and passes and printers call themselves for each level of what they
// read, on stacks that are not ours.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_NESTING_H
#define MAMBA_CODEGEN_NESTING_H

#include "mlir/IR/Operation.h"

namespace mlir::ssm {

/// Fails, with an error at the op concerned, where regions, attributes, types,
/// locations or affine expressions in `op` nest deeper than kMaxNesting. Takes
/// no more stack than that many levels need.
LogicalResult checkNesting(Operation *op);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_NESTING_H
