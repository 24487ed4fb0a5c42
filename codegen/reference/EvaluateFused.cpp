//===- EvaluateFused.cpp - The fused op in fp64 ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One sequence and one channel at a time, each value of the body is an array
// over (l, n), over one of them, or a single number; the ops run in their
// order, each over its whole array. Which axes an array has follows from the
// op's documentation and is found here anew, so that a mistake in the
// compiler's Dependence cannot hide.
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/IterationSpace.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// A value of the body at one (b, d): an array over the axes it has of (l, n).
struct BodyValue {
  bool hasLength = false, hasState = false;
  bool isComplex = false;
  std::vector<Scalar> elements;

  int64_t strideL(int64_t states) const {
    return hasLength ? (hasState ? states : 1) : 0;
  }
  int64_t strideN() const { return hasState; }
};

/// One op of the body: what it computes, with values by number.
struct BodyStep {
  enum class Kind { Pointwise, Recurrence, Sum } kind = Kind::Pointwise;
  ScalarOp rule{nullptr};
  SmallVector<unsigned, 3> operands;
  unsigned result = 0;
  /// The last state of a recurrence.
  unsigned last = 0;
  bool isExclusive = false;
  bool isReverse = false;
};

/// The body of one fused op at one sequence and channel.
class BodyEvaluation {
public:
  BodyEvaluation(FusedOp op, int64_t steps, int64_t states)
      : op(op), steps(steps), states(states) {}

  /// Numbers the values and looks up what ops do. Emits an error on an op that
  /// the reference does not know.
  LogicalResult prepare();

  /// The value of the body's argument `i`, to be filled before run.
  BodyValue &argument(unsigned i) { return values[i]; }
  const BodyValue &yielded(unsigned i) const { return values[outputs[i]]; }
  /// What sums the yielded value, the term, over axes; null where nothing does.
  TotalOp total(unsigned i) const { return totals[i]; }
  void run();

  const Scalar &at(const BodyValue &value, int64_t l, int64_t n) const {
    return value.elements[l * value.strideL(states) + n * value.strideN()];
  }
  /// Calls `visit(l, n)` for each element of a value with these axes.
  template <typename Visit>
  void forEach(bool hasLength, bool hasState, Visit visit) const {
    for (int64_t l = 0; l < (hasLength ? steps : 1); ++l)
      for (int64_t n = 0; n < (hasState ? states : 1); ++n)
        visit(l, n);
  }

  /// Calls `store(segment, n, state)` for what each segment starts from.
  template <typename Store>
  void eachSaved(unsigned i, AccessAttr access, Store store) {
    const BodyValue &value = yielded(i);
    int64_t every = access.getEvery();
    forEach(false, value.hasState, [&](int64_t, int64_t n) {
      for (int64_t t = 0; t < steps; t += every)
        store(t / every, n, at(value, reverse[i] ? steps - 1 - t : t, n));
    });
  }

private:
  unsigned newValue(Value value, bool hasLength, bool hasState);
  LogicalResult prepareOp(Operation &nested);
  void runPointwise(const BodyStep &step);
  template <typename T> void runRecurrence(const BodyStep &step);
  void runSum(const BodyStep &step);
  Scalar &at(BodyValue &value, int64_t l, int64_t n) const {
    return value.elements[l * value.strideL(states) + n * value.strideN()];
  }

  FusedOp op;
  int64_t steps, states;
  std::vector<BodyValue> values;
  std::vector<BodyStep> program;
  SmallVector<unsigned> outputs;
  SmallVector<TotalOp> totals;
  /// Of the recurrence that a yielded value is a state of.
  SmallVector<bool> reverse;
  llvm::DenseMap<Value, unsigned> numbers;
};

} // namespace

unsigned BodyEvaluation::newValue(Value value, bool hasLength, bool hasState) {
  int64_t size = (hasLength ? steps : 1) * (hasState ? states : 1);
  values.push_back({hasLength, hasState, hasComplexElements(value.getType()),
                    std::vector<Scalar>(size)});
  return numbers[value] = values.size() - 1;
}

LogicalResult BodyEvaluation::prepare() {
  for (auto [i, argument] : llvm::enumerate(op.getBlock()->getArguments()))
    newValue(argument, op.inputAccess(i).has(Axis::Length),
             op.inputAccess(i).has(Axis::State));
  for (Operation &nested : op.getBlock()->without_terminator())
    if (failed(prepareOp(nested)))
      return failure();
  for (Value value : op.getBlock()->getTerminator()->getOperands()) {
    outputs.push_back(numbers.at(value));
    totals.push_back(value.getDefiningOp<TotalOp>());
    auto recurrence = value.getDefiningOp<RecurrenceOp>();
    reverse.push_back(recurrence && recurrence.getReverse());
  }
  return success();
}

