//===- ExpandFused.cpp - Fused ops as model IR ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each value of the body becomes a tensor over the axes that it depends on, in
// the order b, l, d, n. An op of the body is a linalg.generic over the axes of
// its operands, a recurrence an ssm.scan, a sum a reduction.
//
//===----------------------------------------------------------------------===//

#include "passes/ExpandFused.h"

#include "dialect/Dependence.h"
#include "passes/DifferentiateModel.h"
#include "passes/ScalarBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Axes = SmallVector<Axis, 4>;

/// A tensor, and the axis of each of its dimensions.
struct AxisTensor {
  Value tensor;
  Axes axes;
  bool has(Axis axis) const { return llvm::is_contained(axes, axis); }
};

class FusedExpansion {
public:
  explicit FusedExpansion(FusedOp op) : op(op), builder(op) {}
  LogicalResult run();

private:
  LogicalResult expandInput(unsigned i);
  LogicalResult expandOp(Operation &nested);
  LogicalResult expandRecurrence(RecurrenceOp recurrence);
  LogicalResult expandTotal(TotalOp total);
  void expandSum(SumOp sum);
  LogicalResult expandResult(unsigned i, Value yielded);
  LogicalResult verifyExtents(ArrayRef<Axis> axes);
  void expandElementwise(Operation &nested);

  using Body = function_ref<Value(OpBuilder &, ValueRange)>;
  AxisTensor map(Location loc, ArrayRef<AxisTensor> inputs, ArrayRef<Axis> axes,
                 Type element, Body body);
  AxisTensor over(const AxisTensor &value, ArrayRef<Axis> axes);
  AxisTensor cast(const AxisTensor &value, Type element);
  AxisTensor reduce(Location loc, const AxisTensor &value, Axis axis);
  Value empty(ArrayRef<Axis> axes, Type element);
  Value extent(Axis axis);
  AffineMap mapOf(const AxisTensor &value, ArrayRef<Axis> loops);
  AxisTensor valueOf(Value value);

  FusedOp op;
  OpBuilder builder;
  llvm::DenseMap<Value, AxisTensor> known;
};

} // namespace

static constexpr Axis kOrder[] = {Axis::Batch, Axis::Length, Axis::Channel,
                                  Axis::State};

/// Of b, l, d, n those that `isIn` holds for.
static Axes axesWhere(function_ref<bool(Axis)> isIn) {
  return Axes(llvm::make_filter_range(kOrder, isIn));
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The first input that has the axis tells its extent.
Value FusedExpansion::extent(Axis axis) {
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    if (int64_t dim = op.inputAccess(i).dimOf(axis); dim >= 0)
      return tensor::DimOp::create(builder, op.getLoc(), input, dim);
  llvm_unreachable("verifyExtents() has found one");
}

LogicalResult FusedExpansion::verifyExtents(ArrayRef<Axis> axes) {
  for (Axis axis : axes)
    if (llvm::none_of(op.getInputAccesses().getAsRange<AccessAttr>(),
                      [&](AccessAttr access) { return access.has(axis); }))
      return op.emitError("cannot be expanded to model IR: no input has the "
                          "axis ")
             << stringifyAxis(axis) << ", which a tensor of it needs";
  return success();
}

Value FusedExpansion::empty(ArrayRef<Axis> axes, Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  for (Axis axis : axes) {
    shape.push_back(op.axisExtent(axis));
    if (ShapedType::isDynamic(shape.back()))
      dynamic.push_back(extent(axis));
  }
  return tensor::EmptyOp::create(
      builder, op.getLoc(), RankedTensorType::get(shape, element), dynamic);
}

/// From loops over `loops` to the dimensions of `value`.
AffineMap FusedExpansion::mapOf(const AxisTensor &value, ArrayRef<Axis> loops) {
  SmallVector<unsigned> targets;
  for (Axis axis : value.axes)
    targets.push_back(llvm::find(loops, axis) - loops.begin());
  return AffineMap::getMultiDimMapWithTargets(loops.size(), targets,
                                              builder.getContext());
}

/// Elements over `axes`, from those of `inputs` at the same point.
AxisTensor FusedExpansion::map(Location loc, ArrayRef<AxisTensor> inputs,
                               ArrayRef<Axis> axes, Type element, Body body) {
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const AxisTensor &input : inputs) {
    tensors.push_back(input.tensor);
    maps.push_back(mapOf(input, axes));
  }
  maps.push_back(builder.getMultiDimIdentityMap(axes.size()));
  Value out = empty(axes, element);
  SmallVector<utils::IteratorType> loops(axes.size(),
                                         utils::IteratorType::parallel);
  auto build = [&](OpBuilder &nested, Location, ValueRange elements) {
    linalg::YieldOp::create(nested, loc, body(nested, elements.drop_back()));
  };
  Value result = linalg::GenericOp::create(builder, loc, out.getType(), tensors,
                                           out, maps, loops, build)
                     .getResult(0);
  return {result, Axes(axes)};
}

