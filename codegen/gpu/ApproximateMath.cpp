//===- ApproximateMath.cpp - f32 math by approximate instructions ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"

#include "dialect/SSMDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <limits>

namespace mlir::ssm {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "codegen/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

namespace {

constexpr double kLog2E = 1.4426950408889634;
constexpr double kLn2 = 0.6931471805599453;
constexpr double kLog10Of2 = 0.3010299956639812;

/// Short forms for f32 code.
class F32Builder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value constant(double value) {
    return arith::ConstantOp::create(*this, getF32FloatAttr(value));
  }
  Value mul(Value a, Value b) {
    return arith::MulFOp::create(*this, a, b, arith::FastMathFlags::contract);
  }
  Value add(Value a, Value b) {
    return arith::AddFOp::create(*this, a, b, arith::FastMathFlags::contract);
  }
  Value fma(Value a, Value b, Value c) { return call("llvm.fma", {a, b, c}); }
  Value negate(Value a) { return arith::NegFOp::create(*this, a); }
  Value call(StringRef intrinsic, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(*this, getF32Type(),
                                         getStringAttr(intrinsic), operands)
        .getResult(0);
  }
  Value exp2(Value x) { return call("llvm.nvvm.ex2.approx.ftz.f", x); }
  Value log2(Value x) { return call("llvm.nvvm.lg2.approx.ftz.f", x); }
  Value reciprocal(Value x) { return call("llvm.nvvm.rcp.approx.ftz.f", x); }
  /// Coefficients from the highest power down (Horner).
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = constant(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      sum = add(mul(sum, x), constant(coefficient));
    return sum;
  }
  /// |x| < bound ? a : b.
  Value selectSmall(Value x, double bound, Value a, Value b) {
    Value small = arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT,
                                        call("llvm.fabs", x), constant(bound));
    return arith::SelectOp::create(*this, small, a, b);
  }
};

using Expansion = Value (*)(F32Builder &, ValueRange);

/// Replaces an f32 op by what `expansion` builds.
template <typename Op> struct Expand : OpRewritePattern<Op> {
  Expand(MLIRContext *context, Expansion expansion)
      : OpRewritePattern<Op>(context), expansion(expansion) {}

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "is no scalar f32");
    F32Builder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, expansion(b, op->getOperands()));
    return success();
  }

  Expansion expansion;
};

Value expandTan(F32Builder &b, ValueRange x) {
  return arith::DivFOp::create(b, math::SinOp::create(b, x[0]),
                               math::CosOp::create(b, x[0]));
}

Value expandExp(F32Builder &b, ValueRange x) {
  return b.exp2(b.mul(x[0], b.constant(kLog2E)));
}

/// exp2 without the pipe of exponentials. x = n + f with a whole n, found as
/// the last bits of x + 1.5 * 2^23, and |f| <= 1/2; 2^f as a minimax polynomial
/// that is 1 at 0 (off by 9.1e-8, in f32 by 1.7e-7), times 2^n by its exponent.
/// From 2^127.5 on that is infinity, below 2^-126.5 zero; NaN stays.
Value exp2OnFma(F32Builder &b, Value x) {
  constexpr double kMagic = 12582912.0;
  constexpr int64_t kOneBits = 0x3f800000, kMantissaBits = 23;
  Value magic = b.constant(kMagic);
  x = arith::MinimumFOp::create(b, x, b.constant(128.0));
  x = arith::MaximumFOp::create(b, x, b.constant(-127.0));
  // A contracted sum would be of another x than what is left over.
  Value shifted = arith::AddFOp::create(b, x, magic);
  Value whole = arith::SubFOp::create(b, shifted, magic);
  Value f = arith::SubFOp::create(b, x, whole);
  Value power = b.constant(0.001326472731307149);
  for (double coefficient : {0.009671512991189957, 0.05550733581185341,
                             0.24022242426872253, 0.6931470036506653, 1.0})
    power = b.fma(power, f, b.constant(coefficient));
  auto word = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, value, 32);
  };
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), shifted);
  bits = arith::ShLIOp::create(b, bits, word(kMantissaBits));
  bits = arith::AddIOp::create(b, bits, word(kOneBits));
  return b.mul(power, arith::BitcastOp::create(b, b.getF32Type(), bits));
}

struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::Exp2Op op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "is no scalar f32");
    F32Builder b(op.getLoc(), rewriter);
    Value x = op.getOperand();
    rewriter.replaceOp(op, op->hasAttr(kOnFmaAttrName) ? exp2OnFma(b, x)
                                                       : b.exp2(x));
    return success();
  }
};

Value expandLog(F32Builder &b, ValueRange x) {
  return b.mul(b.log2(x[0]), b.constant(kLn2));
}

/// Near zero 1 + x loses x, so a polynomial takes over: Cephes' logf on
/// [sqrt(1/2) - 1, sqrt(2) - 1], of which |x| < 0.29 is a part.
Value expandLog1p(F32Builder &b, ValueRange operands) {
  Value x = operands[0];
  Value cubic =
      b.polynomial(x, {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1,
                       -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
                       2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1});
  Value square = b.mul(x, x);
  Value tail = b.add(b.mul(cubic, x), b.constant(-0.5));
  Value small = b.add(b.mul(square, tail), x);
  Value large = b.mul(b.log2(b.add(x, b.constant(1.0))), b.constant(kLn2));
  return b.selectSmall(x, 0.29, small, large);
}

/// log1p(e) for 0 <= e <= 1 as 2 atanh(t) with t = e / (2 + e) <= 1/3: a
/// minimax polynomial in t^2, off by 5e-9 at most. (One degree less, off by
/// 1.9e-7, is seen in complex recurrences, which add up the phases of delta.)
Value log1pOfUnit(F32Builder &b, Value e) {
  Value t = b.mul(e, b.reciprocal(b.add(e, b.constant(2.0))));
  Value series =
      b.polynomial(b.mul(t, t), {0.2801198709170302, 0.2800180521620868,
                                 0.4002152724289007, 0.6666641628557923, 2.0});
  return b.mul(t, series);
}

/// log1p(exp(x)) = max(x, 0) + log1p(exp(-|x|)): no overflow, no cancellation
/// and fewer instructions than a logarithm that also knows small arguments.
Value expandSoftplus(F32Builder &b, Value x) {
  Value e = b.exp2(b.mul(b.call("llvm.fabs", x), b.constant(-kLog2E)));
  Value positive = arith::MaximumFOp::create(b, x, b.constant(0.0));
  return b.add(log1pOfUnit(b, e), positive);
}

/// Where x > bound ? x : log1p(exp(x)) bounds the exponential of a softplus
/// that is x to the last bit there, the choice is not needed.
bool isSoftplusOrInput(arith::SelectOp select, Value softplus, Value x) {
  auto isLarge = select.getCondition().getDefiningOp<arith::CmpFOp>();
  APFloat bound(0.0);
  return isLarge && select.getFalseValue() == softplus &&
         select.getTrueValue() == x && isLarge.getLhs() == x &&
         (isLarge.getPredicate() == arith::CmpFPredicate::OGT ||
          isLarge.getPredicate() == arith::CmpFPredicate::OGE) &&
         matchPattern(isLarge.getRhs(), m_ConstantFloat(&bound)) &&
         bound.convertToDouble() >= 16.0;
}

struct ExpandSoftplus : OpRewritePattern<math::Log1pOp> {
  explicit ExpandSoftplus(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(math::Log1pOp op,
                                PatternRewriter &rewriter) const override {
    auto exp = op.getOperand().getDefiningOp<math::ExpOp>();
    if (!exp || !op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "is no log1p of an exponential");
    Value x = exp.getOperand();
    F32Builder b(op.getLoc(), rewriter);
    Value softplus = expandSoftplus(b, x);
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      if (auto select = dyn_cast<arith::SelectOp>(user);
          select && isSoftplusOrInput(select, op, x))
        rewriter.replaceOp(select, softplus);
    rewriter.replaceOp(op, softplus);
    return success();
  }
};

/// Near zero exp(x) - 1 cancels, so the Taylor series takes over: to x^8 / 8!
/// below 1/2, where the next term is under 1e-8 of the sum.
Value expandExpM1(F32Builder &b, ValueRange operands) {
  Value x = operands[0];
  Value series = b.polynomial(x, {1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                                  1.0 / 24, 1.0 / 6, 0.5, 1.0});
  Value large = b.add(expandExp(b, x), b.constant(-1.0));
  return b.selectSmall(x, 0.5, b.mul(series, x), large);
}

/// NaN for a negative base.
Value expandPowF(F32Builder &b, ValueRange operands) {
  return b.exp2(b.mul(operands[1], b.log2(operands[0])));
}

/// The approximate quotient, corrected by what it leaves over: recurrences add
/// up a relative error that is the same in every step. Where zero or infinity
/// leaves no number over, the quotient stands as it is.
Value expandDivF(F32Builder &b, ValueRange operands) {
  Value x = operands[0], y = operands[1];
  Value reciprocal = b.reciprocal(y);
  Value quotient = b.mul(x, reciprocal);
  Value rest = b.fma(b.negate(quotient), y, x);
  Value corrected = b.fma(rest, reciprocal, quotient);
  Value isLost =
      arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, corrected, corrected);
  return arith::SelectOp::create(b, isLost, quotient, corrected);
}

