//===- Reference.cpp - The reference device: an fp64 evaluator ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/Reference.h"

#include "codegen/reference/Evaluation.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

bool mlir::ssm::hasComplexElements(Type type) {
  return isa<ComplexType>(getElementTypeOrSelf(type));
}

ReferenceValue ReferenceValue::uniform(ArrayRef<int64_t> shape, Scalar value,
                                       bool isComplex) {
  ReferenceTensor tensor = ReferenceTensor::zeros({}, isComplex);
  tensor.set(0, value);
  tensor.shape.assign(shape.begin(), shape.end());
  return {std::make_shared<const ReferenceTensor>(std::move(tensor)),
          /*isUniform=*/true};
}

FailureOr<ReferenceTensor>
mlir::ssm::allocate(Operation *op, ArrayRef<int64_t> shape, bool isComplex) {
  // 16 GiB of doubles: beyond it, a slice tells as much.
  constexpr int64_t kMaxElements = int64_t(1) << 31;
  int64_t numElements = isComplex ? 2 : 1;
  for (int64_t extent : shape)
    if (extent < 0 || llvm::MulOverflow(numElements, extent, numElements))
      numElements = kMaxElements + 1;
  if (llvm::is_contained(shape, 0))
    numElements = 0;
  if (numElements > kMaxElements)
    return op->emitOpError("needs more than ")
           << kMaxElements
           << " numbers in the reference device; evaluate a slice of the "
              "problem";
  return ReferenceTensor::zeros(shape, isComplex);
}

/// "argument 1 ('delta')".
static std::string describeArgument(BlockArgument argument) {
  std::string text = "argument " + std::to_string(argument.getArgNumber());
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  if (!function)
    return text;
  if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                        kNameAttrName))
    text += " ('" + name.str() + "')";
  return text;
}

std::string mlir::ssm::describe(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    // Conversions keep the shape: what is wrong is wrong with their source.
    if (op->getNumOperands() != 1 || !isa<CastOpInterface>(op))
      return ("the result of '" + op->getName().getStringRef() + "'").str();
    value = op->getOperand(0);
  }
  return describeArgument(cast<BlockArgument>(value));
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {

/// The values of a function's body, while it runs.
class FunctionEvaluation {
public:
  explicit FunctionEvaluation(func::FuncOp function) : function(function) {}
  /// Evaluates a slice; `results` describes the function's results.
  FunctionEvaluation(func::FuncOp function, const ReferenceSlice &slice,
                     ArrayRef<mamba::TensorSpec> results)
      : function(function), slice(&slice), resultSpecs(results) {}

  FailureOr<SmallVector<ReferenceTensor>> run(ArrayRef<ReferenceTensor> inputs);

private:
  LogicalResult evaluate(Operation &op);
  FailureOr<Values> dispatch(Operation &op);
  FailureOr<Values> evaluateConstant(Operation &op);
  FailureOr<Values> evaluateEmpty(tensor::EmptyOp op);
  FailureOr<Values> evaluateDim(tensor::DimOp op);
  FailureOr<ReferenceTensor> materialize(Operation *op, OpOperand &operand);
  void findLastUses(Block &block);

  func::FuncOp function;
  /// Null where the whole problem is evaluated.
  const ReferenceSlice *slice = nullptr;
  ArrayRef<mamba::TensorSpec> resultSpecs;
  llvm::DenseMap<Value, ReferenceValue> values;
  /// Values that are not needed after an op, by that op.
  llvm::DenseMap<Operation *, SmallVector<Value>> lastUses;
};

} // namespace

