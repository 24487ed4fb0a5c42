//===- FuseBody.cpp - The scalar body of a kernel -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/FuseBody.h"

#include "passes/Formulas.h"
#include "passes/FuseModel.h"
#include "passes/ScalarBuilder.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Writes the ops of a stage as scalar ops into a block.
class BodyWriter {
public:
  BodyWriter(OpBuilder &builder, const FuseAxes &axes)
      : builder(builder), axes(axes) {}

  void addInput(StageInput input, Value argument) { inputs[input] = argument; }
  void write(Operation *op);
  /// The element of a stage's output.
  Value element(const StageOutput &output) const {
    if (Value computed = scalars.lookupOrNull(output.value))
      return computed;
    return inputs.at({output.value, output.access});
  }

private:
  Value element(OpOperand &use) const;
  Factor factor(OpOperand &use) const;
  void writeDiscretize(DiscretizeOp op);
  void writeScan(ScanOp op);
  void writeLinalg(linalg::LinalgOp op);
  void writeSums(linalg::LinalgOp op, IRMapping &local);
  void writeSumGroups(SumGroupsOp op);
  AccessAttr totalAxes(Operation *op) const;
  bool writeRounded(Operation *op);
  void writeConstant(Operation *op);
  void writeElementwise(Operation *op);

  OpBuilder &builder;
  const FuseAxes &axes;
  DenseMap<StageInput, Value> inputs;
  /// Elements of the tensors computed so far, and scalars outside of regions.
  IRMapping scalars;
};

} // namespace

Value BodyWriter::element(OpOperand &use) const {
  Value value = stripCasts(use.get());
  if (Value computed = scalars.lookupOrNull(value))
    return computed;
  return inputs.at(
      {value, value.getDefiningOp() ? axes.of(value) : axes.of(use)});
}

Factor BodyWriter::factor(OpOperand &use) const {
  Factor factor{element(use), {}};
  Operation *producer = stripCasts(use.get()).getDefiningOp();
  if (producer && producer->hasTrait<OpTrait::ConstantLike>())
    return factor;
  for (Axis axis : axes.of(use).getAxes())
    factor.axes.insert(axis);
  return factor;
}

void BodyWriter::writeDiscretize(DiscretizeOp op) {
  System system{factor(op.getDeltaMutable()), factor(op.getAMutable()),
                factor(op.getBMutable()), factor(op.getUMutable())};
  auto [a, b] = buildDiscretize(builder, op.getLoc(), op.getRule(), system,
                                getElementTypeOrSelf(op.getABar()));
  scalars.map(op.getABar(), a);
  scalars.map(op.getBBar(), b);
}

void BodyWriter::writeScan(ScanOp op) {
  Value init = op.getInit() ? element(op.getInitMutable()[0]) : Value();
  Value a = element(op.getAMutable()), b = element(op.getBMutable());
  auto recurrence =
      RecurrenceOp::create(builder, op.getLoc(), a.getType(), a.getType(), a, b,
                           init, op.getReverseAttr(), op.getExclusiveAttr());
  scalars.map(op.getStates(), recurrence.getState());
  scalars.map(op.getLast(), recurrence.getLast());
  if (!op.getSaved())
    return;
  auto before = RecurrenceOp::create(
      builder, op.getLoc(), a.getType(), a.getType(), a, b, init,
      op.getReverseAttr(), /*exclusive=*/builder.getUnitAttr());
  scalars.map(op.getSaved(), before.getState());
}

void BodyWriter::writeLinalg(linalg::LinalgOp op) {
  IRMapping local;
  for (OpOperand &operand : op->getOpOperands())
    if (op.payloadUsesValueFromOperand(&operand))
      local.map(op.getMatchingBlockArgument(&operand), element(operand));
  forEachRead(op, [&](OpOperand &use) {
    if (use.getOwner() != op)
      local.map(use.get(), element(use));
  });
  for (Operation &nested : op.getBlock()->without_terminator())
    allowContraction(builder.clone(nested, local));
  if (op.getNumReductionLoops() > 0)
    return writeSums(op, local);
  for (auto [result, yielded] : llvm::zip(
           op->getResults(), op.getBlock()->getTerminator()->getOperands()))
    scalars.map(result, local.lookup(yielded));
}

/// The body added each term to what the result was at a point before: as a sum,
/// it is added once to what the result starts as.
void BodyWriter::writeSums(linalg::LinalgOp op, IRMapping &local) {
  for (OpResult result : op->getResults()) {
    unsigned number = result.getResultNumber();
    Value term = local.lookup(sumTerm(op, number));
    Value sum = term;
    if (axes.summedBy(op).has(Axis::State))
      sum = SumOp::create(builder, op.getLoc(), term);
    if (axes.isTotal(op)) {
      sum = TotalOp::create(builder, op.getLoc(), sum.getType(), sum,
                            totalAxes(op));
    } else if (Value start = element(*op.getDpsInitOperand(number));
               !isZero(start)) {
      sum = ScalarBuilder(builder, op.getLoc()).add(start, sum);
    }
    scalars.map(result, sum);
  }
}

