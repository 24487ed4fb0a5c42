//===- MathApproximation.cpp - Functions as vector arithmetic -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/MathApproximation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;

namespace {

/// Arithmetic on values of one shape: a scalar or a vector.
class Shaped {
public:
  Shaped(PatternRewriter &rewriter, Location loc, Type type)
      : b(loc, rewriter), vector(dyn_cast<VectorType>(type)) {}

  Type of(Type element) {
    return vector ? Type(vector.clone(element)) : element;
  }
  Value constant(TypedAttr scalar) {
    if (vector)
      scalar = cast<TypedAttr>(Attribute(DenseElementsAttr::get(
          vector.clone(scalar.getType()), ArrayRef<Attribute>(scalar))));
    return arith::ConstantOp::create(b, scalar);
  }
  Value f32(double value) { return constant(b.getF32FloatAttr(value)); }
  Value f64(double value) { return constant(b.getF64FloatAttr(value)); }
  Value i32(int32_t value) { return constant(b.getI32IntegerAttr(value)); }

  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, x); }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, x, y, z);
  }
  Value round(Value x) { return math::RoundEvenOp::create(b, x); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, condition, x, y);
  }
  /// x within [low, high]; NaN stays. Written so that it becomes one minps
  /// and one maxps.
  Value clamp(Value x, Value low, Value high) {
    x = select(compare(arith::CmpFPredicate::OLT, x, low), low, x);
    return select(compare(arith::CmpFPredicate::OGT, x, high), high, x);
  }
  /// c[0] + c[1] x + c[2] x^2 + ...
  Value polynomial(Value x, ArrayRef<double> c) {
    Value sum = f32(c.back());
    for (double next : llvm::reverse(c.drop_back()))
      sum = fma(sum, x, f32(next));
    return sum;
  }
  /// p 2^n for p in [0.7, 1.5] and integral n: any n where `hasScale`, else
  /// n in [-127, 128], with p >= 1 for -127 and p < 1 or p = 1 for 128.
  Value scaleByPower(Value p, Value n, bool hasScale);
  /// Whether AVX-512's instruction for that fits the shape.
  bool isScalable() const {
    return vector && vector.getRank() == 1 && vector.getNumElements() == 16;
  }

  ImplicitLocOpBuilder b;
  VectorType vector;
};

} // namespace

/// AVX-512's instruction is right for all n and for NaN. Elsewhere n is added
/// to the exponent, which makes another number of a NaN.
Value Shaped::scaleByPower(Value p, Value n, bool hasScale) {
  if (hasScale) {
    Value all = arith::ConstantOp::create(b, b.getI16IntegerAttr(-1));
    Value rounding = arith::ConstantOp::create(b, b.getI32IntegerAttr(4));
    return LLVM::CallIntrinsicOp::create(
               b, vector, b.getStringAttr("llvm.x86.avx512.mask.scalef.ps.512"),
               ValueRange{p, n, p, all, rounding})
        .getResult(0);
  }
  Type i32Type = of(b.getI32Type());
  // 3 * 2^22 + n has n in the low bits of its mantissa.
  Value shifted = add(n, f32(12582912.0));
  Value bits = arith::BitcastOp::create(b, i32Type, shifted);
  Value exponent = arith::ShLIOp::create(b, bits, i32(23));
  Value sum = arith::AddIOp::create(b, arith::BitcastOp::create(b, i32Type, p),
                                    exponent);
  Value scaled = arith::BitcastOp::create(b, p.getType(), sum);
  return select(compare(arith::CmpFPredicate::UNO, p, p), p, scaled);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// Chebyshev interpolants of (2^f - 1) / f on [-1/2, 1/2] and (e^f - 1) / f on
/// half of ln 2 to each side: 2^0 is exactly 1, so that a decay close to 1
/// keeps its distance from 1. Relative error 5.1e-9.
constexpr double kExp2[] = {1.0,
                            6.931471880e-01,
                            2.402265076e-01,
                            5.550357114e-02,
                            9.618082557e-03,
                            1.339086336e-03,
                            1.545316295e-04};
constexpr double kExp[] = {1.0,
                           1.000000011e+00,
                           5.000000013e-01,
                           1.666650520e-01,
                           4.166646493e-02,
                           8.369155668e-03,
                           1.393365000e-03};
constexpr double kLog2E = 1.4426950408889634;
/// ln 2 in two parts: the first has 9 significant bits, so that n times it
/// is exact.
constexpr double kLn2High = 0.693359375;
constexpr double kLn2Low = -2.12194440054690583e-4;

template <typename OpTy> struct F32Pattern : OpRewritePattern<OpTy> {
  F32Pattern(MLIRContext *context, bool hasAvx512)
      : OpRewritePattern<OpTy>(context, /*benefit=*/2), hasAvx512(hasAvx512) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getOperand().getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "is not single precision");
    Shaped s(rewriter, op.getLoc(), type);
    rewriter.replaceOp(op, expand(s, op.getOperand()));
    return success();
  }

  Value expand(Shaped &s, Value x) const;

  bool hasAvx512;
};

} // namespace