/// What is left of x behind the multiple of y next to it towards zero; of an
/// infinite y, x itself.
Value expandRemF(F32Builder &b, ValueRange operands) {
  Value x = operands[0], y = operands[1];
  Value whole = b.call("llvm.trunc", expandDivF(b, operands));
  Value rest = b.fma(b.negate(whole), y, x);
  Value isInfinite = arith::CmpFOp::create(
      b, arith::CmpFPredicate::OEQ, b.call("llvm.fabs", y),
      b.constant(std::numeric_limits<double>::infinity()));
  return arith::SelectOp::create(b, isInfinite, x, rest);
}

/// The approximate quotient as it is, where the op's flags allow a reciprocal.
struct ExpandRoughDivF : OpRewritePattern<arith::DivFOp> {
  explicit ExpandRoughDivF(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(arith::DivFOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32() ||
        !arith::bitEnumContainsAny(op.getFastmath(),
                                   arith::FastMathFlags::arcp))
      return rewriter.notifyMatchFailure(op, "asks for an exact quotient");
    F32Builder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, b.mul(op.getLhs(), b.reciprocal(op.getRhs())));
    return success();
  }
};

/// x = k pi/2 + y with |y| <= pi/4; pi/2 in three parts (Cody and Waite), so
/// that y is right to the last bit while k fits the first part's spare bits.
std::pair<Value, Value> reduceToQuadrant(F32Builder &b, Value x) {
  Value k = b.call("llvm.rint", b.mul(x, b.constant(0.63661977236758134)));
  Value minusK = b.negate(k), y = x;
  for (double part : {1.5703125, 4.837512969970703e-4, 7.549789948768648e-8})
    y = b.fma(minusK, b.constant(part), y);
  return {arith::FPToSIOp::create(b, b.getI32Type(), k), y};
}

/// sin(y), cos(y), -sin(y) or -cos(y) for quadrant 0 to 3; polynomials of
/// Cephes' sinf and cosf on [-pi/4, pi/4].
Value sineOfQuadrant(F32Builder &b, Value quadrant, Value y) {
  Value square = b.mul(y, y);
  Value sine =
      b.fma(b.mul(b.polynomial(square, {-1.9515295891e-4, 8.3321608736e-3,
                                        -1.6666654611e-1}),
                  square),
            y, y);
  Value cosine = b.fma(
      b.mul(b.polynomial(square, {2.443315711809948e-5, -1.388731625493765e-3,
                                  4.166664568298827e-2}),
            square),
      square, b.fma(square, b.constant(-0.5), b.constant(1.0)));
  auto bit = [&](int64_t mask) -> Value {
    Value masked = arith::AndIOp::create(
        b, quadrant, arith::ConstantIntOp::create(b, mask, 32));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, masked,
                                 arith::ConstantIntOp::create(b, 0, 32));
  };
  Value value = arith::SelectOp::create(b, bit(1), cosine, sine);
  return arith::SelectOp::create(b, bit(2), b.negate(value), value);
}

Value expandSin(F32Builder &b, ValueRange x) {
  auto [quadrant, y] = reduceToQuadrant(b, x[0]);
  return sineOfQuadrant(b, quadrant, y);
}

