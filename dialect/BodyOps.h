//===- BodyOps.h - What a body may compute with -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A closed list: for each op of it the reference has a rule, and each device
// has code or says that it has none (functions of complex numbers). Left out is
// what no device has code for or nothing verifies, and division of integers,
// which by zero ends a process on the CPU. Of what an integer can't hold,
// fptosi has no defined result.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_DIALECT_BODYOPS_H
#define MAMBA_DIALECT_BODYOPS_H

#include "mlir/IR/Operation.h"

#include <string>

namespace mlir::ssm {

/// True for ops of arith, math and complex on scalars without side effects.
bool isScalarOp(Operation *op);

/// f16 or bf16, or with such elements: what computes in them is rounded to
/// them, each time.
bool isHalf(Type type);

/// Names of the ops that a body may hold, without that of their dialect,
/// "arith", "math" or "complex".
ArrayRef<StringLiteral> bodyOpsOf(StringRef dialect);

/// Why a body may not hold a scalar op: it is none of these, or computes in
/// other types than f64, f32, f16, bf16, complex numbers of f64 and f32, index
/// and integers of at most 64 bits. Empty if it may.
std::string bodyOpProblem(Operation *op);

} // namespace mlir::ssm

#endif // MAMBA_DIALECT_BODYOPS_H
