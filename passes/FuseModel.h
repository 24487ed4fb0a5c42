//===- FuseModel.h - What fusion knows of model IR -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which ops --ssm-fuse accepts and which operands' elements they read. The
// inference of axes, the split into kernels and the generation of bodies all
// look at a function through this file.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_FUSEMODEL_H
#define MAMBA_PASSES_FUSEMODEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::ssm {

/// The value whose elements `value` has: looks through tensor.cast between
/// ranked types.
Value stripCasts(Value value);

/// Calls `callback` for every operand of `op`, and every value that its region
/// captures, whose elements enter the results of `op`. Operands that only give
/// a shape (`outs` that the region ignores, `like`) are left out.
void forEachRead(Operation *op, function_ref<void(OpOperand &)> callback);

/// What a structured op that sums adds at each point to result `result`, which
/// starts as its `outs`: the body yields the one plus the other. Null where it
/// does not.
Value sumTerm(linalg::LinalgOp op, unsigned result);

/// The value whose elements `op` rounds to a narrower type, and does nothing
/// else; null for other ops.
Value roundedValue(Operation *op);

/// True for a tensor of zeros: a splat, or filled with a constant.
bool isZeroTensor(Value value);

/// The ops that the results of `function` need, in program order, without
/// casts, shapes and the return. Fails with a located error where the function
/// holds what cannot be fused.
FailureOr<SmallVector<Operation *>> collectModel(func::FuncOp function);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_FUSEMODEL_H
