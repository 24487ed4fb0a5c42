//===- EvaluatePointwise.cpp - Elementwise and structured ops -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An op of linalg is a loop nest around a block of scalar ops; an elementwise
// op is the same with one op in the block. The block is turned into a list of
// instructions on numbered slots once, and the list is run at each point.
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/Evaluation.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// A block of scalar ops as instructions on slots.
class ScalarProgram {
public:
  /// `block`'s arguments get the first slots. Values from outside are read
  /// with `lookup`.
  static FailureOr<ScalarProgram> build(Block &block, Lookup lookup);
  /// The elementwise op alone: its operands get the first slots.
  static FailureOr<ScalarProgram> build(Operation *op);

  Scalar &input(unsigned i) { return slots[i]; }
  const Scalar &output(unsigned i) const { return slots[outputs[i]]; }
  unsigned numOutputs() const { return outputs.size(); }

  void run() {
    for (const Instruction &step : steps)
      slots[step.result] =
          step.op(slots[step.operands[0]], slots[step.operands[1]],
                  slots[step.operands[2]]);
  }

private:
  struct Instruction {
    ScalarOp op;
    /// Operands that the op lacks are slot 0, which is then ignored.
    unsigned operands[3] = {0, 0, 0};
    unsigned result = 0;
  };

  unsigned newSlot() {
    slots.emplace_back();
    return slots.size() - 1;
  }
  unsigned slotOf(Value value, Lookup lookup);
  LogicalResult add(Operation &op, Lookup lookup);
  LogicalResult addInstruction(Operation &op, ArrayRef<unsigned> operands);

  std::vector<Scalar> slots;
  std::vector<Instruction> steps;
  SmallVector<unsigned> outputs;
  llvm::DenseMap<Value, unsigned> numbers;
};

} // namespace

LogicalResult ScalarProgram::addInstruction(Operation &op,
                                            ArrayRef<unsigned> operands) {
  std::optional<ScalarOp> rule = scalarOpOf(&op);
  if (!rule || operands.size() > 3)
    return op.emitError("the reference device has no rule for '")
           << op.getName() << "'";
  Instruction step{*rule};
  llvm::copy(operands, step.operands);
  step.result = newSlot();
  steps.push_back(step);
  return success();
}

unsigned ScalarProgram::slotOf(Value value, Lookup lookup) {
  auto it = numbers.find(value);
  if (it != numbers.end())
    return it->second;
  unsigned slot = newSlot();
  slots[slot] = lookup(value).tensor->get(0);
  return numbers[value] = slot;
}

LogicalResult ScalarProgram::add(Operation &op, Lookup lookup) {
  if (op.hasTrait<OpTrait::ConstantLike>()) {
    std::optional<Scalar> value = scalarOf(op.getAttr("value"));
    if (!value)
      return op.emitError("the reference device cannot read this constant");
    unsigned slot = newSlot();
    slots[slot] = *value;
    numbers[op.getResult(0)] = slot;
    return success();
  }
  SmallVector<unsigned> operands;
  for (Value operand : op.getOperands())
    operands.push_back(slotOf(operand, lookup));
  if (failed(addInstruction(op, operands)))
    return failure();
  numbers[op.getResult(0)] = steps.back().result;
  return success();
}

FailureOr<ScalarProgram> ScalarProgram::build(Block &block, Lookup lookup) {
  ScalarProgram program;
  for (BlockArgument argument : block.getArguments())
    program.numbers[argument] = program.newSlot();
  for (Operation &op : block.without_terminator())
    if (failed(program.add(op, lookup)))
      return failure();
  for (Value value : block.getTerminator()->getOperands())
    program.outputs.push_back(program.slotOf(value, lookup));
  return program;
}

FailureOr<ScalarProgram> ScalarProgram::build(Operation *op) {
  ScalarProgram program;
  SmallVector<unsigned> operands;
  for (unsigned i = 0, e = op->getNumOperands(); i < e; ++i)
    operands.push_back(program.newSlot());
  if (failed(program.addInstruction(*op, operands)))
    return failure();
  program.outputs.push_back(program.steps.back().result);
  return program;
}

//===----------------------------------------------------------------------===//
// Loop nests
//===----------------------------------------------------------------------===//

namespace {

/// A loop nest over a number of tensors: at each point every tensor has an
/// element, whose offset follows from one stride a loop.
class LoopNest {
public:
  explicit LoopNest(ArrayRef<int64_t> extents)
      : extents(extents.begin(), extents.end()) {}

  /// Adds a tensor with the given stride a loop.
  void add(ArrayRef<int64_t> tensorStrides) {
    strides.emplace_back(tensorStrides.begin(), tensorStrides.end());
  }