LogicalResult BodyEvaluation::prepareOp(Operation &nested) {
  BodyStep step;
  bool hasLength = false, hasState = false;
  for (Value operand : nested.getOperands()) {
    step.operands.push_back(numbers.at(operand));
    hasLength |= values[step.operands.back()].hasLength;
    hasState |= values[step.operands.back()].hasState;
  }
  // Its points are summed where results are stored.
  if (auto total = dyn_cast<TotalOp>(nested)) {
    numbers[total.getResult()] = numbers.at(total.getValue());
    return success();
  }
  if (auto recurrence = dyn_cast<RecurrenceOp>(nested)) {
    step.kind = BodyStep::Kind::Recurrence;
    step.result = newValue(recurrence.getState(), true, hasState);
    step.last = newValue(recurrence.getLast(), false, hasState);
    step.isExclusive = recurrence.getExclusive();
    step.isReverse = recurrence.getReverse();
  } else if (isa<SumOp>(nested)) {
    step.kind = BodyStep::Kind::Sum;
    step.result = newValue(nested.getResult(0), hasLength, false);
  } else if (nested.hasTrait<OpTrait::ConstantLike>()) {
    std::optional<Scalar> constant = scalarOf(nested.getAttr("value"));
    if (!constant)
      return nested.emitError("the reference device cannot read this constant");
    unsigned number = newValue(nested.getResult(0), false, false);
    values[number].elements[0] = *constant;
    return success();
  } else {
    std::optional<ScalarOp> rule = scalarOpOf(&nested);
    if (!rule || step.operands.size() > 3)
      return nested.emitError("the reference device has no rule for '")
             << nested.getName() << "'";
    step.rule = *rule;
    step.result = newValue(nested.getResult(0), hasLength, hasState);
  }
  program.push_back(std::move(step));
  return success();
}

void BodyEvaluation::runPointwise(const BodyStep &step) {
  BodyValue &result = values[step.result];
  // Operands that the op lacks repeat the first, and are ignored.
  const BodyValue *operands[3];
  for (unsigned i = 0; i < 3; ++i)
    operands[i] = &values[step.operands[i < step.operands.size() ? i : 0]];
  forEach(result.hasLength, result.hasState, [&](int64_t l, int64_t n) {
    at(result, l, n) = step.rule(at(*operands[0], l, n), at(*operands[1], l, n),
                                 at(*operands[2], l, n));
  });
}

template <typename T> void BodyEvaluation::runRecurrence(const BodyStep &step) {
  auto read = [&](unsigned i, int64_t l, int64_t n) -> T {
    const Scalar &value = at(values[step.operands[i]], l, n);
    if constexpr (std::is_same_v<T, double>)
      return value.real();
    else
      return value;
  };
  BodyValue &state = values[step.result], &last = values[step.last];
  for (int64_t n = 0; n < (state.hasState ? states : 1); ++n) {
    T h = step.operands.size() == 3 ? read(2, 0, n) : T(0.0);
    for (int64_t t = 0; t < steps; ++t) {
      int64_t l = step.isReverse ? steps - 1 - t : t;
      T before = h;
      h = read(0, l, n) * h + read(1, l, n);
      at(state, l, n) = step.isExclusive ? before : h;
    }
    at(last, 0, n) = h;
  }
}

void BodyEvaluation::runSum(const BodyStep &step) {
  const BodyValue &operand = values[step.operands[0]];
  BodyValue &result = values[step.result];
  forEach(result.hasLength, false, [&](int64_t l, int64_t) {
    Scalar sum = 0.0;
    // A value without n counts once a state.
    for (int64_t n = 0; n < states; ++n)
      sum += at(operand, l, n);
    at(result, l, 0) = sum;
  });
}

