//===- Evaluation.h - Evaluating one op of a function -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inside of the reference: each function evaluates one kind of op on values
// that are already known. Extents come from the values, never from types, so
// that a function whose types fix an extent runs on a slice of its problem.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REFERENCE_EVALUATION_H
#define MAMBA_CODEGEN_REFERENCE_EVALUATION_H

#include "codegen/reference/ReferenceTensor.h"
#include "codegen/reference/ScalarOps.h"
#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <memory>

namespace mlir::ssm {

/// A value while a function runs: a tensor, or a scalar as a tensor of rank 0.
struct ReferenceValue {
  std::shared_ptr<const ReferenceTensor> tensor;
  /// All elements are equal and `tensor` stores only one. `tensor->shape` is
  /// what the type says, which binds nobody: a splat constant fits any slice.
  bool isUniform = false;

  static ReferenceValue of(ReferenceTensor tensor) {
    return {std::make_shared<const ReferenceTensor>(std::move(tensor))};
  }
  static ReferenceValue uniform(ArrayRef<int64_t> shape, Scalar value,
                                bool isComplex);
  ArrayRef<int64_t> shape() const { return tensor->shape; }
};

/// The value of an SSA value that an op uses.
using Lookup = llvm::function_ref<ReferenceValue(Value)>;
using Values = SmallVector<ReferenceValue, 2>;

/// "argument 1 ('delta')" where `value` is an argument of the function or
/// converted from one, otherwise the op that computes it.
std::string describe(Value value);

/// Zeros of `shape`, or a located error where they would not fit in memory.
FailureOr<ReferenceTensor> allocate(Operation *op, ArrayRef<int64_t> shape,
                                    bool isComplex);

/// True for complex numbers and tensors of them.
bool hasComplexElements(Type type);

/// Elementwise ops on tensors, and ops on scalars.
FailureOr<Values> evaluateElementwise(Operation *op, Lookup lookup);
/// Structured ops. Without `allowReductions`, sums only over extents that types
/// fix and that are there in full.
FailureOr<Values> evaluateLinalg(linalg::LinalgOp op, Lookup lookup,
                                 bool allowReductions);

FailureOr<Values> evaluateDiscretize(DiscretizeOp op, Lookup lookup);
FailureOr<Values> evaluateScan(ScanOp op, Lookup lookup);
FailureOr<Values> evaluateSpreadGroups(SpreadGroupsOp op, Lookup lookup);
FailureOr<Values> evaluateSumGroups(SumGroupsOp op, Lookup lookup);
FailureOr<Values> evaluateReadout(ReadoutOp op, Lookup lookup);
FailureOr<Values> evaluateFused(FusedOp op, Lookup lookup);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REFERENCE_EVALUATION_H