  /// Calls `visit(offsets)` at each point, the last loop innermost.
  template <typename Visit> void run(Visit visit) const {
    if (llvm::is_contained(extents, 0))
      return;
    SmallVector<int64_t> index(extents.size(), 0), offsets(strides.size(), 0);
    while (true) {
      visit(ArrayRef<int64_t>(offsets));
      int64_t loop = static_cast<int64_t>(extents.size()) - 1;
      for (; loop >= 0; --loop) {
        // Ends this loop's row: all tensors go back to its start.
        bool carries = ++index[loop] == extents[loop];
        int64_t steps = carries ? 1 - extents[loop] : 1;
        for (auto [offset, stride] : llvm::zip(offsets, strides))
          offset += steps * stride[loop];
        if (!carries)
          break;
        index[loop] = 0;
      }
      if (loop < 0)
        return;
    }
  }

private:
  SmallVector<int64_t> extents;
  SmallVector<SmallVector<int64_t>> strides;
};

} // namespace

/// Strides of a tensor of `shape` over `numLoops` loops; `map`'s result i is
/// the loop that dimension i runs over, or 0.
static SmallVector<int64_t> loopStrides(ArrayRef<int64_t> shape, AffineMap map,
                                        unsigned numLoops) {
  SmallVector<int64_t> strides(numLoops, 0);
  int64_t stride = 1;
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
    if (auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim)))
      strides[loop.getPosition()] = stride;
    stride *= shape[dim];
  }
  return strides;
}

/// Runs `program` at each point of `nest` over `inputs`, which are the
/// program's first inputs, then `outputs`, which are read and written.
static void runNest(const LoopNest &nest, ScalarProgram &program,
                    ArrayRef<ReferenceValue> inputs,
                    MutableArrayRef<ReferenceTensor> outputs,
                    bool readsOutputs) {
  nest.run([&](ArrayRef<int64_t> offsets) {
    for (unsigned i = 0; i < inputs.size(); ++i)
      program.input(i) = inputs[i].tensor->get(offsets[i]);
    ArrayRef<int64_t> outputOffsets = offsets.drop_front(inputs.size());
    if (readsOutputs)
      for (unsigned i = 0; i < outputs.size(); ++i)
        program.input(inputs.size() + i) = outputs[i].get(outputOffsets[i]);
    program.run();
    for (unsigned i = 0; i < outputs.size(); ++i)
      outputs[i].set(outputOffsets[i], program.output(i));
  });
}

static std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, extent] : llvm::enumerate(shape))
    text += (i ? ", " : "") + std::to_string(extent);
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

FailureOr<Values> mlir::ssm::evaluateElementwise(Operation *op, Lookup lookup) {
  FailureOr<ScalarProgram> program = ScalarProgram::build(op);
  if (failed(program))
    return failure();
  // The shape is that of the first operand with values of its own. A scalar
  // beside tensors (the condition of a select) is uniform.
  SmallVector<ReferenceValue> operands;
  std::optional<unsigned> leader;
  SmallVector<int64_t> hint;
  bool isTensorOp = isa<RankedTensorType>(op->getResult(0).getType());
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    ReferenceValue value = lookup(operand);
    bool isTensor = isa<RankedTensorType>(operand.getType());
    value.isUniform |= isTensorOp && !isTensor;
    if (isTensor)
      hint = SmallVector<int64_t>(value.shape());
    operands.push_back(value);
    if (value.isUniform)
      continue;
    if (!leader)
      leader = i;
    ArrayRef<int64_t> expected = operands[*leader].shape();
    if (value.shape() != expected)
      return op->emitOpError()
             << describe(operand) << " has extents " << shapeText(value.shape())
             << ", expected " << shapeText(expected) << ", those of "
             << describe(op->getOperand(*leader));
  }
  bool isComplex = hasComplexElements(op->getResult(0).getType());
  if (!leader) {
    for (auto [i, operand] : llvm::enumerate(operands))
      program->input(i) = operand.tensor->get(0);
    program->run();
    return Values{ReferenceValue::uniform(hint, program->output(0), isComplex)};
  }
  SmallVector<int64_t> shape(operands[*leader].shape());
  FailureOr<ReferenceTensor> result = allocate(op, shape, isComplex);
  if (failed(result))
    return failure();
  // All tensors are row-major with one shape: one loop over the elements.
  LoopNest nest(result->numElements());
  for (const ReferenceValue &operand : operands)
    nest.add(operand.isUniform ? 0 : 1);
  nest.add(1);
  runNest(nest, *program, operands, *result, /*readsOutputs=*/false);
  return Values{ReferenceValue::of(std::move(*result))};
}

//===----------------------------------------------------------------------===//
// Structured ops
//===----------------------------------------------------------------------===//

/// Checks that `op` is a loop nest that the reference can run.
static LogicalResult checkLinalg(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return op->emitError("the reference device runs linalg ops on tensors "
                         "only, found operands that are none");
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return op->emitError("the reference device runs linalg ops whose "
                           "indexing maps permute or drop loops, found ")
             << AffineMapAttr::get(map);
  return success();
}

