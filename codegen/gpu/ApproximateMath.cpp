//===- ApproximateMath.cpp - f32 math by approximate instructions ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "codegen/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

namespace {

constexpr double kLog2E = 1.4426950408889634;
constexpr double kLn2 = 0.6931471805599453;

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

Value expandExp(F32Builder &b, ValueRange x) {
  return b.exp2(b.mul(x[0], b.constant(kLog2E)));
}

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

Value expandDivF(F32Builder &b, ValueRange operands) {
  return b.mul(operands[0], b.reciprocal(operands[1]));
}

void addExpansions(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<Expand<math::ExpOp>>(context, expandExp);
  patterns.add<Expand<math::LogOp>>(context, expandLog);
  patterns.add<Expand<math::Log1pOp>>(context, expandLog1p);
  patterns.add<Expand<math::ExpM1Op>>(context, expandExpM1);
  patterns.add<Expand<math::PowFOp>>(context, expandPowF);
  patterns.add<Expand<arith::DivFOp>>(context, expandDivF);
  patterns.add<Expand<math::Exp2Op>>(
      context, [](F32Builder &b, ValueRange x) { return b.exp2(x[0]); });
  patterns.add<Expand<math::Log2Op>>(
      context, [](F32Builder &b, ValueRange x) { return b.log2(x[0]); });
}

/// Ops that are one instruction, or an intrinsic that LLVM expands inline.
void addIntrinsics(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<Expand<math::AbsFOp>>(context, [](F32Builder &b, ValueRange x) {
    return b.call("llvm.fabs", x);
  });
  patterns.add<Expand<math::CeilOp>>(context, [](F32Builder &b, ValueRange x) {
    return b.call("llvm.ceil", x);
  });
  patterns.add<Expand<math::FloorOp>>(context, [](F32Builder &b, ValueRange x) {
    return b.call("llvm.floor", x);
  });
  patterns.add<Expand<math::CopySignOp>>(
      context,
      [](F32Builder &b, ValueRange x) { return b.call("llvm.copysign", x); });
  patterns.add<Expand<math::FmaOp>>(context, [](F32Builder &b, ValueRange x) {
    return b.call("llvm.fma", x);
  });
  patterns.add<Expand<math::SqrtOp>>(context, [](F32Builder &b, ValueRange x) {
    return b.call("llvm.nvvm.sqrt.approx.ftz.f", x);
  });
  patterns.add<Expand<math::RsqrtOp>>(context, [](F32Builder &b, ValueRange x) {
    return b.call("llvm.nvvm.rsqrt.approx.ftz.f", x);
  });
}

struct ApproximateMath : ssm::impl::ApproximateMathPassBase<ApproximateMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    addExpansions(patterns);
    addIntrinsics(patterns);
    auto isPolynomial = [](StringRef name) {
      return llvm::is_contained(
          {math::SinOp::getOperationName(), math::CosOp::getOperationName(),
           math::ErfOp::getOperationName(), math::TanhOp::getOperationName(),
           math::AtanOp::getOperationName(), math::Atan2Op::getOperationName(),
           math::ErfcOp::getOperationName(), math::AcosOp::getOperationName(),
           math::AsinOp::getOperationName()},
          name);
    };
    populateMathPolynomialApproximationPatterns(patterns, isPolynomial);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