/// 2^x = 2^n 2^f with n the nearest integer. The clamps give exactly 0 and
/// infinity beyond the range.
template <> Value F32Pattern<math::Exp2Op>::expand(Shaped &s, Value x) const {
  bool hasScale = hasAvx512 && s.isScalable();
  x = hasScale ? s.clamp(x, s.f32(-151.0), s.f32(129.0))
               : s.clamp(x, s.f32(-127.0), s.f32(128.0));
  Value n = s.round(x);
  return s.scaleByPower(s.polynomial(s.sub(x, n), kExp2), n, hasScale);
}

/// e^x = 2^n e^f with n = round(x / ln 2) and f = x - n ln 2.
template <> Value F32Pattern<math::ExpOp>::expand(Shaped &s, Value x) const {
  bool hasScale = hasAvx512 && s.isScalable();
  // Without the instruction: from 2^-126 to the largest finite number.
  Value low = s.f32(hasScale ? -105.0 : -87.33654);
  Value high = s.f32(hasScale ? 89.0 : 88.72283);
  Value within = s.clamp(x, low, high);
  Value n = s.round(s.mul(within, s.f32(kLog2E)));
  Value f = s.fma(n, s.f32(-kLn2High), within);
  f = s.fma(n, s.f32(-kLn2Low), f);
  Value y = s.scaleByPower(s.polynomial(f, kExp), n, hasScale);
  if (hasScale)
    return y;
  y = s.select(s.compare(arith::CmpFPredicate::OLT, x, low), s.f32(0.0), y);
  return s.select(s.compare(arith::CmpFPredicate::OGT, x, high),
                  s.f32(std::numeric_limits<double>::infinity()), y);
}

namespace {

/// x = n pi/2 + r, reduced in double precision: right for every x below 2^50.
struct Reduced {
  Value r;
  /// n modulo 4 as f32.
  Value quadrant;
};

} // namespace

static Reduced reduceAngle(Shaped &s, Value x) {
  Type f32 = x.getType(), f64 = s.of(s.b.getF64Type());
  Value wide = arith::ExtFOp::create(s.b, f64, x);
  Value n = s.round(s.mul(wide, s.f64(0.63661977236758134)));
  Value r = s.fma(n, s.f64(-1.5707963267948966), wide);
  r = s.fma(n, s.f64(-6.123233995736766e-17), r);
  Value fours = math::FloorOp::create(s.b, s.mul(n, s.f64(0.25)));
  Value quadrant = s.fma(fours, s.f64(-4.0), n);
  // Of larger angles r is no longer small, but it must stay bounded.
  r = s.clamp(r, s.f64(-1.0), s.f64(1.0));
  return {arith::TruncFOp::create(s.b, f32, r),
          arith::TruncFOp::create(s.b, f32, quadrant)};
}

/// Cephes' polynomials on [-pi/4, pi/4].
static Value sineOf(Shaped &s, Value r) {
  Value square = s.mul(r, r);
  Value tail = s.polynomial(
      square, {-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4});
  return s.fma(s.mul(tail, square), r, r);
}

static Value cosineOf(Shaped &s, Value r) {
  Value square = s.mul(r, r);
  return s.polynomial(square, {1.0, -0.5, 4.166664568298827e-2,
                               -1.388731625493765e-3, 2.443315711809948e-5});
}

/// sin(r), cos(r), -sin(r), -cos(r) for quadrants 0 to 3.
static Value turn(Shaped &s, Reduced angle) {
  auto isOdd = [&](double q) {
    return s.compare(arith::CmpFPredicate::OEQ, angle.quadrant, s.f32(q));
  };
  Value odd = arith::OrIOp::create(s.b, isOdd(1.0), isOdd(3.0));
  Value size = s.select(odd, cosineOf(s, angle.r), sineOf(s, angle.r));
  Value negative =
      s.compare(arith::CmpFPredicate::OGE, angle.quadrant, s.f32(2.0));
  return s.select(negative, s.neg(size), size);
}

template <> Value F32Pattern<math::SinOp>::expand(Shaped &s, Value x) const {
  return turn(s, reduceAngle(s, x));
}

/// cos(x) = sin(x + pi/2): the next quadrant.
template <> Value F32Pattern<math::CosOp>::expand(Shaped &s, Value x) const {
  Reduced angle = reduceAngle(s, x);
  Value next = s.add(angle.quadrant, s.f32(1.0));
  Value wraps = s.compare(arith::CmpFPredicate::OEQ, next, s.f32(4.0));
  return turn(s, {angle.r, s.select(wraps, s.f32(0.0), next)});
}

template <> Value F32Pattern<math::RsqrtOp>::expand(Shaped &s, Value x) const {
  return arith::DivFOp::create(s.b, s.f32(1.0), math::SqrtOp::create(s.b, x));
}

void mlir::ssm::populateCpuMathPatterns(RewritePatternSet &patterns,
                                        bool hasAvx512) {
  patterns.add<F32Pattern<math::Exp2Op>, F32Pattern<math::ExpOp>,
               F32Pattern<math::SinOp>, F32Pattern<math::CosOp>,
               F32Pattern<math::RsqrtOp>>(patterns.getContext(), hasAvx512);
  populateMathF32ExpansionPatterns(patterns, [](StringRef) { return true; });
  // MLIR's own rsqrt is AVX's instruction, whatever the CPU.
  populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
    return name != math::RsqrtOp::getOperationName();
  });
}