/// A slice has all of the axes whose extents types fix, if as many elements are
/// there: a sum over one of them is that of the whole problem.
static LogicalResult checkSlicedSums(linalg::LinalgOp op,
                                     ArrayRef<int64_t> extents) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction && ranges[i] != extents[i])
      return op->emitError("the reference device cannot run a reduction on a "
                           "slice of a problem; evaluate the whole problem");
  return success();
}

/// The extents of the op's loops, from the operands' values.
static FailureOr<SmallVector<int64_t>>
loopExtents(linalg::LinalgOp op, ArrayRef<ReferenceValue> operands) {
  SmallVector<int64_t> extents(op.getNumLoops(), -1);
  auto join = [&](bool uniform) -> LogicalResult {
    for (auto [i, operand] : llvm::enumerate(operands)) {
      if (operand.isUniform != uniform)
        continue;
      AffineMap map = op.getMatchingIndexingMap(&op->getOpOperand(i));
      for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
        auto loop = dyn_cast<AffineDimExpr>(expr);
        int64_t found = operand.shape()[dim];
        if (!loop || (uniform && extents[loop.getPosition()] >= 0))
          continue;
        int64_t &extent = extents[loop.getPosition()];
        if (extent >= 0 && extent != found)
          return op->emitOpError()
                 << "dimension " << dim << " of " << describe(op->getOperand(i))
                 << " has extent " << found << ", expected " << extent
                 << ", that of loop " << loop.getPosition();
        extent = found;
      }
    }
    return success();
  };
  // Operands with values decide; types speak only for loops that none has.
  if (failed(join(/*uniform=*/false)) || failed(join(/*uniform=*/true)))
    return failure();
  return extents;
}

/// A tensor of the loops' extents with the values of the init operand.
static FailureOr<ReferenceTensor> makeOutput(linalg::LinalgOp op,
                                             OpOperand &operand,
                                             const ReferenceValue &init,
                                             ArrayRef<int64_t> extents) {
  if (!init.isUniform)
    return *init.tensor;
  SmallVector<int64_t> shape;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    shape.push_back(loop ? extents[loop.getPosition()] : init.shape()[dim]);
  }
  FailureOr<ReferenceTensor> output =
      allocate(op, shape, hasComplexElements(operand.get().getType()));
  if (succeeded(output))
    for (int64_t i = 0, e = output->numElements(); i < e; ++i)
      output->set(i, init.tensor->get(0));
  return output;
}

/// The results where all operands are uniform: so are they.
static Values evaluateUniform(linalg::LinalgOp op, ScalarProgram &program,
                              ArrayRef<ReferenceValue> operands) {
  for (unsigned i = 0; i < op.getBlock()->getNumArguments(); ++i)
    program.input(i) = operands[i].tensor->get(0);
  program.run();
  Values results;
  for (unsigned i = 0; i < program.numOutputs(); ++i)
    results.push_back(ReferenceValue::uniform(
        operands[op.getNumDpsInputs() + i].shape(), program.output(i),
        hasComplexElements(op->getResult(i).getType())));
  return results;
}

FailureOr<Values> mlir::ssm::evaluateLinalg(linalg::LinalgOp op, Lookup lookup,
                                            bool allowReductions) {
  if (failed(checkLinalg(op)))
    return failure();
  FailureOr<ScalarProgram> program =
      ScalarProgram::build(*op.getBlock(), lookup);
  if (failed(program))
    return failure();
  SmallVector<ReferenceValue> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(lookup(operand));
    operands.back().isUniform |= !isa<RankedTensorType>(operand.getType());
  }
  bool isParallel = op.getNumParallelLoops() == op.getNumLoops();
  if (isParallel && llvm::all_of(operands, [](const ReferenceValue &value) {
        return value.isUniform;
      }))
    return evaluateUniform(op, *program, operands);
  FailureOr<SmallVector<int64_t>> extents = loopExtents(op, operands);
  if (failed(extents) ||
      (!allowReductions && failed(checkSlicedSums(op, *extents))))
    return failure();

  LoopNest nest(*extents);
  unsigned numInputs = op.getNumDpsInputs();
  SmallVector<ReferenceTensor> outputs;
  for (OpOperand &operand : op->getOpOperands()) {
    unsigned i = operand.getOperandNumber();
    bool isOutput = i >= numInputs;
    if (isOutput) {
      auto output = makeOutput(op, operand, operands[i], *extents);
      if (failed(output))
        return failure();
      outputs.push_back(std::move(*output));
    }
    ArrayRef<int64_t> shape =
        isOutput ? outputs.back().shape : operands[i].shape();
    bool isUniform = !isOutput && operands[i].isUniform;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    nest.add(isUniform ? SmallVector<int64_t>(extents->size(), 0)
                       : loopStrides(shape, map, extents->size()));
  }
  bool readsOutputs = op.getBlock()->getNumArguments() > numInputs;
  runNest(nest, *program, ArrayRef(operands).take_front(numInputs), outputs,
          readsOutputs);
  Values results;
  for (ReferenceTensor &output : outputs)
    results.push_back(ReferenceValue::of(std::move(output)));
  return results;
}
