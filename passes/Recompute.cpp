//===- Recompute.cpp - What a function saves for its gradients ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// @f_backward begins with the scans of @f. Where both compute a scan from the
// same arguments in the same way, @f saves some of its states, and @f_backward
// starts from these, wherever its tiles begin.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "dialect/SSMDialect.h"
#include "passes/DifferentiateModel.h"
#include "passes/ExpandFused.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_RECOMPUTEPASS
#include "passes/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Which values of a backward function its forward function has as well.
class SharedValues {
public:
  SharedValues(func::FuncOp forward, func::FuncOp backward);
  /// The forward scan of the same states as `scan`, or null.
  ScanOp scanLike(ScanOp scan);

private:
  Value forwardOf(Value value) const { return shared.lookup(value); }
  bool isSame(Operation &own, Operation &other) const;

  func::FuncOp forward;
  DenseMap<Value, Value> shared;
};

} // namespace

/// The same op on shared operands.
bool SharedValues::isSame(Operation &own, Operation &other) const {
  // Of its regions.
  DenseMap<Value, Value> nested;
  return OperationEquivalence::isEquivalentTo(
      &own, &other,
      [&](Value a, Value b) {
        return success(forwardOf(a) == b || nested.lookup(a) == b);
      },
      [&](Value a, Value b) { nested[a] = b; },
      OperationEquivalence::IgnoreLocations);
}

SharedValues::SharedValues(func::FuncOp forward, func::FuncOp backward)
    : forward(forward) {
  for (auto [own, other] :
       llvm::zip(backward.getArguments().take_front(forward.getNumArguments()),
                 forward.getArguments()))
    shared[own] = other;
  for (Operation &own : backward.getBody().front().without_terminator())
    for (Operation &other : forward.getBody().front().without_terminator())
      if (isSame(own, other)) {
        for (auto [a, b] : llvm::zip(own.getResults(), other.getResults()))
          shared[a] = b;
        break;
      }
}

ScanOp SharedValues::scanLike(ScanOp scan) {
  for (ScanOp other : forward.getBody().front().getOps<ScanOp>())
    if (scan.getReverse() == other.getReverse() &&
        scan->getNumOperands() == other->getNumOperands() &&
        llvm::all_of(llvm::zip(scan->getOperands(), other->getOperands()),
                     [&](auto pair) {
                       return forwardOf(std::get<0>(pair)) == std::get<1>(pair);
                     }))
      return other;
  return nullptr;
}

/// Appends `value` to what `function` returns.
static void addResult(func::FuncOp function, Value value, StringAttr name) {
  function.getBody().front().getTerminator()->insertOperands(
      function.getNumResults(), value);
  DictionaryAttr attributes = DictionaryAttr::get(
      function.getContext(),
      NamedAttribute(StringAttr::get(function.getContext(), kNameAttrName),
                     name));
  (void)function.insertResult(function.getNumResults(), value.getType(),
                              attributes);
}

/// Makes `scan` save its states every so many steps; gives the new op.
static ScanOp makeSaving(ScanOp scan, int64_t every) {
  OpBuilder builder(scan);
  auto type = cast<RankedTensorType>(scan.getStates().getType());
  auto saving = ScanOp::create(
      builder, scan.getLoc(), scan.getStates().getType(),
      scan.getLast().getType(), savedType(type, every), scan.getA(),
      scan.getB(), scan.getInit(), scan.getReverseAttr(),
      scan.getExclusiveAttr(), builder.getI64IntegerAttr(every));
  scan.replaceAllUsesWith(saving.getResults().take_front(2));
  scan.erase();
  return saving;
}

/// Lets scans of `backward` start from what `forward` saves.
static void save(func::FuncOp forward, func::FuncOp backward, int64_t every) {
  SharedValues shared(forward, backward);
  llvm::MapVector<Operation *, SmallVector<ScanOp>> found;
  for (ScanOp scan : backward.getBody().front().getOps<ScanOp>())
    if (ScanOp like = shared.scanLike(scan); like && !like.getEvery())
      found[like].push_back(scan);
  Builder builder(forward.getContext());
  for (auto [number, entry] : llvm::enumerate(found)) {
    ScanOp saving = makeSaving(cast<ScanOp>(entry.first), every);
    StringAttr name = builder.getStringAttr("saved" + Twine(number));
    addResult(forward, saving.getSaved(), name);
    NamedAttribute attribute(builder.getStringAttr(kNameAttrName), name);
    unsigned last = backward.getNumArguments();
    (void)backward.insertArgument(last, saving.getSaved().getType(),
                                  builder.getDictionaryAttr(attribute),
                                  saving.getLoc());
    for (ScanOp scan : entry.second) {
      scan.getInitMutable().assign(backward.getArgument(last));
      scan.setEvery(every);
    }
  }
}

/// Drops what computed the states that are saved now, and arguments that
/// nothing reads.
static void dropUnread(func::FuncOp function) {
  dropDead(function.getBody().front());
  for (unsigned i = function.getNumArguments(); i-- > 0;)
    if (function.getArgument(i).use_empty())
      (void)function.eraseArgument(i);
}

/// Expands the fused ops of `function`, as its gradients' were: scans are
/// compared. What expansion writes twice would not be the same as once.
static LogicalResult expandFunction(func::FuncOp function) {
  Block &block = function.getBody().front();
  if (block.getOps<FusedOp>().empty())
    return success();
  if (failed(expandFused(block)))
    return failure();
  IRRewriter rewriter(function.getContext());
  DominanceInfo dominance(function);
  eliminateCommonSubExpressions(rewriter, dominance, function);
  dropDead(block);
  return success();
}

namespace {
struct RecomputePass : ssm::impl::RecomputePassBase<RecomputePass> {
  using RecomputePassBase::RecomputePassBase;
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (every < 0) {
      module.emitError("cannot save states every ")
          << int64_t(every)
          << " steps, expected a positive number, or 0 for none";
      return signalPassFailure();
    }
    for (auto forward : llvm::to_vector(module.getOps<func::FuncOp>())) {
      auto backward = module.lookupSymbol<func::FuncOp>(
          (forward.getName() + "_backward").str());
      auto isOneBlock = [](func::FuncOp function) {
        return function.getBody().hasOneBlock();
      };
      if (!backward || !isOneBlock(forward) || !isOneBlock(backward) ||
          backward.getNumArguments() < forward.getNumArguments())
        continue;
      if (every > 0) {
        if (failed(expandFunction(forward)))
          return signalPassFailure();
        save(forward, backward, every);
      }
      dropUnread(backward);
    }
  }
};
} // namespace
