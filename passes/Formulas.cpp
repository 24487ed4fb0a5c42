//===- Formulas.cpp - The ssm ops as scalar formulas ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Formulas.h"

#include "passes/ScalarBuilder.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Discretization
//===----------------------------------------------------------------------===//

/// (exp(x) - 1) / x, which is 1 at x = 0. The difference cancels near zero, so
/// the Taylor series takes over where |x| < 1/2; its remainder there is below
/// 2e-8 in single precision (degree 7) and 1e-17 in double (degree 15).
static Value buildPhi(ScalarBuilder &s, Value x, Value expX) {
  unsigned degree = realTypeOf(x.getType()).isF64() ? 15 : 7;
  // The coefficient of x^k is 1 / (k + 1)!; Horner's scheme.
  double factorial = std::tgamma(degree + 2.0);
  Value series = s.mul(1 / factorial, x);
  for (unsigned k = degree; k-- > 0;) {
    factorial /= k + 2;
    series = s.add(1 / factorial, series);
    if (k > 0)
      series = s.mul(series, x);
  }
  Value quotient = s.div(s.sub(expX, s.constant(1, x)), x);
  return s.select(s.isWithin(x, 0.5), series, quotient);
}

std::pair<Value, Value> mlir::ssm::buildDiscretize(OpBuilder &builder,
                                                   Location loc,
                                                   DiscretizeRule rule,
                                                   const System &system,
                                                   Type type) {
  ScalarBuilder s(builder, loc);
  AxisSet axesX = system.delta.axes | system.A.axes;
  Value x = s.mul(system.delta.value, system.A.value), a;
  SmallVector<Factor> input = {system.delta, system.u, system.B};
  switch (rule) {
  case DiscretizeRule::Zoh:
    a = s.exp(x);
    input.push_back({buildPhi(s, x, a), axesX});
    break;
  case DiscretizeRule::Mamba:
    a = s.exp(x);
    break;
  case DiscretizeRule::Bilinear: {
    // One division serves both coefficients. A decay near 1 or -1 is slow and
    // adds its error up for long: 1 + x / (1 - x / 2) keeps what a small x
    // says, -1 + 2 / (1 - x / 2) what a large one does.
    Value half = s.mul(0.5, x);
    Value inverse = s.div(s.constant(1, x), s.sub(1, half));
    a = s.select(s.isWithin(x, 2), s.add(1, s.mul(x, inverse)),
                 s.add(-1, s.mul(2, inverse)));
    input.push_back({inverse, axesX});
    break;
  }
  case DiscretizeRule::Euler:
    a = s.add(1, x);
    break;
  }
  Value b = buildProduct(builder, loc, input);
  if (isa<ComplexType>(type))
    return {s.toComplex(a), s.toComplex(b)};
  return {a, b};
}

//===----------------------------------------------------------------------===//
// Gradients of a discretization
//===----------------------------------------------------------------------===//

/// phi'(x) of phi(x) = (exp(x) - 1) / x: (exp(x) - phi(x)) / x, and near zero
/// the sum of (k + 1) / (k + 2)! x^k.
static Value buildPhiSlope(ScalarBuilder &s, Value x, Value expX, Value phi) {
  unsigned degree = realTypeOf(x.getType()).isF64() ? 15 : 7;
  auto coefficient = [](unsigned k) { return (k + 1) / std::tgamma(k + 3.0); };
  Value series = s.mul(coefficient(degree), x);
  for (unsigned k = degree; k-- > 0;) {
    series = s.add(coefficient(k), series);
    if (k > 0)
      series = s.mul(series, x);
  }
  return s.select(s.isWithin(x, 0.5), series, s.div(s.sub(expX, phi), x));
}

namespace {
/// a = decay(x) and b = delta input(x) B u with x = delta A, and their slopes
/// in x; `deltaSlope` is that of delta input(delta A) in delta, by itself: as a
/// sum of input(x) and x times its slope it would cancel where x is large. Null
/// slopes in x are zero; null others are 1.
struct Rule {
  Value decaySlope, input, inputSlope, deltaSlope;
};
} // namespace

