//===- ExpandFused.h - Fused ops as model IR --------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_EXPANDFUSED_H
#define MAMBA_PASSES_EXPANDFUSED_H

#include "dialect/SSMDialect.h"

namespace mlir::ssm {

/// Replaces the fused ops of `block` by linalg and ssm ops on tensors that
/// compute the same: what fusion would make one kernel of again, each. Fails
/// with an error at what has no such form: tensors with an axis l/T, totals
/// over groups and other axes at once, and recurrences of which nothing reads
/// the batch or the channels.
LogicalResult expandFused(Block &block);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_EXPANDFUSED_H