/// Values of a constant, or nothing where its attribute is of no known kind.
static std::optional<ReferenceTensor> denseValues(DenseElementsAttr dense) {
  ReferenceTensor tensor = ReferenceTensor::zeros(
      dense.isSplat() ? ArrayRef<int64_t>() : dense.getType().getShape(),
      hasComplexElements(dense.getType()));
  tensor.shape = SmallVector<int64_t>(dense.getType().getShape());
  // Complex elements have no attribute of their own to iterate over.
  if (tensor.isComplex) {
    auto numbers = dense.tryGetValues<std::complex<APFloat>>();
    if (failed(numbers))
      return std::nullopt;
    auto toDouble = [](APFloat number) {
      bool losesInfo;
      number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                     &losesInfo);
      return number.convertToDouble();
    };
    for (int64_t i = 0, e = tensor.numElements(); i < e; ++i) {
      std::complex<APFloat> number = (*numbers)[i];
      tensor.set(i, {toDouble(number.real()), toDouble(number.imag())});
    }
    return tensor;
  }
  auto numbers = dense.tryGetValues<Attribute>();
  if (failed(numbers))
    return std::nullopt;
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i) {
    std::optional<Scalar> value = scalarOf((*numbers)[i]);
    if (!value)
      return std::nullopt;
    tensor.set(i, *value);
  }
  return tensor;
}

FailureOr<Values> FunctionEvaluation::evaluateConstant(Operation &op) {
  Attribute attribute = op.getAttr("value");
  bool isComplex = hasComplexElements(op.getResult(0).getType());
  if (std::optional<Scalar> value = scalarOf(attribute))
    return Values{ReferenceValue::uniform({}, *value, isComplex)};
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute))
    if (std::optional<ReferenceTensor> tensor = denseValues(dense)) {
      ReferenceValue value = ReferenceValue::of(std::move(*tensor));
      value.isUniform = dense.isSplat();
      return Values{value};
    }
  return op.emitError("the reference device reads constants that are numbers "
                      "or dense tensors of them");
}

/// The elements are undefined; NaN shows where one is used.
FailureOr<Values> FunctionEvaluation::evaluateEmpty(tensor::EmptyOp op) {
  SmallVector<int64_t> shape(op.getType().getShape());
  unsigned next = 0;
  for (int64_t &extent : shape)
    if (extent == ShapedType::kDynamic)
      extent = static_cast<int64_t>(
          values[op.getDynamicSizes()[next++]].tensor->re[0]);
  return Values{
      ReferenceValue::uniform(shape, std::numeric_limits<double>::quiet_NaN(),
                              hasComplexElements(op.getType()))};
}

FailureOr<Values> FunctionEvaluation::evaluateDim(tensor::DimOp op) {
  ArrayRef<int64_t> shape = values[op.getSource()].shape();
  auto dim = static_cast<int64_t>(values[op.getIndex()].tensor->re[0]);
  if (dim < 0 || dim >= static_cast<int64_t>(shape.size()))
    return op.emitOpError("asks for dimension ")
           << dim << " of a tensor of rank " << shape.size();
  return Values{ReferenceValue::uniform({}, shape[dim], false)};
}

/// A sum over channels, or over sequences as well, is none of a slice's.
static LogicalResult checkSliced(Operation *op) {
  bool isSum = isa<SumGroupsOp>(op);
  if (auto fused = dyn_cast<FusedOp>(op))
    for (TotalOp total : fused.getBlock()->getOps<TotalOp>())
      isSum |= total.getAxes().rank() > 1 || !total.getAxes().has(Axis::Length);
  if (isSum)
    return op->emitError("the reference device cannot run a sum over "
                         "sequences or channels on a slice of a problem; "
                         "evaluate the whole problem");
  return success();
}

