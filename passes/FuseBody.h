//===- FuseBody.h - The scalar body of a kernel ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_FUSEBODY_H
#define MAMBA_PASSES_FUSEBODY_H

#include "passes/FuseStages.h"

namespace mlir::ssm {

/// Creates the fused op of `stage` at the insertion point of `builder`.
/// `tensors` maps what the stage reads to the tensor that holds it, if that is
/// another one.
FusedOp buildFused(OpBuilder &builder, Location loc, const Stage &stage,
                   const FuseAxes &axes, const DenseMap<Value, Value> &tensors);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_FUSEBODY_H
