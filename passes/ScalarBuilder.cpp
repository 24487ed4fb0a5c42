//===- ScalarBuilder.cpp - Real and complex scalar arithmetic -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ScalarBuilder.h"

#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;

static bool isComplex(Value value) { return isa<ComplexType>(value.getType()); }

void mlir::ssm::allowContraction(Operation *op) {
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, complex::AddOp,
           complex::SubOp, complex::MulOp>(op))
    return;
  auto fastMath = cast<arith::ArithFastMathInterface>(op);
  arith::FastMathFlags flags = fastMath.getFastMathFlagsAttr().getValue();
  op->setAttr(fastMath.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(
                  op->getContext(), flags | arith::FastMathFlags::contract));
}

template <typename OpTy> Value ScalarBuilder::contracted(Value a, Value b) {
  auto op = OpTy::create(builder, loc, a, b);
  allowContraction(op);
  return op;
}

Value ScalarBuilder::constant(double value, Value like) {
  auto type = cast<FloatType>(realTypeOf(like.getType()));
  return arith::ConstantOp::create(builder, loc,
                                   builder.getFloatAttr(type, value));
}

Value ScalarBuilder::re(Value x) {
  if (!isComplex(x))
    return x;
  if (auto create = x.getDefiningOp<complex::CreateOp>())
    return create.getReal();
  return complex::ReOp::create(builder, loc, x);
}

Value ScalarBuilder::im(Value x) {
  if (auto create = x.getDefiningOp<complex::CreateOp>())
    return create.getImaginary();
  return complex::ImOp::create(builder, loc, x);
}

Value ScalarBuilder::complex(Value re, Value im) {
  return complex::CreateOp::create(builder, loc, ComplexType::get(re.getType()),
                                   re, im);
}

Value ScalarBuilder::conj(Value x) {
  return isComplex(x) ? complex::ConjOp::create(builder, loc, x) : x;
}

Value ScalarBuilder::toComplex(Value x) {
  return isComplex(x) ? x : complex(x, constant(0, x));
}

Value ScalarBuilder::add(Value a, Value b) {
  if (!isComplex(a) && !isComplex(b))
    return contracted<arith::AddFOp>(a, b);
  if (isComplex(a) && isComplex(b))
    return contracted<complex::AddOp>(a, b);
  if (!isComplex(a))
    std::swap(a, b);
  return complex(contracted<arith::AddFOp>(re(a), b), im(a));
}

Value ScalarBuilder::sub(Value a, Value b) {
  if (!isComplex(a) && !isComplex(b))
    return contracted<arith::SubFOp>(a, b);
  if (isComplex(a) && isComplex(b))
    return contracted<complex::SubOp>(a, b);
  Value real = contracted<arith::SubFOp>(re(a), re(b));
  return complex(real, isComplex(a) ? im(a) : neg(im(b)));
}

Value ScalarBuilder::mul(Value a, Value b) {
  if (!isComplex(a) && !isComplex(b))
    return contracted<arith::MulFOp>(a, b);
  if (isComplex(a) && isComplex(b))
    return contracted<complex::MulOp>(a, b);
  if (!isComplex(a))
    std::swap(a, b);
  Value real = contracted<arith::MulFOp>(re(a), b);
  return complex(real, contracted<arith::MulFOp>(im(a), b));
}

Value ScalarBuilder::div(Value a, Value b) {
  if (!isComplex(a) && !isComplex(b))
    return arith::DivFOp::create(builder, loc, a, b);
  return complex::DivOp::create(builder, loc, toComplex(a), toComplex(b));
}

Value ScalarBuilder::roughDiv(Value a, Value b) {
  return arith::DivFOp::create(builder, loc, a, b, arith::FastMathFlags::arcp);
}

Value ScalarBuilder::neg(Value x) {
  if (isComplex(x))
    return complex::NegOp::create(builder, loc, x);
  return arith::NegFOp::create(builder, loc, x);
}

Value ScalarBuilder::exp(Value x) {
  if (isComplex(x))
    return complex::ExpOp::create(builder, loc, x);
  return math::ExpOp::create(builder, loc, x);
}

Value ScalarBuilder::erf(Value x) {
  return math::ErfOp::create(builder, loc, x);
}

Value ScalarBuilder::isWithin(Value x, double bound) {
  // |x| of a complex number without its root.
  Value size = isComplex(x) ? add(mul(re(x), re(x)), mul(im(x), im(x)))
                            : math::AbsFOp::create(builder, loc, x).getResult();
  Value limit = constant(isComplex(x) ? bound * bound : bound, size);
  return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, size,
                               limit);
}

Value ScalarBuilder::select(Value condition, Value a, Value b) {
  if (!isComplex(a))
    return arith::SelectOp::create(builder, loc, condition, a, b);
  Value real = select(condition, re(a), re(b));
  return complex(real, select(condition, im(a), im(b)));
}