void BodyWriter::writeSumGroups(SumGroupsOp op) {
  Value term = element(op.getValueMutable());
  auto total = TotalOp::create(builder, op.getLoc(), term.getType(), term,
                               totalAxes(op));
  scalars.map(op.getResult(), total.getResult());
}

/// What `op` sums over beside states.
AccessAttr BodyWriter::totalAxes(Operation *op) const {
  SmallVector<Axis> summed;
  for (Axis axis : {Axis::Batch, Axis::Length, Axis::Channel, Axis::Group})
    if (axes.summedBy(op).has(axis))
      summed.push_back(axis);
  return AccessAttr::get(op->getContext(), summed);
}

void BodyWriter::writeConstant(Operation *op) {
  auto splat = cast<SplatElementsAttr>(cast<arith::ConstantOp>(op).getValue());
  Type type = splat.getElementType();
  Attribute value = splat.getSplatValue<Attribute>();
  Value scalar;
  if (auto parts = dyn_cast<ArrayAttr>(value))
    scalar = complex::ConstantOp::create(builder, op->getLoc(), type, parts);
  else
    scalar = arith::ConstantOp::create(builder, op->getLoc(),
                                       cast<TypedAttr>(value));
  scalars.map(op->getResult(0), scalar);
}

/// The same op on elements, as its elementwise trait promises.
void BodyWriter::writeElementwise(Operation *op) {
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(element(operand));
  SmallVector<Type> types =
      llvm::map_to_vector(op->getResultTypes(),
                          [](Type type) { return getElementTypeOrSelf(type); });
  Operation *scalar =
      builder.create(op->getLoc(), op->getName().getIdentifier(), operands,
                     types, op->getAttrs());
  allowContraction(scalar);
  scalars.map(op->getResults(), scalar->getResults());
}

/// Rounds in the op that sums, where `op` does nothing but round a total.
bool BodyWriter::writeRounded(Operation *op) {
  Value value = roundedValue(op);
  Value sum = value ? scalars.lookupOrNull(value) : Value();
  auto total = sum ? sum.getDefiningOp<TotalOp>() : TotalOp();
  if (!total)
    return false;
  Value result = op->getResult(0);
  scalars.map(result, TotalOp::create(builder, op->getLoc(),
                                      getElementTypeOrSelf(result),
                                      total.getValue(), total.getAxes())
                          .getResult());
  return true;
}

void BodyWriter::write(Operation *op) {
  if (writeRounded(op))
    return;
  if (auto discretize = dyn_cast<DiscretizeOp>(op))
    return writeDiscretize(discretize);
  if (auto scan = dyn_cast<ScanOp>(op))
    return writeScan(scan);
  if (auto groups = dyn_cast<SpreadGroupsOp>(op))
    return scalars.map(groups.getResult(), element(groups.getValueMutable()));
  if (auto groups = dyn_cast<SumGroupsOp>(op))
    return writeSumGroups(groups);
  if (auto readout = dyn_cast<ReadoutOp>(op))
    return scalars.map(readout.getY(),
                       buildReadout(builder, op->getLoc(),
                                    element(readout.getStatesMutable()),
                                    element(readout.getCMutable())));
  if (auto gate = dyn_cast<GateOp>(op))
    return scalars.map(gate.getResult(),
                       buildGate(builder, op->getLoc(), gate.getActivation(),
                                 element(gate.getYMutable()),
                                 element(gate.getZMutable())));
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return writeLinalg(linalgOp);
  if (op->hasTrait<OpTrait::ConstantLike>() &&
      isa<RankedTensorType>(op->getResult(0).getType()))
    return writeConstant(op);
  writeElementwise(op);
}

FusedOp mlir::ssm::buildFused(OpBuilder &builder, Location loc,
                              const Stage &stage, const FuseAxes &axes,
                              const DenseMap<Value, Value> &tensors) {
  SmallVector<Value> inputs;
  SmallVector<Type> types;
  SmallVector<Attribute> inputAccesses, resultAccesses;
  for (auto [value, access] : stage.inputs) {
    auto tensor = tensors.find(value);
    inputs.push_back(tensor == tensors.end() ? value : tensor->second);
    inputAccesses.push_back(access);
  }
  for (const StageOutput &output : stage.outputs) {
    types.push_back(output.type);
    resultAccesses.push_back(output.access);
  }
  auto fused = FusedOp::create(builder, loc, types, inputs,
                               builder.getArrayAttr(inputAccesses),
                               builder.getArrayAttr(resultAccesses),
                               /*schedule=*/Attribute());
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&fused.getBody());
  BodyWriter writer(builder, axes);
  for (StageInput input : stage.inputs)
    writer.addInput(input, block->addArgument(getElementTypeOrSelf(input.first),
                                              input.first.getLoc()));
  for (Operation *op : stage.ops)
    writer.write(op);
  SmallVector<Value> yielded =
      llvm::map_to_vector(stage.outputs, [&](const StageOutput &output) {
        return writer.element(output);
      });
  YieldOp::create(builder, loc, yielded);
  return fused;
}