static Rule buildRule(ScalarBuilder &s, DiscretizeRule rule, Value x) {
  switch (rule) {
  case DiscretizeRule::Zoh: {
    Value a = s.exp(x), phi = buildPhi(s, x, a);
    return {a, phi, buildPhiSlope(s, x, a, phi), a};
  }
  case DiscretizeRule::Mamba:
    return {s.exp(x), nullptr, nullptr, nullptr};
  case DiscretizeRule::Bilinear: {
    Value inverse = s.div(s.constant(1, x), s.sub(1, s.mul(0.5, x)));
    Value square = s.mul(inverse, inverse);
    return {square, inverse, s.mul(0.5, square), square};
  }
  case DiscretizeRule::Euler:
    return {s.constant(1, x), nullptr, nullptr, nullptr};
  }
  llvm_unreachable("all rules are listed");
}

Value mlir::ssm::buildDiscretizeGradient(OpBuilder &builder, Location loc,
                                         DiscretizeRule rule,
                                         const System &system, unsigned i,
                                         Value ga, Value gb) {
  ScalarBuilder s(builder, loc);
  Value delta = system.delta.value, A = system.A.value, B = system.B.value,
        u = system.u.value;
  Rule at = buildRule(s, rule, s.mul(delta, A));
  auto sum = [&](Value v, Value w) { return v && w ? s.add(v, w) : v ? v : w; };
  auto scaled = [&](Value by, Value v) { return by ? s.mul(by, v) : v; };
  // Through b alone.
  if (i >= 2)
    return gb ? s.mul(gb,
                      s.conj(scaled(at.input, s.mul(delta, i == 2 ? u : B))))
              : Value();
  // Through x = delta A: a, and for A, the input of b.
  Value gx = ga ? s.mul(ga, s.conj(at.decaySlope)) : Value();
  if (i == 1) {
    if (gb && at.inputSlope)
      gx = sum(gx, s.mul(gb, s.conj(s.mul(at.inputSlope,
                                          s.mul(s.mul(delta, u), B)))));
    return gx ? s.mul(gx, delta) : Value();
  }
  Value throughA = gx ? s.re(s.mul(gx, s.conj(A))) : Value();
  Value throughB =
      gb ? s.re(s.mul(gb, s.conj(scaled(at.deltaSlope, s.mul(u, B)))))
         : Value();
  return sum(throughA, throughB);
}

//===----------------------------------------------------------------------===//
// Readout and gate
//===----------------------------------------------------------------------===//

Value mlir::ssm::buildReadout(OpBuilder &builder, Location loc, Value state,
                              Value C) {
  ScalarBuilder s(builder, loc);
  Value product = s.mul(s.re(state), s.re(C));
  // Only the real part is wanted, so only it is computed.
  if (isa<ComplexType>(state.getType()) && isa<ComplexType>(C.getType()))
    product = s.sub(product, s.mul(s.im(state), s.im(C)));
  return SumOp::create(builder, loc, product);
}

Value mlir::ssm::buildGate(OpBuilder &builder, Location loc,
                           Activation activation, Value y, Value z) {
  ScalarBuilder s(builder, loc);
  auto logistic = [&] { return s.add(1, s.exp(s.neg(z))); };
  switch (activation) {
  case Activation::Identity:
    return s.mul(y, z);
  case Activation::Silu:
    return s.mul(y, s.roughDiv(z, logistic()));
  case Activation::Sigmoid:
    return s.roughDiv(y, logistic());
  case Activation::Gelu: {
    Value erf = s.erf(s.mul(1 / std::numbers::sqrt2, z));
    return s.mul(y, s.mul(s.mul(0.5, z), s.add(1, erf)));
  }
  }
  llvm_unreachable("unknown activation");
}

Value mlir::ssm::buildGateSlope(OpBuilder &builder, Location loc,
                                Activation activation, Value z) {
  ScalarBuilder s(builder, loc);
  // 1 / (1 + exp(-z)): no part of it overflows to something that is no number.
  auto sigmoid = [&] {
    return s.roughDiv(s.constant(1, z), s.add(1, s.exp(s.neg(z))));
  };
  switch (activation) {
  case Activation::Identity:
    return s.constant(1, z);
  case Activation::Silu: {
    Value half = sigmoid();
    return s.mul(half, s.add(1, s.mul(z, s.sub(1, half))));
  }
  case Activation::Sigmoid: {
    Value half = sigmoid();
    return s.mul(half, s.sub(1, half));
  }
  // The normal distribution and z times its density.
  case Activation::Gelu: {
    Value erf = s.erf(s.mul(1 / std::numbers::sqrt2, z));
    Value bell = s.exp(s.mul(-0.5, s.mul(z, z)));
    double scale = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    return s.add(s.mul(0.5, s.add(1, erf)), s.mul(scale, s.mul(z, bell)));
  }
  }
  llvm_unreachable("unknown activation");
}
