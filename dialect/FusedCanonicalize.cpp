//===- FusedCanonicalize.cpp - Simplifications of the fused op ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What makes a kernel read or write less memory without a change of what it
// computes, up to the last bit.
//
//===----------------------------------------------------------------------===//

#include "dialect/Dependence.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Drops inputs that the body does not read, and joins inputs that read one
/// tensor with one access.
struct SimplifyInputs : OpRewritePattern<FusedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FusedOp op,
                                PatternRewriter &rewriter) const override {
    Block *block = op.getBlock();
    llvm::BitVector dropped(op.getInputs().size());
    for (unsigned i = 0, e = dropped.size(); i < e; ++i) {
      for (unsigned j = 0; j < i && !dropped[i]; ++j)
        if (!dropped[j] && op.getInputs()[i] == op.getInputs()[j] &&
            op.inputAccess(i) == op.inputAccess(j)) {
          rewriter.replaceAllUsesWith(block->getArgument(i),
                                      block->getArgument(j));
          dropped.set(i);
        }
      if (!dropped[i] && block->getArgument(i).use_empty() &&
          isRedundant(op, i, dropped))
        dropped.set(i);
    }
    if (dropped.none())
      return rewriter.notifyMatchFailure(op, "every input is read once");
    dropInputs(op, dropped, rewriter);
    return success();
  }

private:
  /// True where other inputs give the extents that results need from `i`.
  static bool isRedundant(FusedOp op, unsigned i,
                          const llvm::BitVector &dropped) {
    for (Axis axis : op.inputAccess(i).getAxes()) {
      bool elsewhere = false;
      for (unsigned j = 0; j < dropped.size(); ++j)
        elsewhere |= j != i && !dropped[j] && op.inputAccess(j).has(axis);
      if (!elsewhere)
        return false;
    }
    return true;
  }

  static void dropInputs(FusedOp op, const llvm::BitVector &dropped,
                         PatternRewriter &rewriter) {
    SmallVector<Attribute> accesses;
    for (unsigned i = 0; i < dropped.size(); ++i)
      if (!dropped[i])
        accesses.push_back(op.inputAccess(i));
    rewriter.modifyOpInPlace(op, [&] {
      op.getBlock()->eraseArguments(dropped);
      op->eraseOperands(dropped);
      op.setInputAccessesAttr(rewriter.getArrayAttr(accesses));
    });
  }
};

/// Reads an input that is a splat constant as a constant of the body.
struct InlineSplatInputs : OpRewritePattern<FusedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FusedOp op,
                                PatternRewriter &rewriter) const override {
    bool changed = false;
    for (auto [i, input] : llvm::enumerate(op.getInputs())) {
      BlockArgument argument = op.getBlock()->getArgument(i);
      SplatElementsAttr splat;
      if (argument.use_empty() || !matchPattern(input, m_Constant(&splat)))
        continue;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(op.getBlock());
      rewriter.replaceAllUsesWith(
          argument, makeConstant(splat, input.getLoc(), rewriter));
      changed = true;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "reads no splat constant");
    return success();
  }

private:
  static Value makeConstant(SplatElementsAttr splat, Location loc,
                            PatternRewriter &rewriter) {
    auto type = dyn_cast<ComplexType>(splat.getElementType());
    if (!type)
      return arith::ConstantOp::create(rewriter, loc,
                                       splat.getSplatValue<TypedAttr>());
    auto number = splat.getSplatValue<std::complex<APFloat>>();
    Type part = type.getElementType();
    return complex::ConstantOp::create(
        rewriter, loc, type,
        rewriter.getArrayAttr({FloatAttr::get(part, number.real()),
                               FloatAttr::get(part, number.imag())}));
  }
};

/// True where `op` needs recurrences that are replayed (C10), and nothing would
/// replay them if it had these values for results.
static bool losesReplays(FusedOp op, ArrayRef<Value> results) {
  return !haveBothDirections(recurrencesOf(results)) &&
         !Dependence::withoutReplays(op).isInOrder();
}

/// Drops results that nobody reads.
struct DropUnusedResults : OpRewritePattern<FusedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FusedOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    SmallVector<Attribute> accesses;
    SmallVector<Value> kept, yielded;
    auto yield = cast<YieldOp>(op.getBlock()->getTerminator());
    for (OpResult result : op.getResults()) {
      if (result.use_empty())
        continue;
      kept.push_back(result);
      types.push_back(result.getType());
      accesses.push_back(op.resultAccess(result.getResultNumber()));
      yielded.push_back(yield.getValues()[result.getResultNumber()]);
    }
    if (kept.size() == op.getNumResults())
      return rewriter.notifyMatchFailure(op, "every result is read");
    if (losesReplays(op, yielded))
      return rewriter.notifyMatchFailure(op, "(C10) needs what it would drop");
    rewriter.modifyOpInPlace(yield,
                             [&] { yield.getValuesMutable().assign(yielded); });
    auto smaller = FusedOp::create(
        rewriter, op.getLoc(), types, op.getInputs(), op.getInputAccessesAttr(),
        rewriter.getArrayAttr(accesses), op.getScheduleAttr());
    smaller->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.inlineRegionBefore(op.getBody(), smaller.getBody(),
                                smaller.getBody().begin());
    for (auto [result, value] : llvm::zip(kept, smaller.getResults()))
      rewriter.replaceAllUsesWith(result, value);
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void FusedOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<SimplifyInputs, InlineSplatInputs, DropUnusedResults>(context);
}
