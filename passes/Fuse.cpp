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

static bool isStored(Type element) {
  Type real = realTypeOf(element);
  return isa<Float32Type, Float64Type>(real) ||
         (real == element && isa<Float16Type, BFloat16Type>(real));
}

namespace {
/// Checks the tensors of a stage against each other: the extents of an axis
/// agree, and kernels can hold them in memory.
class TensorCheck {
public:
  LogicalResult add(Location loc, Type tensor, AccessAttr access);
  /// Behind all tensors: each one's groups divide the channels.
  LogicalResult verifyGroups() const;

private:
  SmallVector<int64_t> extents =
      SmallVector<int64_t>(getMaxEnumValForAxis() + 1, ShapedType::kDynamic);
  /// Where the types say how many there are.
  SmallVector<std::tuple<Location, RankedTensorType, int64_t>> groups;
};
} // namespace

LogicalResult TensorCheck::add(Location loc, Type tensor, AccessAttr access) {
  auto type = cast<RankedTensorType>(tensor);
  if (!isStored(type.getElementType()))
    return emitError(loc, "cannot be fused: a kernel would read or write ")
           << type
           << ", expected f16, bf16, f32, f64 or complex of the last "
              "two in memory";
  for (auto [extent, axis] : llvm::zip(type.getShape(), access.getAxes())) {
    bool isCounted = axis == Axis::State || axis == Axis::Group;
    if (isCounted && (extent == ShapedType::kDynamic || extent < 1))
      return emitError(loc, "cannot be fused: ")
             << type << " has a dynamic or empty extent of axis "
             << stringifyAxis(axis) << ", expected a static positive one";
    int64_t &known = extents[static_cast<unsigned>(axis)];
    // Each tensor may have groups of its own.
    if (axis == Axis::Group)
      groups.emplace_back(loc, type, extent);
    if (extent == ShapedType::kDynamic || axis == Axis::Group)
      continue;
    if (known != ShapedType::kDynamic && known != extent)
      return emitError(loc, "cannot be fused: ")
             << type << " has extent " << extent << " of axis "
             << stringifyAxis(axis) << ", expected " << known
             << " as in another tensor of the kernel";
    known = extent;
  }
  return success();
}

LogicalResult TensorCheck::verifyGroups() const {
  int64_t channels = extents[static_cast<unsigned>(Axis::Channel)];
  for (auto [loc, type, count] : groups)
    if (channels != ShapedType::kDynamic && channels % count != 0)
      return emitError(loc, "cannot be fused: ")
             << type << " has " << count << " groups, which do not divide the "
             << channels << " channels of another tensor of the kernel";
  return success();
}

static LogicalResult verifyTensors(const Stage &stage) {
  TensorCheck check;
  for (auto [value, access] : stage.inputs)
    if (failed(check.add(value.getLoc(), value.getType(), access)))
      return failure();
  for (const StageOutput &output : stage.outputs)
    if (failed(check.add(output.value.getLoc(), output.type, output.access)))
      return failure();
  return check.verifyGroups();
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

/// Folders make constants that lie nowhere, and an error may speak of them.
static void giveLocations(func::FuncOp function) {
  function.walk([&](Operation *op) {
    if (isa<UnknownLoc>(op->getLoc()))
      op->setLoc(function.getLoc());
  });
}

LogicalResult FusePass::fuse(func::FuncOp function) {
  giveLocations(function);
  FailureOr<SmallVector<Operation *>> ops = collectModel(function);
  if (failed(ops))
    return failure();
  FailureOr<FuseAxes> axes = FuseAxes::infer(function, *ops);
  if (failed(axes))
    return failure();
  SmallVector<Stage> stages = planStages(function, *ops, *axes);
  for (const Stage &stage : stages)
    if (failed(verifyTensors(stage)) ||
        failed(verifyExtents(function, stage, *axes)))
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
