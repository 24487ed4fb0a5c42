//===- Fuse.cpp - Model IR to fused ops -----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pass itself: collect the model, infer axes, split into stages, write one
// fused op a stage, and drop the model.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "dialect/Dependence.h"
#include "passes/FuseAxes.h"
#include "passes/FuseBody.h"
#include "passes/FuseModel.h"
#include "passes/FuseStages.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_FUSEPASS
#include "passes/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// True where only fused ops and the return are left.
static bool isFused(func::FuncOp function) {
  Block &block = function.getBody().front();
  return function.getBody().hasOneBlock() &&
         !block.without_terminator().empty() &&
         llvm::all_of(block.without_terminator(), llvm::IsaPred<FusedOp>);
}

/// A kernel takes its extents from what it reads: each axis of an output, and
/// the states of what it computes, must be axes of an input (C5).
static LogicalResult verifyExtents(func::FuncOp function, const Stage &stage,
                                   const FuseAxes &axes) {
  AxisSet known;
  for (auto [value, access] : stage.inputs)
    for (Axis axis : access.getAxes())
      known.insert(axis);
  auto report = [&](Location loc, Axis axis) {
    return emitError(loc, "cannot be fused: nothing that the kernel reads has "
                          "the axis ")
           << stringifyAxis(axis)
           << ", so its extent is unknown; pass a constant that has it as an "
              "argument";
  };
  for (const StageOutput &output : stage.outputs)
    for (Axis axis : output.access.getAxes())
      // How many groups a total has is in its type.
      if (!known.has(pointAxis(axis)))
        return report(function.getLoc(), axis);
  for (Operation *op : stage.ops) {
    if (isa<ScanOp>(op) && !known.has(Axis::Length))
      return report(op->getLoc(), Axis::Length);
    // A sum runs over n, whatever its operands depend on.
    bool hasStates =
        axes.summedBy(op).has(Axis::State) ||
        (isa<ScanOp>(op) && axes.of(op->getResult(0)).has(Axis::State));
    if (hasStates && !known.has(Axis::State))
      return report(op->getLoc(), Axis::State);
  }
  return success();
}

/// Builds the fused ops before the return and makes it return their results.
static void buildStages(func::FuncOp function, ArrayRef<Stage> stages,
                        const FuseAxes &axes) {
  Operation *terminator = function.getBody().front().getTerminator();
  OpBuilder builder(terminator);
  DenseMap<Value, Value> tensors;
  for (const Stage &stage : stages) {
    // Later stages may do better to compute all of it again.
    if (stage.outputs.empty())
      continue;
    FusedOp fused =
        buildFused(builder, function.getLoc(), stage, axes, tensors);
    for (auto [output, result] : llvm::zip(stage.outputs, fused.getResults())) {
      // A returned argument is still read where it is.
      if (output.value.getDefiningOp())
        tensors.try_emplace(output.value, result);
      if (output.returned)
        output.returned->set(result);
    }
  }
}

/// Arguments keep the names that locations give them: later stages print them.
static void nameArguments(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments()) {
    auto name = dyn_cast<NameLoc>(argument.getLoc());
    unsigned i = argument.getArgNumber();
    if (name && !function.getArgAttr(i, kNameAttrName))
      function.setArgAttr(i, kNameAttrName, name.getName());
  }
}

namespace {
struct FusePass : ssm::impl::FusePassBase<FusePass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || isFused(function))
      return markAllAnalysesPreserved();
    if (failed(fuse(function)))
      signalPassFailure();
  }

private:
  static LogicalResult fuse(func::FuncOp function);
};
} // namespace

LogicalResult FusePass::fuse(func::FuncOp function) {
  FailureOr<SmallVector<Operation *>> ops = collectModel(function);
  if (failed(ops))
    return failure();
  FailureOr<FuseAxes> axes = FuseAxes::infer(function, *ops);
  if (failed(axes))
    return failure();
  SmallVector<Stage> stages = planStages(function, *ops, *axes);
  for (const Stage &stage : stages)
    if (failed(verifyExtents(function, stage, *axes)))
      return failure();
  SmallVector<Operation *> model =
      llvm::map_to_vector(function.getBody().front().without_terminator(),
                          [](Operation &op) { return &op; });
  buildStages(function, stages, *axes);
  for (Operation *op : llvm::reverse(model))
    op->erase();
  nameArguments(function);
  return success();
}