FailureOr<Values> FunctionEvaluation::dispatch(Operation &op) {
  if (slice && failed(checkSliced(&op)))
    return failure();
  auto lookup = [&](Value value) { return values.at(value); };
  if (op.hasTrait<OpTrait::ConstantLike>())
    return evaluateConstant(op);
  return llvm::TypeSwitch<Operation *, FailureOr<Values>>(&op)
      .Case([&](tensor::EmptyOp empty) { return evaluateEmpty(empty); })
      .Case([&](tensor::DimOp dim) { return evaluateDim(dim); })
      .Case(
          [&](tensor::CastOp cast) { return Values{values[cast.getSource()]}; })
      .Case([&](DiscretizeOp o) { return evaluateDiscretize(o, lookup); })
      .Case([&](ScanOp o) { return evaluateScan(o, lookup); })
      .Case([&](ReadoutOp o) { return evaluateReadout(o, lookup); })
      .Case([&](SpreadGroupsOp o) { return evaluateSpreadGroups(o, lookup); })
      .Case([&](SumGroupsOp o) { return evaluateSumGroups(o, lookup); })
      .Case([&](FusedOp o) { return evaluateFused(o, lookup); })
      .Case([&](linalg::LinalgOp o) {
        return evaluateLinalg(o, lookup, /*allowReductions=*/!slice);
      })
      .Default([&](Operation *o) { return evaluateElementwise(o, lookup); });
}

LogicalResult FunctionEvaluation::evaluate(Operation &op) {
  FailureOr<Values> results = dispatch(op);
  if (failed(results))
    return failure();
  for (auto [value, result] : llvm::zip(op.getResults(), *results))
    values[value] = result;
  for (Value value : lastUses.lookup(&op))
    values.erase(value);
  return success();
}

/// Large intermediates are freed where nobody reads them any more.
void FunctionEvaluation::findLastUses(Block &block) {
  llvm::DenseSet<Value> seen;
  for (Operation &op : llvm::reverse(block)) {
    op.walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        if (seen.insert(operand).second)
          lastUses[&op].push_back(operand);
    });
    for (Value result : op.getResults())
      if (seen.insert(result).second)
        lastUses[&op].push_back(result);
  }
}

/// The shape of the slice of a result whose shape only its type tells.
static SmallVector<int64_t> narrowShape(ArrayRef<int64_t> shape,
                                        const mamba::TensorSpec &spec,
                                        const ReferenceSlice &slice) {
  SmallVector<int64_t> narrowed(shape);
  for (size_t dim = 0; dim < std::min(shape.size(), spec.dims.size()); ++dim) {
    if (spec.dims[dim].axis == mamba::Axis::Batch)
      narrowed[dim] = static_cast<int64_t>(slice.batches.size());
    if (spec.dims[dim].axis == mamba::Axis::Channel)
      narrowed[dim] = slice.channelEnd - slice.channelBegin;
  }
  return narrowed;
}

FailureOr<ReferenceTensor> FunctionEvaluation::materialize(Operation *op,
                                                           OpOperand &operand) {
  const ReferenceValue &result = values.at(operand.get());
  if (!result.isUniform)
    return *result.tensor;
  SmallVector<int64_t> shape(result.shape());
  if (slice)
    shape = narrowShape(shape, resultSpecs[operand.getOperandNumber()], *slice);
  FailureOr<ReferenceTensor> tensor =
      allocate(op, shape, result.tensor->isComplex);
  if (succeeded(tensor))
    for (int64_t i = 0, e = tensor->numElements(); i < e; ++i)
      tensor->set(i, result.tensor->get(0));
  return tensor;
}

FailureOr<SmallVector<ReferenceTensor>>
FunctionEvaluation::run(ArrayRef<ReferenceTensor> inputs) {
  Block &block = function.getBody().front();
  for (auto [argument, input] : llvm::zip(block.getArguments(), inputs))
    // The caller keeps the inputs: a pointer without ownership.
    values[argument].tensor = std::shared_ptr<const ReferenceTensor>(
        std::shared_ptr<const ReferenceTensor>(), &input);
  findLastUses(block);
  for (Operation &op : block.without_terminator())
    if (failed(evaluate(op)))
      return failure();
  SmallVector<ReferenceTensor> results;
  for (OpOperand &operand : block.getTerminator()->getOpOperands()) {
    FailureOr<ReferenceTensor> result =
        materialize(block.getTerminator(), operand);
    if (failed(result))
      return failure();
    results.push_back(std::move(*result));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static LogicalResult checkFunction(func::FuncOp function, size_t numInputs) {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitError("the reference device runs functions of one "
                              "block, found ")
           << function.getBody().getBlocks().size();
  if (function.getNumArguments() != numInputs)
    return function.emitError("found ")
           << numInputs << " inputs, expected " << function.getNumArguments()
           << ", one an argument";
  return success();
}

/// Checks the extents `shape` of argument `i` against its type.
static LogicalResult checkShape(func::FuncOp function, unsigned i,
                                ArrayRef<int64_t> shape) {
  auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[i]);
  std::string name = describeArgument(function.getArgument(i));
  int64_t rank = type ? type.getRank() : 0;
  if (static_cast<int64_t>(shape.size()) != rank)
    return function.emitError()
           << name << " has rank " << shape.size() << ", expected " << rank
           << " for type " << function.getArgumentTypes()[i];
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!type.isDynamicDim(dim) && type.getDimSize(dim) != shape[dim])
      return function.emitError()
             << "dimension " << dim << " of " << name << " has extent "
             << shape[dim] << ", expected " << type.getDimSize(dim)
             << " for type " << type;
  return success();
}

