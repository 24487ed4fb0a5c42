//===- DifferentiateScalar.cpp - Adjoints of scalar ops -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DifferentiateScalar.h"

#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::ssm;

bool mlir::ssm::hasGradient(Type element) {
  return isa<FloatType, ComplexType>(element);
}

Value mlir::ssm::fitTo(ScalarBuilder &s, Value gradient, Type type) {
  return isa<ComplexType>(type) ? s.toComplex(gradient) : s.re(gradient);
}

void ScalarAdjoints::add(Value value, Value gradient) {
  if (!hasGradient(value.getType()))
    return;
  ScalarBuilder s(builder, gradient.getLoc());
  gradient = fitTo(s, gradient, value.getType());
  Value &sum = gradients[value];
  sum = sum ? s.add(sum, gradient) : gradient;
}

//===----------------------------------------------------------------------===//
// Compositions whose parts overflow where the whole does not
//===----------------------------------------------------------------------===//

math::ExpOp mlir::ssm::exponentialOfLogistic(Value value) {
  auto sum = value.getDefiningOp<arith::AddFOp>();
  if (!sum)
    return nullptr;
  for (auto [one, other] : {std::pair(sum.getLhs(), sum.getRhs()),
                            std::pair(sum.getRhs(), sum.getLhs())})
    if (matchPattern(one, m_OneFloat()))
      return other.getDefiningOp<math::ExpOp>();
  return nullptr;
}

/// log1p(exp(x)) or log(1 + exp(x)): g / (1 + exp(-x)) of x.
bool ScalarAdjoints::visitSoftplus(Operation *op, Value g) {
  math::ExpOp exp = isa<math::Log1pOp>(op)
                        ? op->getOperand(0).getDefiningOp<math::ExpOp>()
                        : exponentialOfLogistic(op->getOperand(0));
  if (!exp)
    return false;
  ScalarBuilder s(builder, op->getLoc());
  Value x = exp.getOperand();
  add(x, s.roughDiv(g, s.add(1, s.exp(s.neg(x)))));
  return true;
}

/// y = a / (1 + exp(x)): g / (1 + exp(x)) of a, and -g y exp(x) / (1 + exp(x))
/// of x, with the quotient as 1 - 1 / (1 + exp(x)).
bool ScalarAdjoints::visitLogistic(Operation *op, Value g) {
  math::ExpOp exp = exponentialOfLogistic(op->getOperand(1));
  if (!exp)
    return false;
  ScalarBuilder s(builder, op->getLoc());
  Value inverse = s.div(s.constant(1, g), op->getOperand(1));
  add(op->getOperand(0), s.mul(g, inverse));
  add(exp.getOperand(),
      s.neg(s.mul(s.mul(g, op->getResult(0)), s.sub(1, inverse))));
  return true;
}

//===----------------------------------------------------------------------===//
// Sums, products and quotients, of real and of complex numbers
//===----------------------------------------------------------------------===//