Value expandCos(F32Builder &b, ValueRange x) {
  auto [quadrant, y] = reduceToQuadrant(b, x[0]);
  Value next = arith::AddIOp::create(b, quadrant,
                                     arith::ConstantIntOp::create(b, 1, 32));
  return sineOfQuadrant(b, next, y);
}

void addExpansions(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<Expand<math::ExpOp>>(context, expandExp);
  patterns.add<Expand<math::LogOp>>(context, expandLog);
  patterns.add<Expand<math::Log1pOp>>(context, expandLog1p);
  patterns.add<ExpandSoftplus, ExpandRoughDivF>(context);
  patterns.add<Expand<math::ExpM1Op>>(context, expandExpM1);
  patterns.add<Expand<math::PowFOp>>(context, expandPowF);
  patterns.add<Expand<arith::DivFOp>>(context, expandDivF);
  patterns.add<Expand<arith::RemFOp>>(context, expandRemF);
  patterns.add<Expand<math::SinOp>>(context, expandSin);
  patterns.add<Expand<math::CosOp>>(context, expandCos);
  patterns.add<Expand<math::TanOp>>(context, expandTan);
  patterns.add<ExpandExp2>(context);
  patterns.add<Expand<math::Log2Op>>(
      context, [](F32Builder &b, ValueRange x) { return b.log2(x[0]); });
  patterns.add<Expand<math::Log10Op>>(context, [](F32Builder &b, ValueRange x) {
    return b.mul(b.log2(x[0]), b.constant(kLog10Of2));
  });
  math::populateExpansionPatterns(patterns,
                                  {"acosh", "asinh", "atanh", "cosh", "sinh"});
}

/// Replaces an f32 op by an intrinsic: one instruction, or a few that LLVM
/// writes inline.
template <typename Op>
void addIntrinsic(RewritePatternSet &patterns, StringRef intrinsic) {
  struct Call : OpRewritePattern<Op> {
    Call(MLIRContext *context, StringRef intrinsic)
        : OpRewritePattern<Op>(context), intrinsic(intrinsic) {}

    LogicalResult matchAndRewrite(Op op,
                                  PatternRewriter &rewriter) const override {
      if (!op.getType().isF32())
        return rewriter.notifyMatchFailure(op, "is no scalar f32");
      F32Builder b(op.getLoc(), rewriter);
      rewriter.replaceOp(op, b.call(intrinsic, op->getOperands()));
      return success();
    }

    StringRef intrinsic;
  };
  patterns.add<Call>(patterns.getContext(), intrinsic);
}

void addIntrinsics(RewritePatternSet &patterns) {
  addIntrinsic<math::AbsFOp>(patterns, "llvm.fabs");
  addIntrinsic<math::CeilOp>(patterns, "llvm.ceil");
  addIntrinsic<math::FloorOp>(patterns, "llvm.floor");
  addIntrinsic<math::TruncOp>(patterns, "llvm.trunc");
  addIntrinsic<math::RoundOp>(patterns, "llvm.round");
  addIntrinsic<math::RoundEvenOp>(patterns, "llvm.roundeven");
  addIntrinsic<math::CopySignOp>(patterns, "llvm.copysign");
  addIntrinsic<math::FmaOp>(patterns, "llvm.fma");
  addIntrinsic<math::SqrtOp>(patterns, "llvm.nvvm.sqrt.approx.ftz.f");
  addIntrinsic<math::RsqrtOp>(patterns, "llvm.nvvm.rsqrt.approx.ftz.f");
  addIntrinsic<arith::MaxNumFOp>(patterns, "llvm.maxnum");
  addIntrinsic<arith::MinNumFOp>(patterns, "llvm.minnum");
}

struct ApproximateMath : ssm::impl::ApproximateMathPassBase<ApproximateMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    addExpansions(patterns);
    addIntrinsics(patterns);
    auto isPolynomial = [](StringRef name) {
      return llvm::is_contained(
          {math::ErfOp::getOperationName(), math::TanhOp::getOperationName(),
           math::AtanOp::getOperationName(), math::Atan2Op::getOperationName(),
           math::ErfcOp::getOperationName(), math::AcosOp::getOperationName(),
           math::AsinOp::getOperationName(), math::CbrtOp::getOperationName()},
          name);
    };
    populateMathPolynomialApproximationPatterns(patterns, isPolynomial);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