static LogicalResult checkInput(func::FuncOp function, unsigned i,
                                const ReferenceTensor &input) {
  if (failed(checkShape(function, i, input.shape)))
    return failure();
  Type type = function.getArgumentTypes()[i];
  if (hasComplexElements(type) != input.isComplex)
    return function.emitError()
           << describeArgument(function.getArgument(i)) << " has "
           << (input.isComplex ? "complex" : "real")
           << " elements, expected type " << type;
  [[maybe_unused]] int64_t numElements = 1;
  for (int64_t extent : input.shape)
    numElements *= extent;
  assert(numElements == input.numElements() &&
         "an input stores as many values as its shape has elements");
  return success();
}

FailureOr<SmallVector<ReferenceTensor>>
mlir::ssm::evaluateReference(func::FuncOp function,
                             ArrayRef<ReferenceTensor> inputs) {
  if (failed(checkFunction(function, inputs.size())))
    return failure();
  for (auto [i, input] : llvm::enumerate(inputs))
    if (failed(checkInput(function, i, input)))
      return failure();
  return FunctionEvaluation(function).run(inputs);
}

/// True where the slice leaves nothing out, so that sums are whole.
static bool isWhole(const ReferenceSlice &slice,
                    ArrayRef<mamba::TensorView> inputs,
                    ArrayRef<mamba::TensorSpec> tensors) {
  if (slice.channelBegin != 0 || slice.channelEnd != slice.numChannels)
    return false;
  int64_t batches = slice.batches.size();
  for (int64_t i = 0; i < batches; ++i)
    if (slice.batches[i] != i)
      return false;
  for (auto [view, spec] : llvm::zip(inputs, tensors))
    for (auto [dim, extent] : llvm::zip(spec.dims, view.shape))
      if (dim.axis == mamba::Axis::Batch && extent != batches)
        return false;
  return true;
}

FailureOr<SmallVector<ReferenceTensor>> mlir::ssm::evaluateReferenceSlice(
    func::FuncOp function, ArrayRef<mamba::TensorView> inputs,
    ArrayRef<mamba::TensorSpec> tensors, const ReferenceSlice &slice) {
  if (failed(checkFunction(function, inputs.size())))
    return failure();
  assert(tensors.size() >= inputs.size() + function.getNumResults() &&
         "each input and result has a description");
  SmallVector<ReferenceTensor> narrowed;
  for (auto [i, view] : llvm::enumerate(inputs)) {
    if (failed(checkShape(function, i, ArrayRef(view.shape, view.rank))))
      return failure();
    std::string error;
    std::optional<ReferenceTensor> part =
        narrow(view, tensors[i], slice, error);
    if (!part)
      return function.emitError()
             << describeArgument(function.getArgument(i)) << " " << error;
    narrowed.push_back(std::move(*part));
  }
  if (isWhole(slice, inputs, tensors))
    return FunctionEvaluation(function).run(narrowed);
  return FunctionEvaluation(function, slice, tensors.drop_front(inputs.size()))
      .run(narrowed);
}
