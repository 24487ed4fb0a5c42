//===- ScalarOps.h - Scalar ops in double precision -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one op of arith, math or complex does to numbers. Ops are looked up once
// and applied to many elements.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REFERENCE_SCALAROPS_H
#define MAMBA_CODEGEN_REFERENCE_SCALAROPS_H

#include "mlir/IR/Operation.h"

#include <complex>
#include <optional>

namespace mlir::ssm {

/// A number of any type. Integers are their signed value in the real part
/// (exact up to 2^53), truth values 0 or 1.
using Scalar = std::complex<double>;

/// An op's operands, of which it uses the first few, and its parameter.
using ScalarFunction = Scalar (*)(const Scalar &a, const Scalar &b,
                                  const Scalar &c, int64_t parameter);

/// The nearest number of these semantics (APFloat::Semantics), ties to even.
double roundedTo(int64_t semantics, double number);

struct ScalarOp {
  ScalarFunction function;
  /// What an attribute or a type of the op adds: the predicate of a
  /// comparison, the width of an integer, the activation of a gate.
  int64_t parameter = 0;
  /// The semantics (APFloat::Semantics) that the result is rounded to; -1:
  /// none.
  int64_t rounding = -1;

  Scalar operator()(const Scalar &a, const Scalar &b, const Scalar &c) const {
    Scalar exact = function(a, b, c, parameter);
    return rounding < 0 ? exact : roundedTo(rounding, exact.real());
  }
};

/// An op with this attribute does not round its result.
inline constexpr StringLiteral kExactAttrName = "ssm.exact";

/// `op` is an arith.truncf or computes in f16 or bf16, and something is
/// computed from its result, here or, as a function's op has other ops'
/// results, behind the op that it is in. What is only a result of the function
/// is rounded where it is stored, and judged by that.
bool isRounded(Operation *op);

/// How to compute `op`, an op on scalars or elementwise on tensors with at most
/// three operands and one result; nothing where the reference has no rule.
std::optional<ScalarOp> scalarOpOf(Operation *op);

/// Whether there is a rule for ops of this name, "math.exp".
bool hasScalarRule(StringRef name);

/// The value of a constant op's scalar attribute: a number, or an array of real
/// and imaginary part. Nothing for other attributes.
std::optional<Scalar> scalarOf(Attribute constant);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REFERENCE_SCALAROPS_H