void BodyEvaluation::run() {
  for (const BodyStep &step : program)
    switch (step.kind) {
    case BodyStep::Kind::Pointwise:
      runPointwise(step);
      break;
    case BodyStep::Kind::Recurrence:
      // Real states stay real: see EvaluateModel.cpp.
      if (values[step.result].isComplex)
        runRecurrence<Scalar>(step);
      else
        runRecurrence<double>(step);
      break;
    case BodyStep::Kind::Sum:
      runSum(step);
      break;
    }
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

namespace {
/// A tensor of the op and where its elements lie.
struct FusedTensor {
  const ReferenceTensor *tensor;
  ElementMap map;
};
} // namespace

/// Whether a total with result axes `access` has a term at (b, d): not where
/// the loops over an empty axis run for other results, and once where neither
/// the total nor the result knows the axis.
static bool isTerm(TotalOp total, AccessAttr access, int64_t b, int64_t d,
                   const IterationSpace &space) {
  auto counts = [&](Axis axis) {
    return total.getAxes().has(axis) || access.has(axis);
  };
  bool hasBatch = counts(Axis::Batch);
  bool hasChannel = counts(Axis::Channel) || counts(Axis::Group);
  return (hasBatch ? space.batches() > 0 : b == 0) &&
         (hasChannel ? space.channels() > 0 : d == 0);
}

/// Evaluates the body at one sequence and channel.
static void evaluateAt(int64_t b, int64_t d, const IterationSpace &space,
                       BodyEvaluation &body, ArrayRef<FusedTensor> inputs,
                       MutableArrayRef<ReferenceTensor> results,
                       ArrayRef<ElementMap> resultMaps,
                       ArrayRef<AccessAttr> resultAccesses) {
  for (auto [i, input] : llvm::enumerate(inputs)) {
    BodyValue &value = body.argument(i);
    int64_t element = 0;
    body.forEach(value.hasLength, value.hasState, [&](int64_t l, int64_t n) {
      // Where b or d is empty, nothing may be read that depends on it.
      bool isEmpty = input.tensor->numElements() == 0;
      value.elements[element++] =
          isEmpty ? 0.0 : input.tensor->get(input.map.at(b, l, d, n));
    });
  }
  body.run();
  for (auto [i, result] : llvm::enumerate(results)) {
    const BodyValue &value = body.yielded(i);
    if (result.numElements() == 0)
      continue;
    TotalOp total = body.total(i);
    if (total && !isTerm(total, resultAccesses[i], b, d, space))
      continue;
    if (resultAccesses[i].has(Axis::Segment)) {
      body.eachSaved(
          i, resultAccesses[i],
          [&, &result = result, i = i](int64_t k, int64_t n, Scalar state) {
            result.set(resultMaps[i].atSegment(b, k, d, n), state);
          });
      continue;
    }
    bool hasLength = resultAccesses[i].has(Axis::Length) || value.hasLength;
    body.forEach(hasLength, resultAccesses[i].has(Axis::State),
                 [&, &result = result, i = i](int64_t l, int64_t n) {
                   int64_t at = resultMaps[i].at(b, l, d, n);
                   Scalar element = body.at(value, l, n);
                   result.set(at, total ? result.get(at) + element : element);
                 });
  }
}

FailureOr<Values> mlir::ssm::evaluateFused(FusedOp op, Lookup lookup) {
  IterationSpace space(op);
  Values values;
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    values.push_back(lookup(input));
    if (failed(space.add(input, values.back(), op.inputAccess(i))))
      return failure();
  }
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    space.addGroups(result, op.resultAccess(i));
  if (failed(space.finish()))
    return failure();
  if (!space.knows(Axis::Length) &&
      !op.getBlock()->getOps<RecurrenceOp>().empty())
    return op.emitOpError("has a recurrence, but no input with axis l says "
                          "how many steps it takes");
  SmallVector<FusedTensor> inputs;
  for (auto [i, value] : llvm::enumerate(values))
    inputs.push_back(
        {value.tensor.get(), space.mapOf(value, op.inputAccess(i))});
  SmallVector<ReferenceTensor> results;
  SmallVector<ElementMap> resultMaps;
  SmallVector<AccessAttr> accesses;
  for (auto [i, type] : llvm::enumerate(op.getResultTypes())) {
    accesses.push_back(op.resultAccess(i));
    FailureOr<ReferenceTensor> result = allocate(
        op, space.shapeOf(accesses[i], type), hasComplexElements(type));
    if (failed(result))
      return failure();
    results.push_back(std::move(*result));
    resultMaps.push_back(space.mapOf(results.back(), accesses[i]));
  }
  BodyEvaluation body(op, space.steps(), space.states());
  if (failed(body.prepare()))
    return failure();
  // A result without b (or d) has elements even where there is no sequence
  // (or channel), so the loops run at least once.
  for (int64_t b = 0; b < std::max<int64_t>(1, space.batches()); ++b)
    for (int64_t d = 0; d < std::max<int64_t>(1, space.channels()); ++d)
      evaluateAt(b, d, space, body, inputs, results, resultMaps, accesses);
  Values outcome;
  for (ReferenceTensor &result : results)
    outcome.push_back(ReferenceValue::of(std::move(result)));
  return outcome;
}
