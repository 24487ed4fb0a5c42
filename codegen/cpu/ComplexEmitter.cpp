//===- ComplexEmitter.cpp - Complex ops on pairs of vectors ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ComplexEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm::cpu;

namespace {

/// Real arithmetic on scalars or vectors of one type.
class Parts {
public:
  explicit Parts(Emit &e) : e(e) {}

  Value add(Value a, Value b) { return binary<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return binary<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return binary<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return binary<arith::DivFOp>(a, b); }
  Value neg(Value a) { return arith::NegFOp::create(e, a); }
  Value abs(Value a) { return math::AbsFOp::create(e, a); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(e, condition, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(e, predicate, a, b);
  }
  Value constant(Type type, double value) {
    Attribute scalar = e.getFloatAttr(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      scalar = DenseElementsAttr::get(vector, scalar);
    return arith::ConstantOp::create(e, cast<TypedAttr>(scalar));
  }

  Lanes multiply(Lanes x, Lanes y);
  Lanes divide(Lanes x, Lanes y);
  Value magnitude(Lanes x);
  Lanes exponential(Lanes x);
  Lanes exponentialMinusOne(Lanes x);
  Lanes logarithm(Lanes x);
  Lanes squareRoot(Lanes x);
  Value equal(Lanes x, Lanes y) {
    return arith::AndIOp::create(
        e, compare(arith::CmpFPredicate::OEQ, x.re, y.re),
        compare(arith::CmpFPredicate::OEQ, x.im, y.im));
  }
  Value differ(Lanes x, Lanes y) {
    return arith::OrIOp::create(e,
                                compare(arith::CmpFPredicate::UNE, x.re, y.re),
                                compare(arith::CmpFPredicate::UNE, x.im, y.im));
  }

private:
  template <typename OpTy> Value binary(Value a, Value b) {
    return OpTy::create(e, a, b, arith::FastMathFlags::contract);
  }

  Emit &e;
};

} // namespace

Lanes Parts::multiply(Lanes x, Lanes y) {
  return {sub(mul(x.re, y.re), mul(x.im, y.im)),
          add(mul(x.re, y.im), mul(x.im, y.re))};
}

/// Smith's method: the larger part of y is divided out first, so that |y|^2
/// neither overflows nor underflows.
Lanes Parts::divide(Lanes x, Lanes y) {
  Value swap = compare(arith::CmpFPredicate::OLT, abs(y.re), abs(y.im));
  Value large = select(swap, y.im, y.re), small = select(swap, y.re, y.im);
  Value ratio = div(small, large);
  Value scale = add(large, mul(small, ratio));
  // With the parts of x swapped too, one formula serves both cases; the sign
  // of the imaginary part turns.
  Value p = select(swap, x.im, x.re), q = select(swap, x.re, x.im);
  Value re = div(add(p, mul(q, ratio)), scale);
  Value im = div(sub(q, mul(p, ratio)), scale);
  return {re, select(swap, neg(im), im)};
}

/// Scaled by the larger part, for the same reason.
Value Parts::magnitude(Lanes x) {
  Value a = abs(x.re), b = abs(x.im);
  Value large = arith::MaximumFOp::create(e, a, b);
  Value small = arith::MinimumFOp::create(e, a, b);
  Value ratio = div(small, large);
  Value one = constant(a.getType(), 1.0), zero = constant(a.getType(), 0.0);
  Value scaled =
      mul(large, math::SqrtOp::create(e, add(one, mul(ratio, ratio))));
  return select(compare(arith::CmpFPredicate::OEQ, large, zero), zero, scaled);
}

Lanes Parts::exponential(Lanes x) {
  Value size = math::ExpOp::create(e, x.re);
  return {mul(size, math::CosOp::create(e, x.im)),
          mul(size, math::SinOp::create(e, x.im))};
}

/// exp(a) cos(b) - 1 = (exp(a) - 1) cos(b) - 2 sin(b / 2)^2, without the
/// cancellation near zero.
Lanes Parts::exponentialMinusOne(Lanes x) {
  Value half = math::SinOp::create(e, mul(x.im, constant(x.im.getType(), 0.5)));
  Value square = mul(half, half);
  Value re =
      sub(mul(math::ExpM1Op::create(e, x.re), math::CosOp::create(e, x.im)),
          add(square, square));
  return {re, mul(math::ExpOp::create(e, x.re), math::SinOp::create(e, x.im))};
}

Lanes Parts::logarithm(Lanes x) {
  return {math::LogOp::create(e, magnitude(x)),
          math::Atan2Op::create(e, x.im, x.re)};
}

/// sqrt(x) = (t, im / 2t) with t = sqrt((|x| + |re|) / 2), the parts swapped in
/// the left half-plane.
Lanes Parts::squareRoot(Lanes x) {
  Type type = x.re.getType();
  Value zero = constant(type, 0.0), half = constant(type, 0.5);
  Value t = math::SqrtOp::create(e, mul(half, add(magnitude(x), abs(x.re))));
  Value other = select(compare(arith::CmpFPredicate::OEQ, t, zero), zero,
                       div(mul(half, abs(x.im)), t));
  Value left = compare(arith::CmpFPredicate::OLT, x.re, zero);
  Value im = select(left, t, other);
  return {select(left, other, t), math::CopySignOp::create(e, im, x.im)};
}

bool mlir::ssm::cpu::hasComplexCode(Operation &op) {
  return isa<complex::CreateOp, complex::ReOp, complex::ImOp,
             complex::ConstantOp, complex::AddOp, complex::SubOp,
             complex::MulOp, complex::DivOp, complex::NegOp, complex::ConjOp,
             complex::AbsOp, complex::ExpOp, complex::Expm1Op, complex::LogOp,
             complex::SqrtOp, complex::EqualOp, complex::NotEqualOp,
             arith::SelectOp>(op);
}

static Lanes emitConstant(Emit &e, complex::ConstantOp constant) {
  auto part = [&](unsigned i) -> Value {
    return arith::ConstantOp::create(e,
                                     cast<TypedAttr>(constant.getValue()[i]));
  };
  return {part(0), part(1)};
}

Lanes mlir::ssm::cpu::emitComplexOp(Emit &e, Operation &op,
                                    ArrayRef<Lanes> operands) {
  Parts parts(e);
  Lanes x = operands.empty() ? Lanes() : operands[0];
  Lanes y = operands.size() < 2 ? Lanes() : operands[1];
  auto real = [](Value value) { return Lanes{value, nullptr}; };
  return llvm::TypeSwitch<Operation *, Lanes>(&op)
      .Case<complex::CreateOp>([&](auto) { return Lanes{x.re, y.re}; })
      .Case<complex::ReOp>([&](auto) { return real(x.re); })
      .Case<complex::ImOp>([&](auto) { return real(x.im); })
      .Case<complex::ConstantOp>([&](complex::ConstantOp constant) {
        return emitConstant(e, constant);
      })
      .Case<complex::AddOp>([&](auto) { return e.sum(x, y); })
      .Case<complex::SubOp>([&](auto) {
        return Lanes{parts.sub(x.re, y.re), parts.sub(x.im, y.im)};
      })
      .Case<complex::MulOp>([&](auto) { return parts.multiply(x, y); })
      .Case<complex::DivOp>([&](auto) { return parts.divide(x, y); })
      .Case<complex::NegOp>(
          [&](auto) { return Lanes{parts.neg(x.re), parts.neg(x.im)}; })
      .Case<complex::ConjOp>([&](auto) { return Lanes{x.re, parts.neg(x.im)}; })
      .Case<complex::AbsOp>([&](auto) { return real(parts.magnitude(x)); })
      .Case<complex::ExpOp>([&](auto) { return parts.exponential(x); })
      .Case<complex::Expm1Op>(
          [&](auto) { return parts.exponentialMinusOne(x); })
      .Case<complex::LogOp>([&](auto) { return parts.logarithm(x); })
      .Case<complex::SqrtOp>([&](auto) { return parts.squareRoot(x); })
      .Case<complex::EqualOp>([&](auto) { return real(parts.equal(x, y)); })
      .Case<complex::NotEqualOp>([&](auto) { return real(parts.differ(x, y)); })
      .Case<arith::SelectOp>([&](auto) {
        return Lanes{parts.select(x.re, y.re, operands[2].re),
                     parts.select(x.re, y.im, operands[2].im)};
      })
      .DefaultUnreachable("hasComplexCode admits no other op");
}
