//===- Reference.h - The reference device: an fp64 evaluator ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a function op by op, from the definition of each op, in double
// precision. It is what every compiled kernel is compared with, so it shares
// no code with passes and lowerings: it has its own formulas, its own rule of
// what a fused body's values depend on, and no optimization worth the name.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REFERENCE_REFERENCE_H
#define MAMBA_CODEGEN_REFERENCE_REFERENCE_H

#include "codegen/reference/ReferenceTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::ssm {

/// Runs `function` on `inputs`, one an argument, and returns its results.
///
/// All types are taken as double precision or complex of it: conversions
/// between precisions change nothing, so the result is the exact one of the
/// given inputs, up to fp64 rounding. Knows the ops of ssm (model IR and
/// ssm.fused), linalg ops on tensors, elementwise arith, math and complex ops
/// on tensors and scalars, tensor.empty, tensor.dim and tensor.cast.
///
/// Emits a located error and fails on an op that it does not know, on inputs
/// that do not fit the signature, and on extents that disagree.
FailureOr<SmallVector<ReferenceTensor>>
evaluateReference(func::FuncOp function, ArrayRef<ReferenceTensor> inputs);

/// Runs `function` on a part of a problem. `inputs` are the whole problem's,
/// in host memory, and `tensors` describes the inputs, then the results. The
/// results are those of the slice; `narrow` gives the part of a kernel's
/// result to compare them with. Unless the slice is the whole problem, the
/// function must not mix sequences or channels: reductions in linalg ops and
/// other sums over them are refused.
FailureOr<SmallVector<ReferenceTensor>> evaluateReferenceSlice(
    func::FuncOp function, ArrayRef<mamba::TensorView> inputs,
    ArrayRef<mamba::TensorSpec> tensors, const ReferenceSlice &slice);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REFERENCE_REFERENCE_H
