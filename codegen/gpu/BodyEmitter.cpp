//===- BodyEmitter.cpp - One op of a fused body, on registers -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/BodyEmitter.h"

#include "codegen/gpu/LocationScope.h"
#include "dialect/BodyOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm;

static bool touchesComplex(Operation &op) {
  auto isComplex = [](Type type) { return isa<ComplexType>(type); };
  return llvm::any_of(op.getOperandTypes(), isComplex) ||
         llvm::any_of(op.getResultTypes(), isComplex);
}

LogicalResult mlir::ssm::verifyEmittable(Operation &op) {
  for (Type type :
       llvm::concat<const Type>(op.getOperandTypes(), op.getResultTypes()))
    if (type.isF64() || (isa<ComplexType>(type) &&
                         cast<ComplexType>(type).getElementType().isF64()))
      return op.emitOpError("computes in ")
             << type << "; the GPU computes in f32, use the cpu or the "
             << "reference device for double precision";
  if (op.getNumResults() != 1)
    return op.emitOpError(
        "has several results, which no GPU code is known for");
  if (!touchesComplex(op) ||
      isa<complex::CreateOp, complex::ReOp, complex::ImOp, complex::AddOp,
          complex::SubOp, complex::MulOp, complex::DivOp, complex::NegOp,
          complex::ConjOp, complex::ExpOp, complex::ConstantOp,
          arith::SelectOp>(op))
    return success();
  return op.emitOpError("has no GPU code; complex bodies may use create, re, "
                        "im, add, sub, mul, div, neg, conj, exp, constant "
                        "and arith.select");
}

static Value scale(Emit &e, Value a, Value b) {
  return e.mulf({a, nullptr}, {b, nullptr}).re;
}

static Value negate(Emit &e, Value a) {
  return arith::NegFOp::create(e, a, arith::FastMathFlags::contract);
}

/// a * b + c in one rounding.
static Value fused(Emit &e, Value a, Value b, Value c) {
  return math::FmaOp::create(e, a, b, c);
}

/// x conj(y) / |y|^2.
static Number divideOnce(Emit &e, Number x, Number y, Value norm) {
  Number product = e.mulf(x, {y.re, negate(e, y.im)});
  auto over = [&](Value part) -> Value {
    return arith::DivFOp::create(e, part, norm, arith::FastMathFlags::contract);
  };
  return {over(product.re), over(product.im)};
}

/// The quotient, corrected by the quotient of what it leaves over: a
/// recurrence adds up the error of a decay over all its steps.
static Number divide(Emit &e, Number x, Number y) {
  Value norm =
      e.addf({scale(e, y.re, y.re), nullptr}, {scale(e, y.im, y.im), nullptr})
          .re;
  Number quotient = divideOnce(e, x, y, norm);
  Number minus = {negate(e, quotient.re), negate(e, quotient.im)};
  Number rest = {fused(e, quotient.im, y.im, fused(e, minus.re, y.re, x.re)),
                 fused(e, minus.im, y.re, fused(e, minus.re, y.im, x.im))};
  return e.addf(quotient, divideOnce(e, rest, y, norm));
}

/// exp(x), near zero as 1 + expm1(x): the approximate exponential is off by
/// two units in the last place there, which filters of long memory add up.
static Value slowDecay(Emit &e, Value x) {
  Value one = e.one(x.getType()).re;
  Value series =
      e.addf({one, nullptr}, {math::ExpM1Op::create(e, x), nullptr}).re;
  Value isSmall = arith::CmpFOp::create(e, arith::CmpFPredicate::OLT,
                                        math::AbsFOp::create(e, x),
                                        e.constant(x.getType(), 0.5).re);
  return arith::SelectOp::create(e, isSmall, series, math::ExpOp::create(e, x));
}

/// exp(x + iy) = exp(x) (cos y + i sin y).
static Number exponential(Emit &e, Number x) {
  Value magnitude = slowDecay(e, x.re);
  Value cosine = math::CosOp::create(e, x.im);
  Value sine = math::SinOp::create(e, x.im);
  return {scale(e, magnitude, cosine), scale(e, magnitude, sine)};
}

