//===- ScalarBuilder.h - Real and complex scalar arithmetic ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formulas of the ssm ops are the same for real and complex systems; this
// builder picks arith and math, or complex, by its operands' types.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_SCALARBUILDER_H
#define MAMBA_PASSES_SCALARBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace mlir::ssm {

/// Creates scalar ops at the insertion point of a builder that outlives it.
/// Operands have one precision; a mix of real and complex gives complex.
/// Results may be contracted to fused multiply-adds.
class ScalarBuilder {
public:
  ScalarBuilder(OpBuilder &builder, Location loc)
      : builder(builder), loc(loc) {}

  /// `value` in the real type of `like`.
  Value constant(double value, Value like);
  /// A real constant plus, minus or times `x`.
  Value add(double c, Value x) { return add(x, constant(c, x)); }
  Value sub(double c, Value x) { return sub(constant(c, x), x); }
  Value mul(double c, Value x) { return mul(x, constant(c, x)); }

  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  /// A real factor scales both parts of a complex one: two products, not four.
  Value mul(Value a, Value b);
  Value div(Value a, Value b);
  /// a / b, b >= 1, that may be off by two units in the last place: for what no
  /// recurrence adds up.
  Value roughDiv(Value a, Value b);
  Value neg(Value x);
  Value exp(Value x);
  Value erf(Value x);
  /// Real part; `x` itself where it is real.
  Value re(Value x);
  /// Imaginary part of a complex `x`.
  Value im(Value x);
  Value complex(Value re, Value im);
  /// The complex conjugate; `x` itself where it is real.
  Value conj(Value x);
  /// `x` as a complex number with imaginary part zero, if it is real.
  Value toComplex(Value x);
  /// True where |x| < `bound`.
  Value isWithin(Value x, double bound);
  /// `a` where `condition` holds, else `b`; part by part for complex numbers.
  Value select(Value condition, Value a, Value b);

private:
  template <typename OpTy> Value contracted(Value a, Value b);

  OpBuilder &builder;
  Location loc;
};

/// Allows `op`, if it is a floating-point addition or multiplication, to be
/// contracted.
void allowContraction(Operation *op);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_SCALARBUILDER_H
