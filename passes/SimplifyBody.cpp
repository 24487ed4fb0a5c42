//===- SimplifyBody.cpp - Less work in fused bodies -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rewrites of any body that move work to fewer points of the iteration space.
// Each walks the body once, from the end to the start, so that a product is met
// at its root; Dependence is computed anew for each.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "dialect/BodyOps.h"
#include "passes/ProductTree.h"
#include "passes/ScalarBuilder.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/CSE.h"

#include <functional>
#include <numbers>

namespace mlir::ssm {
#define GEN_PASS_DEF_SIMPLIFYBODYPASS
#include "passes/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

static void eraseDead(Block *block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

static void useExp2(FusedOp op) {
  for (auto exp :
       llvm::make_early_inc_range(op.getBlock()->getOps<math::ExpOp>())) {
    // softplus(x) = log1p(exp(x)) is for the lowering to recognise. The product
    // would be rounded in halves.
    if (llvm::any_of(exp->getUsers(), llvm::IsaPred<math::Log1pOp>) ||
        !isa<Float32Type, Float64Type>(exp.getType()))
      continue;
    OpBuilder builder(exp);
    Value x = ScalarBuilder(builder, exp.getLoc())
                  .mul(std::numbers::log2e, exp.getOperand());
    Value exp2 =
        math::Exp2Op::create(builder, exp.getLoc(), x, exp.getFastmathAttr());
    exp.replaceAllUsesWith(exp2);
    exp.erase();
  }
}

/// clampf(x, a, b) is min(max(x, a), b), which lowerings have.
static void useExtrema(FusedOp op) {
  for (auto clamp :
       llvm::make_early_inc_range(op.getBlock()->getOps<math::ClampFOp>())) {
    OpBuilder builder(clamp);
    Value low =
        arith::MaximumFOp::create(builder, clamp.getLoc(), clamp.getValue(),
                                  clamp.getMin(), clamp.getFastmathAttr());
    Value both = arith::MinimumFOp::create(
        builder, clamp.getLoc(), low, clamp.getMax(), clamp.getFastmathAttr());
    clamp.replaceAllUsesWith(both);
    clamp.erase();
  }
}

/// Whether a number is finite, infinite or none, by comparisons.
static void useComparisons(FusedOp op) {
  for (Operation &nested : llvm::make_early_inc_range(*op.getBlock())) {
    if (!isa<math::IsNaNOp, math::IsInfOp, math::IsFiniteOp>(nested))
      continue;
    OpBuilder builder(&nested);
    Location loc = nested.getLoc();
    Value left = nested.getOperand(0);
    if (isHalf(left.getType()))
      left = arith::ExtFOp::create(builder, loc, builder.getF32Type(), left);
    Value right = left;
    auto predicate = arith::CmpFPredicate::UNO;
    if (!isa<math::IsNaNOp>(nested)) {
      auto type = cast<FloatType>(left.getType());
      left = math::AbsFOp::create(builder, loc, left);
      right = arith::ConstantOp::create(
          builder, loc,
          builder.getFloatAttr(type,
                               APFloat::getInf(type.getFloatSemantics())));
      predicate = isa<math::IsInfOp>(nested) ? arith::CmpFPredicate::OEQ
                                             : arith::CmpFPredicate::OLT;
    }
    nested.replaceAllUsesWith(ValueRange(
        arith::CmpFOp::create(builder, loc, predicate, left, right)));
    nested.erase();
  }
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// The product `value` as one of the factors with n, and one of the others and
/// the constant.
static std::pair<ProductTree, ProductTree>
splitByStates(Value value, const Dependence &dependence) {
  ProductTree inner(value, dependence), outer = inner;
  auto hasState = [](const Factor &f) { return f.axes.has(Axis::State); };
  llvm::erase_if(inner.factors, std::not_fn(hasState));
  llvm::erase_if(outer.factors, hasState);
  inner.constant = 1;
  return {inner, outer};
}

/// sum(v w) = sum(v) w, and sum(v / w) = sum(v) / w, for w without n; with
/// `keepsLoops` where as many loops over n come before sum(v).
static void hoistFromSum(SumOp sum, const Dependence &dependence,
                         bool keepsLoops) {
  auto hasState = [&](Value value) {
    return dependence.dependsOn(value, Axis::State);
  };
  if (!hasState(sum.getValue()) || isa<ComplexType>(sum.getType()))
    return;
  unsigned level = dependence.of(sum.getValue()).level;
  auto mayBecome = [&](unsigned own) { return !keepsLoops || own == level; };
  OpBuilder builder(sum);
  builder.setInsertionPointAfter(sum);
  if (auto quotient = sum.getValue().getDefiningOp<arith::DivFOp>();
      quotient && !hasState(quotient.getRhs())) {
    if (!mayBecome(dependence.of(quotient.getLhs()).level))
      return;
    Value total =
        SumOp::create(builder, sum.getLoc(), quotient.getLhs()).getResult();
    sum.replaceAllUsesWith(arith::DivFOp::create(builder, quotient.getLoc(),
                                                 total, quotient.getRhs(),
                                                 quotient.getFastmathAttr())
                               .getResult());
    return;
  }
  if (!ProductTree::isInner(sum.getValue().getDefiningOp()))
    return;
  auto [inner, outer] = splitByStates(sum.getValue(), dependence);
  if (outer.factors.empty() && outer.constant == 1)
    return;
  unsigned own = 0;
  for (const Factor &factor : inner.factors)
    own = std::max(own, dependence.of(factor.value).level);
  if (!mayBecome(own))
    return;
  Value total = SumOp::create(
      builder, sum.getLoc(), inner.build(builder, sum.getLoc(), sum.getType()));
  AxisSet axes = dependence.of(sum.getResult()).axes;
  outer.factors.push_back({total, axes});
  sum.replaceAllUsesWith(outer.build(builder, sum.getLoc(), sum.getType()));
}

static void hoistFromSums(FusedOp op, bool keepsLoops) {
  Dependence dependence(op);
  SmallVector<SumOp> sums = llvm::to_vector(op.getBlock()->getOps<SumOp>());
  // Backward: a sum's replacement is no operand of what is still to come.
  for (SumOp sum : llvm::reverse(sums))
    hoistFromSum(sum, dependence, keepsLoops);
}

/// The factors with n, in some order.
static SmallVector<Value> stateFactors(const ProductTree &tree) {
  SmallVector<Value> values;
  for (const Factor &factor : tree.factors)
    if (factor.axes.has(Axis::State))
      values.push_back(factor.value);
  llvm::sort(values, [](Value a, Value b) {
    return a.getAsOpaquePointer() < b.getAsOpaquePointer();
  });
  return values;
}

/// Where the body has sum(v): sum(x + v w) = sum(x) + sum(v) w.
static void splitSum(SumOp sum, ArrayRef<SumOp> sums,
                     const Dependence &dependence) {
  auto added = sum.getValue().getDefiningOp<arith::AddFOp>();
  if (!added || !added->hasOneUse())
    return;
  for (auto [own, rest] : {std::pair(added.getLhs(), added.getRhs()),
                           std::pair(added.getRhs(), added.getLhs())}) {
    auto [inner, outer] = splitByStates(own, dependence);
    SmallVector<Value> wanted = stateFactors(inner);
    bool isKnown = llvm::any_of(sums, [&](SumOp other) {
      return other != sum &&
             stateFactors(ProductTree(other.getValue(), dependence)) == wanted;
    });
    if (wanted.empty() || !isKnown)
      continue;
    OpBuilder builder(sum->getBlock(), std::next(sum->getIterator()));
    Location loc = sum.getLoc();
    Value left = SumOp::create(builder, loc, rest);
    Value common =
        SumOp::create(builder, loc, inner.build(builder, loc, sum.getType()));
    outer.factors.push_back({common, dependence.of(sum.getResult()).axes});
    Value right = outer.build(builder, loc, sum.getType());
    sum.replaceAllUsesWith(arith::AddFOp::create(builder, loc, left, right,
                                                 added.getFastmathAttr())
                               .getResult());
    return;
  }
}

static void splitSums(FusedOp op) {
  Dependence dependence(op);
  SmallVector<SumOp> sums = llvm::to_vector(op.getBlock()->getOps<SumOp>());
  for (SumOp sum : llvm::reverse(sums))
    if (dependence.dependsOn(sum.getValue(), Axis::State) &&
        !isa<ComplexType>(sum.getType()))
      splitSum(sum, sums, dependence);
}

/// A sum without its factors may be known a loop over n earlier, and so may
/// states that read it, which a later sum then finds gone: there, only what
/// leaves each value in its loop.
static void simplifySums(FusedOp op) {
  auto before = cast<FusedOp>(op->clone());
  hoistFromSums(op, /*keepsLoops=*/false);
  eraseDead(op.getBlock());
  splitSums(op);
  eraseDead(op.getBlock());
  if (!Dependence(op).isInOrder()) {
    op.getBody().takeBody(before.getBody());
    hoistFromSums(op, /*keepsLoops=*/true);
    eraseDead(op.getBlock());
  }
  before->erase();
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

/// The recurrence `op` as one that gives the states behind each step.
static RecurrenceOp behindSteps(RecurrenceOp op) {
  for (RecurrenceOp other : scannedWith(op))
    if (!other.getExclusive())
      return other;
  OpBuilder builder(op);
  return RecurrenceOp::create(builder, op.getLoc(), op.getState().getType(),
                              op.getLast().getType(), op.getA(), op.getB(),
                              op.getInit(), op.getReverseAttr(), UnitAttr());
}

/// A product with a (h + g), where that is the next state: it takes the state.
static void useStateIn(Operation *root, RecurrenceOp scan, Value entered,
                       const Dependence &dependence) {
  ProductTree tree(root->getResult(0), dependence);
  auto take = [&](Value value) {
    auto *it = llvm::find_if(tree.factors, [&](const Factor &factor) {
      return factor.value == value;
    });
    if (it == tree.factors.end())
      return false;
    tree.factors.erase(it);
    return true;
  };
  if (!take(entered) || !take(scan.getA()))
    return;
  Value state = behindSteps(scan).getState();
  tree.factors.push_back({state, dependence.of(entered).axes});
  OpBuilder builder(root);
  root->getResult(0).replaceAllUsesWith(
      tree.build(builder, root->getLoc(), state.getType()));
}

static void useStates(FusedOp op) {
  for (RecurrenceOp scan :
       llvm::to_vector(op.getBlock()->getOps<RecurrenceOp>())) {
    std::optional<EnteredState> entered = findEntered(scan);
    if (!entered || scanOf(scan) != scan)
      continue;
    Dependence dependence(op);
    auto products = llvm::to_vector(op.getBlock()->getOps<arith::MulFOp>());
    for (arith::MulFOp root : llvm::reverse(products))
      if (root != scan.getB().getDefiningOp() && !root.use_empty())
        useStateIn(root, scan, entered->sum, dependence);
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// exp2(x c), with c free of l and x free of n: lowerings get the decay over
/// many steps from one exponential of c times the sum of x.
static bool isSplitExponent(Value exponent, const Dependence &dependence) {
  auto product = exponent.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  auto isFree = [&](Value value, Axis axis) {
    return !dependence.dependsOn(value, axis);
  };
  Value a = product.getLhs(), b = product.getRhs();
  return (isFree(a, Axis::State) && isFree(b, Axis::Length)) ||
         (isFree(b, Axis::State) && isFree(a, Axis::Length));
}

static void orderProduct(Operation *root, const Dependence &dependence,
                         llvm::DenseSet<Operation *> &done) {
  Value value = root->getResult(0);
  ProductTree tree(value, dependence);
  done.insert_range(tree.ops);
  bool isBetter = tree.costOfBuild() < tree.cost;
  if (value.hasOneUse() && isa<math::Exp2Op>(*value.user_begin()) &&
      !isSplitExponent(value, dependence)) {
    // x = delta A may have other uses: with one more product a channel,
    // exp2(x log2 e) is exp2(delta (A log2 e)) for as many a state.
    ProductTree shared(value, dependence, /*throughShared=*/true);
    if (shared.costOfBuild() <= 1.01 * tree.cost) {
      tree = std::move(shared);
      isBetter = true;
    }
  }
  if (!isBetter)
    return;
  OpBuilder builder(root);
  value.replaceAllUsesWith(
      tree.build(builder, root->getLoc(), value.getType()));
}

static void orderProducts(FusedOp op) {
  Dependence dependence(op);
  llvm::DenseSet<Operation *> done;
  SmallVector<Operation *> ops;
  for (Operation &nested : llvm::reverse(*op.getBlock()))
    ops.push_back(&nested);
  for (Operation *nested : ops)
    if (ProductTree::isInner(nested) && !done.contains(nested))
      orderProduct(nested, dependence, done);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct SimplifyBodyPass : ssm::impl::SimplifyBodyPassBase<SimplifyBodyPass> {
  void runOnOperation() override {
    getOperation()->walk([](FusedOp op) {
      joinEqual(op);
      useExp2(op);
      useExtrema(op);
      useComparisons(op);
      simplifySums(op);
      useStates(op);
      eraseDead(op.getBlock());
      orderProducts(op);
      eraseDead(op.getBlock());
      joinEqual(op);
    });
  }

private:
  /// Each rewrite looks at the number of a value's uses, so equal values must
  /// be one.
  static void joinEqual(FusedOp op) {
    IRRewriter rewriter(op.getContext());
    DominanceInfo dominance(op);
    eliminateCommonSubExpressions(rewriter, dominance, op);
  }
};
} // namespace