/// The same over `axes`, in their order.
AxisTensor FusedExpansion::over(const AxisTensor &value, ArrayRef<Axis> axes) {
  if (ArrayRef<Axis>(value.axes) == axes)
    return value;
  return map(op.getLoc(), value, axes, getElementTypeOrSelf(value.tensor),
             [](OpBuilder &, ValueRange x) { return x[0]; });
}

/// The same in another precision.
AxisTensor FusedExpansion::cast(const AxisTensor &value, Type element) {
  Type from = getElementTypeOrSelf(value.tensor);
  if (from == element)
    return value;
  Location loc = op.getLoc();
  bool widens = from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth();
  return map(loc, value, value.axes, element,
             [&](OpBuilder &body, ValueRange x) -> Value {
               if (widens)
                 return arith::ExtFOp::create(body, loc, element, x[0]);
               return arith::TruncFOp::create(body, loc, element, x[0]);
             });
}

AxisTensor FusedExpansion::reduce(Location loc, const AxisTensor &value,
                                  Axis axis) {
  Axes rest(llvm::make_filter_range(value.axes,
                                    [&](Axis own) { return own != axis; }));
  Type element = getElementTypeOrSelf(value.tensor);
  Value zero = zeroOf(builder, loc, element);
  Value start = linalg::FillOp::create(builder, loc, zero, empty(rest, element))
                    .getResult(0);
  SmallVector<utils::IteratorType> loops;
  for (Axis own : value.axes)
    loops.push_back(own == axis ? utils::IteratorType::reduction
                                : utils::IteratorType::parallel);
  SmallVector<AffineMap> maps = {mapOf(value, value.axes),
                                 mapOf({start, rest}, value.axes)};
  auto add = [&](OpBuilder &nested, Location, ValueRange x) {
    linalg::YieldOp::create(nested, loc,
                            ScalarBuilder(nested, loc).add(x[1], x[0]));
  };
  Value sum = linalg::GenericOp::create(builder, loc, start.getType(),
                                        value.tensor, start, maps, loops, add)
                  .getResult(0);
  return {sum, rest};
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// What groups have is spread over their channels first.
LogicalResult FusedExpansion::expandInput(unsigned i) {
  AccessAttr access = op.inputAccess(i);
  AxisTensor input = {op.getInputs()[i], Axes(access.getAxes())};
  if (access.has(Axis::Segment))
    return op.emitError("cannot be expanded to model IR: input ")
           << i << " has saved states, with an axis l/T";
  if (!access.has(Axis::Group)) {
    known[op.getBlock()->getArgument(i)] = input;
    return success();
  }
  Axes grouped = {Axis::Batch, Axis::Length, Axis::Group, Axis::State};
  Axes full(ArrayRef<Axis>{kOrder});
  if (failed(verifyExtents(grouped)) || failed(verifyExtents(full)))
    return failure();
  Type element = getElementTypeOrSelf(input.tensor);
  // The op takes numbers of the body's width.
  Type wide = element.isF16() || element.isBF16() ? Type(builder.getF32Type())
                                                  : element;
  input = cast(over(input, grouped), wide);
  Value like = empty(ArrayRef(full).drop_back(), wide);
  Value spread = SpreadGroupsOp::create(
      builder, op.getLoc(), empty(full, wide).getType(), input.tensor, like);
  // Stays so: gradients of its channels are summed before they are rounded.
  known[op.getBlock()->getArgument(i)] = {spread, full};
  return success();
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

/// A value of the body; a constant is a tensor without axes.
AxisTensor FusedExpansion::valueOf(Value value) { return known.at(value); }

void FusedExpansion::expandElementwise(Operation &nested) {
  if (isa<arith::ExtFOp>(nested))
    if (AxisTensor wide = valueOf(nested.getOperand(0));
        getElementTypeOrSelf(wide.tensor) == nested.getResult(0).getType()) {
      known[nested.getResult(0)] = wide;
      return;
    }
  SmallVector<AxisTensor> inputs;
  SmallVector<Value> operands;
  for (Value operand : nested.getOperands())
    if (auto constant = operand.getDefiningOp();
        !constant || !constant->hasTrait<OpTrait::ConstantLike>()) {
      inputs.push_back(cast(valueOf(operand), operand.getType()));
      operands.push_back(operand);
    }
  Axes axes = axesWhere([&](Axis axis) {
    return llvm::any_of(
        inputs, [&](const AxisTensor &input) { return input.has(axis); });
  });
  Value result = nested.getResult(0);
  known[result] =
      map(nested.getLoc(), inputs, axes, result.getType(),
          [&](OpBuilder &body, ValueRange elements) {
            IRMapping mapping;
            mapping.map(operands, elements);
            for (Value operand : nested.getOperands())
              if (!mapping.contains(operand))
                mapping.map(operand,
                            body.clone(*operand.getDefiningOp())->getResult(0));
            return body.clone(nested, mapping)->getResult(0);
          });
}

LogicalResult FusedExpansion::expandRecurrence(RecurrenceOp recurrence) {
  AxisTensor a = valueOf(recurrence.getA()), b = valueOf(recurrence.getB());
  bool hasStates =
      a.has(Axis::State) || b.has(Axis::State) ||
      (recurrence.getInit() && valueOf(recurrence.getInit()).has(Axis::State));
  auto isState = [&](Axis axis) { return axis != Axis::State || hasStates; };
  Axes full = axesWhere(isState), last = full;
  llvm::erase(last, Axis::Length);
  if (failed(verifyExtents(full)))
    return failure();
  a = over(a, full);
  b = over(b, full);
  Value init;
  if (recurrence.getInit()) {
    AxisTensor start = valueOf(recurrence.getInit());
    if (start.has(Axis::Length))
      return recurrence.emitOpError("cannot be expanded to model IR: its init "
                                    "is of groups");
    init = over(start, last).tensor;
  }
  auto scan = ScanOp::create(
      builder, recurrence.getLoc(),
      TypeRange{a.tensor.getType(),
                empty(last, getElementTypeOrSelf(a.tensor)).getType()},
      a.tensor, b.tensor, init, recurrence.getReverseAttr(),
      recurrence.getExclusiveAttr(), /*every=*/IntegerAttr());
  known[recurrence.getState()] = {scan.getStates(), full};
  known[recurrence.getLast()] = {scan.getLast(), last};
  return success();
}

/// Rounds once, as the op does.
LogicalResult FusedExpansion::expandTotal(TotalOp total) {
  AxisTensor sum = valueOf(total.getValue());
  Location loc = total.getLoc();
  if (total.getAxes().has(Axis::Group)) {
    Axes full(ArrayRef<Axis>{kOrder});
    if (total.getAxes().rank() > 1 ||
        ArrayRef<Axis>(sum.axes) != ArrayRef(full))
      return total.emitOpError("cannot be expanded to model IR: found a total "
                               "over groups and other axes, or of what lacks "
                               "some of b, l, d, n");
    Axes grouped = {Axis::Batch, Axis::Length, Axis::Group, Axis::State};
    Type type = empty(grouped, total.getValue().getType()).getType();
    sum = {SumGroupsOp::create(builder, loc, type, sum.tensor), grouped};
  } else {
    for (Axis axis : total.getAxes().getAxes())
      sum = reduce(loc, sum, axis);
  }
  known[total.getResult()] = cast(sum, total.getResult().getType());
  return success();
}

/// What has no n counts once a state.
void FusedExpansion::expandSum(SumOp sum) {
  AxisTensor value = valueOf(sum.getValue());
  Location loc = sum.getLoc();
  if (value.has(Axis::State)) {
    known[sum] = reduce(loc, value, Axis::State);
    return;
  }
  auto count = static_cast<double>(op.stateExtent());
  known[sum] = map(loc, value, value.axes, sum.getType(),
                   [&](OpBuilder &body, ValueRange x) {
                     return ScalarBuilder(body, loc).mul(count, x[0]);
                   });
}

LogicalResult FusedExpansion::expandOp(Operation &nested) {
  if (auto recurrence = dyn_cast<RecurrenceOp>(nested))
    return expandRecurrence(recurrence);
  if (auto total = dyn_cast<TotalOp>(nested))
    return expandTotal(total);
  if (auto sum = dyn_cast<SumOp>(nested)) {
    expandSum(sum);
    return success();
  }
  // A tensor for those that read it as such; others have it in their body.
  expandElementwise(nested);
  return success();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

LogicalResult FusedExpansion::expandResult(unsigned i, Value yielded) {
  AccessAttr access = op.resultAccess(i);
  AxisTensor value = valueOf(yielded);
  for (Axis axis : value.axes)
    if (!access.has(axis))
      return op.emitError("cannot be expanded to model IR: result ")
             << i << " lacks the axis " << stringifyAxis(axis)
             << ", which the states that it is computed from have";
  if (access.has(Axis::Segment))
    return op.emitError("cannot be expanded to model IR: result ")
           << i << " has an axis l/T";
  Value result = over(value, access.getAxes()).tensor;
  Type type = op.getResult(i).getType();
  if (result.getType() != type)
    result = tensor::CastOp::create(builder, op.getLoc(), type, result);
  op.getResult(i).replaceAllUsesWith(result);
  return success();
}

LogicalResult FusedExpansion::run() {
  for (unsigned i = 0; i < op.getInputs().size(); ++i)
    if (failed(expandInput(i)))
      return failure();
  Block &block = *op.getBlock();
  for (Operation &nested : block.without_terminator())
    if (failed(expandOp(nested)))
      return failure();
  for (auto [i, yielded] :
       llvm::enumerate(block.getTerminator()->getOperands()))
    if (failed(expandResult(i, yielded)))
      return failure();
  op.erase();
  return success();
}

LogicalResult mlir::ssm::expandFused(Block &block) {
  for (FusedOp op : llvm::to_vector(block.getOps<FusedOp>()))
    if (failed(FusedExpansion(op).run()))
      return failure();
  return success();
}
