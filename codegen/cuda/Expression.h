//===- Expression.h - C++ expressions as text -------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An expression knows how tightly it binds, so that it is written without a
// parenthesis that it doesn't need, and its C++ type: the IR's integers have no
// sign, C++'s have one, and an operand is cast where the operation asks for the
// other.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_EXPRESSION_H
#define MAMBA_CODEGEN_CUDA_EXPRESSION_H

#include "mlir/IR/Types.h"

#include <string>

namespace mlir::ssm::cuda {

/// How tightly an expression binds, the tightest first.
enum class Binding { Primary, Unary, Product, Sum, Comparison, Logic, Choice };

struct Expression {
  std::string text;
  /// As C++ spells it; empty for a literal, which takes any.
  std::string type;
  Binding binding = Binding::Primary;

  bool isLiteral() const { return type.empty(); }
};

/// The C++ type of values of `type`, integers with or without sign; empty for
/// types that kernels have no values of.
std::string typeName(Type type, bool isUnsigned = false);

/// The text of `e` as an operand that must bind at least as tightly as `limit`.
std::string operand(const Expression &e, Binding limit);

/// `e` as a value of `type`.
Expression cast(const Expression &e, StringRef type);

/// `a op b` of type `type`. `b` binds more tightly than the operator: floats
/// are not associative.
Expression binary(const Expression &a, StringRef op, const Expression &b,
                  Binding binding, StringRef type);

/// `callee(arguments)`.
Expression call(StringRef callee, ArrayRef<Expression> arguments,
                StringRef type);

/// Literals. A float is the shortest decimal that reads back as itself.
Expression literal(int64_t value);
Expression literal(const APFloat &value);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_EXPRESSION_H