static Number emitComplex(Emit &e, Operation &op, ArrayRef<Number> operands) {
  Number x = operands.empty() ? Number() : operands[0];
  Number y = operands.size() < 2 ? Number() : operands[1];
  return llvm::TypeSwitch<Operation *, Number>(&op)
      .Case<complex::CreateOp>([&](auto) { return Number{x.re, y.re}; })
      .Case<complex::ReOp>([&](auto) { return Number{x.re, nullptr}; })
      .Case<complex::ImOp>([&](auto) { return Number{x.im, nullptr}; })
      .Case<complex::AddOp>([&](auto) { return e.addf(x, y); })
      .Case<complex::SubOp>(
          [&](auto) { return e.addf(x, {negate(e, y.re), negate(e, y.im)}); })
      .Case<complex::MulOp>([&](auto) { return e.mulf(x, y); })
      .Case<complex::DivOp>([&](auto) { return divide(e, x, y); })
      .Case<complex::NegOp>(
          [&](auto) { return Number{negate(e, x.re), negate(e, x.im)}; })
      .Case<complex::ConjOp>(
          [&](auto) { return Number{x.re, negate(e, x.im)}; })
      .Case<complex::ExpOp>([&](auto) { return exponential(e, x); })
      .Case<complex::ConstantOp>([&](complex::ConstantOp constant) {
        auto part = [&](unsigned i) -> Value {
          return arith::ConstantOp::create(
              e, cast<TypedAttr>(constant.getValue()[i]));
        };
        return Number{part(0), part(1)};
      })
      .Case<arith::SelectOp>(
          [&](auto) { return e.select(x.re, y, operands[2]); })
      .DefaultUnreachable("verifyEmittable admits no other complex op");
}

/// The value that an op on half-precision scalars takes for `number`, which
/// registers hold as f32.
static Value narrow(Emit &e, Number number, Type type) {
  if (!isHalf(type))
    return number.re;
  return arith::TruncFOp::create(e, type, number.re);
}

/// A body's products and sums may contract into a fused multiply-add: the
/// dialect says so. A rounding stays where it is.
static void allowContraction(Operation *op) {
  auto flags = dyn_cast<arith::ArithFastMathInterface>(op);
  if (!flags || isa<CastOpInterface>(op))
    return;
  arith::FastMathFlags set = arith::FastMathFlags::contract;
  if (arith::FastMathFlagsAttr given = flags.getFastMathFlagsAttr())
    set = set | given.getValue();
  if (isHalf(op->getResult(0).getType()))
    set = set & ~arith::FastMathFlags::contract;
  op->setAttr(flags.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(op->getContext(), set));
}

/// A function of halves, which GPUs have no code for, of f32, then rounded.
static Number emitInSingle(Emit &e, Operation &op, ArrayRef<Number> operands) {
  Type half = op.getResult(0).getType();
  SmallVector<Value> numbers;
  for (const Number &operand : operands)
    numbers.push_back(operand.re);
  OperationState state(op.getLoc(), op.getName(), numbers, e.getF32Type(),
                       op.getAttrs());
  Value result = e.create(state)->getResult(0);
  Value rounded = arith::TruncFOp::create(e, half, result);
  return {arith::ExtFOp::create(e, e.getF32Type(), rounded), nullptr};
}

Number mlir::ssm::emitBodyOp(Emit &e, Operation &op,
                             ArrayRef<Number> operands) {
  LocationScope place(e, op.getLoc());
  if (touchesComplex(op))
    return emitComplex(e, op, operands);
  if (isa<math::MathDialect>(op.getDialect()) &&
      isHalf(op.getResult(0).getType()))
    return emitInSingle(e, op, operands);
  // Registers hold half-precision values as f32 already.
  if (isa<arith::ExtFOp>(op))
    return operands[0];
  IRMapping mapping;
  for (auto [value, number] : llvm::zip(op.getOperands(), operands))
    mapping.map(value, narrow(e, number, value.getType()));
  Operation *copy = e.clone(op, mapping);
  allowContraction(copy);
  Value result = copy->getResult(0);
  if (isHalf(result.getType()))
    result = arith::ExtFOp::create(e, e.getF32Type(), result);
  return {result, nullptr};
}
