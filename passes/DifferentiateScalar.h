//===- DifferentiateScalar.h - Adjoints of scalar ops -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gradients are those of a real number (the loss). That of a complex number z
// is dL/d(re z) + i dL/d(im z), so a holomorphic y = f(z) passes on
// g conj(f'(z)).
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_DIFFERENTIATESCALAR_H
#define MAMBA_PASSES_DIFFERENTIATESCALAR_H

#include "passes/ScalarBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::ssm {

/// Reverse-mode differentiation of straight-line scalar code.
class ScalarAdjoints {
public:
  /// New ops go where `builder` is.
  ScalarAdjoints(OpBuilder &builder) : builder(builder) {}

  /// Adds to the gradient of `value`; nothing where it is no floating-point or
  /// complex number.
  void add(Value value, Value gradient);
  /// The gradient of `value`, null where nothing adds to it.
  Value of(Value value) const { return gradients.lookup(value); }

  /// Hands the gradient of `op`'s result on to its operands. Fails with an
  /// error at `op` where there is no rule for it.
  LogicalResult visit(Operation *op);

private:
  bool visitField(Operation *op, Value g);
  bool visitArith(Operation *op, Value g);
  bool visitMath(Operation *op, Value g);
  bool visitComplex(Operation *op, Value g);
  bool visitSoftplus(Operation *op, Value g);
  bool visitLogistic(Operation *op, Value g);
  Value extremum(Operation *op, unsigned operand, Value g);
  Value zeroWhereZero(Value asked, Value value);

  OpBuilder &builder;
  llvm::DenseMap<Value, Value> gradients;
};

/// exp(x) where `value` is 1 + exp(x), of numbers or of tensors; null
/// elsewhere.
math::ExpOp exponentialOfLogistic(Value value);

/// True for types whose values have gradients.
bool hasGradient(Type element);

/// The part of `gradient` that a number of type `type` takes up: the real part,
/// or all of it.
Value fitTo(ScalarBuilder &s, Value gradient, Type type);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_DIFFERENTIATESCALAR_H