bool ScalarAdjoints::visitField(Operation *op, Value g) {
  ScalarBuilder s(builder, op->getLoc());
  auto operand = [&](unsigned i) { return op->getOperand(i); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<arith::AddFOp, complex::AddOp>([&](auto) {
        add(operand(0), g), add(operand(1), g);
        return true;
      })
      .Case<arith::SubFOp, complex::SubOp>([&](auto) {
        add(operand(0), g), add(operand(1), s.neg(g));
        return true;
      })
      .Case<arith::MulFOp, complex::MulOp>([&](auto) {
        add(operand(0), s.mul(g, s.conj(operand(1))));
        add(operand(1), s.mul(g, s.conj(operand(0))));
        return true;
      })
      .Case<arith::DivFOp, complex::DivOp>([&](auto) {
        if (visitLogistic(op, g))
          return true;
        Value quotient = s.div(g, s.conj(operand(1)));
        add(operand(0), quotient);
        add(operand(1), s.neg(s.mul(quotient, s.conj(op->getResult(0)))));
        return true;
      })
      .Case<arith::NegFOp, complex::NegOp>([&](auto) {
        add(operand(0), s.neg(g));
        return true;
      })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// arith
//===----------------------------------------------------------------------===//

/// `value`, but 0 where `asked`, a real number, is 0.
Value ScalarAdjoints::zeroWhereZero(Value asked, Value value) {
  ScalarBuilder s(builder, value.getLoc());
  Value zero = s.constant(0, asked);
  Value isZero = arith::CmpFOp::create(builder, value.getLoc(),
                                       arith::CmpFPredicate::OEQ, asked, zero);
  return s.select(isZero, zero, value);
}

/// What an operand of a minimum or maximum gets: all of `g` where it is chosen,
/// half of it where both are.
Value ScalarAdjoints::extremum(Operation *op, unsigned operand, Value g) {
  ScalarBuilder s(builder, op->getLoc());
  Value own = op->getOperand(operand), other = op->getOperand(1 - operand);
  bool isLargest = isa<arith::MaximumFOp, arith::MaxNumFOp>(op);
  auto asks = [&](arith::CmpFPredicate predicate) {
    return arith::CmpFOp::create(builder, op->getLoc(), predicate, own, other);
  };
  Value half = s.select(asks(arith::CmpFPredicate::OEQ), s.mul(0.5, g),
                        s.constant(0, g));
  // maxnum and minnum choose the number beside one that is none.
  if (isa<arith::MaxNumFOp, arith::MinNumFOp>(op))
    half =
        s.select(arith::CmpFOp::create(builder, op->getLoc(),
                                       arith::CmpFPredicate::UNO, other, other),
                 g, half);
  return s.select(
      asks(isLargest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT),
      g, half);
}

bool ScalarAdjoints::visitArith(Operation *op, Value g) {
  ScalarBuilder s(builder, op->getLoc());
  auto operand = [&](unsigned i) { return op->getOperand(i); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
            arith::MinNumFOp>([&](auto) {
        add(operand(0), extremum(op, 0, g));
        add(operand(1), extremum(op, 1, g));
        return true;
      })
      .Case([&](arith::SelectOp select) {
        Value zero = s.constant(0, g);
        if (isa<ComplexType>(g.getType()))
          zero = s.toComplex(zero);
        add(operand(1), s.select(select.getCondition(), g, zero));
        add(operand(2), s.select(select.getCondition(), zero, g));
        return true;
      })
      .Case([&](arith::ExtFOp) {
        add(operand(0), arith::TruncFOp::create(builder, op->getLoc(),
                                                operand(0).getType(), g));
        return true;
      })
      .Case([&](arith::TruncFOp) {
        add(operand(0), arith::ExtFOp::create(builder, op->getLoc(),
                                              operand(0).getType(), g));
        return true;
      })
      // What they read are integers.
      .Case<arith::SIToFPOp, arith::UIToFPOp>([](auto) { return true; })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// math
//===----------------------------------------------------------------------===//

/// f'(x) of y = f(x); null where there is no rule.
static Value derivative(OpBuilder &builder, Operation *op) {
  ScalarBuilder s(builder, op->getLoc());
  Value x = op->getOperand(0), y = op->getResult(0);
  Location loc = op->getLoc();
  auto square = [&](Value v) { return s.mul(v, v); };
  auto over = [&](double c, Value v) { return s.div(s.constant(c, v), v); };
  auto root = [&](Value v) -> Value {
    return math::SqrtOp::create(builder, loc, v);
  };
  auto bell = [&](double c) { return s.mul(c, s.exp(s.neg(square(x)))); };
  using namespace std::numbers;
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return y; })
      .Case([&](math::Exp2Op) { return s.mul(ln2, y); })
      .Case([&](math::ExpM1Op) { return s.add(1, y); })
      .Case([&](math::LogOp) { return over(1, x); })
      .Case([&](math::Log2Op) { return over(log2e, x); })
      .Case([&](math::Log10Op) { return over(log10e, x); })
      .Case([&](math::Log1pOp) { return over(1, s.add(1, x)); })
      .Case([&](math::SqrtOp) { return over(0.5, y); })
      .Case([&](math::RsqrtOp) { return s.mul(-0.5, s.mul(y, square(y))); })
      .Case([&](math::CbrtOp) { return over(1.0 / 3, square(y)); })
      .Case([&](math::TanhOp) { return s.sub(1, square(y)); })
      .Case([&](math::TanOp) { return s.add(1, square(y)); })
      .Case([&](math::SinOp) -> Value {
        return math::CosOp::create(builder, loc, x);
      })
      .Case([&](math::CosOp) {
        return s.neg(math::SinOp::create(builder, loc, x));
      })
      .Case([&](math::SinhOp) -> Value {
        return math::CoshOp::create(builder, loc, x);
      })
      .Case([&](math::CoshOp) -> Value {
        return math::SinhOp::create(builder, loc, x);
      })
      .Case([&](math::AsinOp) { return over(1, root(s.sub(1, square(x)))); })
      .Case([&](math::AcosOp) { return over(-1, root(s.sub(1, square(x)))); })
      .Case([&](math::AtanOp) { return over(1, s.add(1, square(x))); })
      .Case([&](math::AsinhOp) { return over(1, root(s.add(1, square(x)))); })
      .Case([&](math::AcoshOp) { return over(1, root(s.add(-1, square(x)))); })
      .Case([&](math::AtanhOp) { return over(1, s.sub(1, square(x))); })
      .Case([&](math::ErfOp) { return bell(2 * inv_sqrtpi); })
      .Case([&](math::ErfcOp) { return bell(-2 * inv_sqrtpi); })
      .Default([](Operation *) { return Value(); });
}

bool ScalarAdjoints::visitMath(Operation *op, Value g) {
  ScalarBuilder s(builder, op->getLoc());
  Location loc = op->getLoc();
  auto operand = [&](unsigned i) { return op->getOperand(i); };
  if (isa<math::Log1pOp, math::LogOp>(op) && visitSoftplus(op, g))
    return true;
  if (Value slope = derivative(builder, op)) {
    add(operand(0), s.mul(g, slope));
    return true;
  }
  return llvm::TypeSwitch<Operation *, bool>(op)
      // The sign, and 0 at 0.
      .Case([&](math::AbsFOp) {
        Value x = operand(0);
        Value sign =
            math::CopySignOp::create(builder, loc, s.constant(1, x), x);
        add(x, s.mul(g, zeroWhereZero(x, sign)));
        return true;
      })
      .Case([&](math::FmaOp) {
        add(operand(0), s.mul(g, operand(1)));
        add(operand(1), s.mul(g, operand(0)));
        add(operand(2), g);
        return true;
      })
      .Case([&](math::ClampFOp clamp) {
        auto low = arith::MaximumFOp::create(builder, loc, clamp.getValue(),
                                             clamp.getMin());
        auto both =
            arith::MinimumFOp::create(builder, loc, low, clamp.getMax());
        add(clamp.getMax(), extremum(both, 1, g));
        Value ofLow = extremum(both, 0, g);
        add(clamp.getMin(), extremum(low, 1, ofLow));
        add(clamp.getValue(), extremum(low, 0, ofLow));
        return true;
      })
      .Case([&](math::PowFOp) {
        Value less = s.add(-1, operand(1));
        Value power = math::PowFOp::create(builder, loc, operand(0), less);
        add(operand(0),
            zeroWhereZero(operand(1), s.mul(g, s.mul(operand(1), power))));
        Value y = op->getResult(0);
        Value log = math::LogOp::create(builder, loc, operand(0));
        add(operand(1), zeroWhereZero(y, s.mul(g, s.mul(y, log))));
        return true;
      })
      // With r^2 = x^2 + y^2: x / r^2 of y, -y / r^2 of x; of numbers divided
      // by the larger one, whose squares neither overflow nor vanish.
      .Case([&](math::Atan2Op) {
        Value size = arith::MaximumFOp::create(
            builder, loc, math::AbsFOp::create(builder, loc, operand(0)),
            math::AbsFOp::create(builder, loc, operand(1)));
        Value y = s.div(operand(0), size), x = s.div(operand(1), size);
        Value square = s.add(s.mul(x, x), s.mul(y, y));
        Value scale = s.div(s.div(g, square), size);
        add(operand(0), s.mul(scale, x));
        add(operand(1), s.neg(s.mul(scale, y)));
        return true;
      })
      .Case([&](math::CopySignOp) {
        Value one = s.constant(1, g);
        Value own = math::CopySignOp::create(builder, loc, one, operand(0));
        Value given = math::CopySignOp::create(builder, loc, one, operand(1));
        add(operand(0), s.mul(g, s.mul(own, given)));
        return true;
      })
      // Steps: flat wherever they have a derivative.
      .Case<math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp,
            math::TruncOp>([](auto) { return true; })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// complex
//===----------------------------------------------------------------------===//

bool ScalarAdjoints::visitComplex(Operation *op, Value g) {
  ScalarBuilder s(builder, op->getLoc());
  auto operand = [&](unsigned i) { return op->getOperand(i); };
  Value y = op->getResult(0);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](complex::ConjOp) {
        add(operand(0), s.conj(g));
        return true;
      })
      .Case([&](complex::ExpOp) {
        add(operand(0), s.mul(g, s.conj(y)));
        return true;
      })
      .Case([&](complex::LogOp) {
        add(operand(0), s.div(g, s.conj(operand(0))));
        return true;
      })
      .Case([&](complex::SqrtOp) {
        add(operand(0), s.div(s.mul(s.constant(0.5, g), g), s.conj(y)));
        return true;
      })
      .Case([&](complex::TanhOp) {
        add(operand(0), s.mul(g, s.conj(s.sub(s.toComplex(s.constant(1, g)),
                                              s.mul(y, y)))));
        return true;
      })
      .Case([&](complex::SinOp) {
        Value cos = complex::CosOp::create(builder, op->getLoc(), operand(0));
        add(operand(0), s.mul(g, s.conj(cos)));
        return true;
      })
      .Case([&](complex::CosOp) {
        Value sin = complex::SinOp::create(builder, op->getLoc(), operand(0));
        add(operand(0), s.neg(s.mul(g, s.conj(sin))));
        return true;
      })
      // |z|: z / |z|, and 0 at 0.
      .Case([&](complex::AbsOp) {
        Value zero = s.constant(0, y);
        Value isZero = arith::CmpFOp::create(
            builder, op->getLoc(), arith::CmpFPredicate::OEQ, y, zero);
        add(operand(0), s.mul(operand(0), s.select(isZero, zero, s.div(g, y))));
        return true;
      })
      .Case([&](complex::ReOp) {
        add(operand(0), g);
        return true;
      })
      .Case([&](complex::ImOp) {
        add(operand(0), s.complex(s.constant(0, g), g));
        return true;
      })
      .Case([&](complex::CreateOp) {
        add(operand(0), s.re(g)), add(operand(1), s.im(g));
        return true;
      })
      .Default([](Operation *) { return false; });
}

LogicalResult ScalarAdjoints::visit(Operation *op) {
  if (llvm::none_of(op->getResults(), [&](Value result) { return of(result); }))
    return success();
  // What is made of nothing has no one to hand a gradient to.
  if (op->getNumOperands() == 0 && isMemoryEffectFree(op))
    return success();
  if (op->getNumResults() == 1 && op->getNumRegions() == 0 &&
      op->getNumOperands() > 0) {
    Value g = of(op->getResult(0));
    if (visitField(op, g) || visitArith(op, g) || visitMath(op, g) ||
        visitComplex(op, g))
      return success();
  }
  return op->emitError("cannot be differentiated: there is no rule for '")
         << op->getName() << "'";
}
