//===- EvaluateModel.cpp - The ops of model IR in fp64 --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each op from the formula in its documentation (dialect/SSMOps.td), with one
// loop over the iteration space.
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/IterationSpace.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

static AccessAttr access(Operation *op, ArrayRef<Axis> axes) {
  return AccessAttr::get(op->getContext(), axes);
}

/// Real ops compute on reals: an infinite real times a complex number with
/// imaginary part 0 is not a number.
template <typename T> static T as(Scalar value) {
  if constexpr (std::is_same_v<T, double>)
    return value.real();
  else
    return value;
}

//===----------------------------------------------------------------------===//
// Discretize
//===----------------------------------------------------------------------===//

/// (exp(x) - 1) / x, which is 1 at x = 0.
static double expm1OverX(double x) {
  return x == 0.0 ? 1.0 : std::expm1(x) / x;
}

static Scalar expm1OverX(Scalar x) {
  if (x == 0.0)
    return 1.0;
  // exp(r + is) - 1 = expm1(r) cos s - 2 sin^2(s / 2) + i exp(r) sin s, free
  // of the cancellation that exp(x) - 1 has near 0.
  double half = std::sin(0.5 * x.imag());
  Scalar expm1(std::expm1(x.real()) * std::cos(x.imag()) - 2.0 * half * half,
               std::exp(x.real()) * std::sin(x.imag()));
  return expm1 / x;
}

namespace {
template <typename T> struct Coefficients {
  T a, b;
};
} // namespace

/// The table in ssm.discretize's documentation.
template <typename T>
static Coefficients<T> discretize(DiscretizeRule rule, double delta, T A, T B,
                                  double u) {
  T x = delta * A, Bu = B * u;
  switch (rule) {
  case DiscretizeRule::Zoh:
    return {std::exp(x), delta * expm1OverX(x) * Bu};
  case DiscretizeRule::Mamba:
    return {std::exp(x), delta * Bu};
  case DiscretizeRule::Bilinear:
    return {(1.0 + 0.5 * x) / (1.0 - 0.5 * x), delta / (1.0 - 0.5 * x) * Bu};
  case DiscretizeRule::Euler:
    return {1.0 + x, delta * Bu};
  }
  llvm_unreachable("all rules are listed");
}

namespace {
/// The operands of a discretization and where their elements lie.
struct DiscretizeOperands {
  IterationSpace space;
  Values values;
  SmallVector<ElementMap> maps;

  template <typename T>
  T read(unsigned i, int64_t b, int64_t l, int64_t d, int64_t n) const {
    return as<T>(values[i].tensor->get(maps[i].at(b, l, d, n)));
  }
};
} // namespace

template <typename T>
static void discretizeAll(DiscretizeRule rule,
                          const DiscretizeOperands &operands,
                          ReferenceTensor &a, ReferenceTensor &b) {
  int64_t element = 0;
  auto visit = [&](int64_t batch, int64_t l, int64_t d, int64_t n) {
    Coefficients<T> at =
        discretize(rule, operands.read<double>(0, batch, l, d, n),
                   operands.read<T>(1, batch, l, d, n),
                   operands.read<T>(2, batch, l, d, n),
                   operands.read<double>(3, batch, l, d, n));
    a.set(element, at.a);
    b.set(element++, at.b);
  };
  for (int64_t batch = 0; batch < a.shape[0]; ++batch)
    for (int64_t l = 0; l < a.shape[1]; ++l)
      for (int64_t d = 0; d < a.shape[2]; ++d)
        for (int64_t n = 0; n < a.shape[3]; ++n)
          visit(batch, l, d, n);
}

FailureOr<Values> mlir::ssm::evaluateDiscretize(DiscretizeOp op,
                                                Lookup lookup) {
  using enum Axis;
  Value operands[] = {op.getDelta(), op.getA(), op.getB(), op.getU()};
  AccessAttr accesses[] = {op.deltaAccess(), access(op, {Channel, State}),
                           op.inputMatrixAccess(),
                           access(op, {Batch, Length, Channel})};
  DiscretizeOperands at{IterationSpace(op), {}, {}};
  for (auto [operand, axes] : llvm::zip(operands, accesses)) {
    at.values.push_back(lookup(operand));
    if (failed(at.space.add(operand, at.values.back(), axes)))
      return failure();
  }
  if (failed(at.space.finish()))
    return failure();
  for (auto [value, axes] : llvm::zip(at.values, accesses))
    at.maps.push_back(at.space.mapOf(value, axes));

  SmallVector<int64_t> shape =
      at.space.shapeOf(access(op, {Batch, Length, Channel, State}));
  bool isComplex = hasComplexElements(op.getABar().getType());
  FailureOr<ReferenceTensor> a = allocate(op, shape, isComplex);
  FailureOr<ReferenceTensor> b = allocate(op, shape, isComplex);
  if (failed(a) || failed(b))
    return failure();
  if (isComplex)
    discretizeAll<Scalar>(op.getRule(), at, *a, *b);
  else
    discretizeAll<double>(op.getRule(), at, *a, *b);
  return Values{ReferenceValue::of(std::move(*a)),
                ReferenceValue::of(std::move(*b))};
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

namespace {
/// The accesses of a scan's tensors, which follow from their ranks.
struct ScanAccesses {
  AccessAttr full, last, init, saved;

  explicit ScanAccesses(ScanOp op) {
    using enum Axis;
    bool hasStates = cast<RankedTensorType>(op.getA().getType()).getRank() == 4;
    SmallVector<Axis> axes = {Batch, Length, Channel, State};
    axes.resize(hasStates ? 4 : 3);
    full = access(op, axes);
    if (std::optional<int64_t> every = op.getEvery()) {
      axes[1] = Segment;
      saved = AccessAttr::get(op.getContext(), axes, *every);
    }
    axes.erase(axes.begin() + 1);
    last = init = access(op, axes);
    if (op.startsFromSaved())
      init = saved;
    else if (op.getInit() &&
             cast<RankedTensorType>(op.getInit().getType()).getRank() <
                 static_cast<int64_t>(axes.size()))
      init = access(op, ArrayRef<Axis>(axes).drop_front());
  }
};
} // namespace

namespace {
/// A tensor that a scan reads, and one that it writes.
struct ScanInput {
  const ReferenceValue &value;
  ElementMap map;
};
struct ScanOutput {
  ReferenceTensor &tensor;
  ElementMap map;
};
/// What a scan writes; nothing to `saved` where `every` is 0.
struct ScanOutputs {
  ScanOutput states, last, saved;
  int64_t every;
};
} // namespace

template <typename T>
static void scanSequences(const IterationSpace &space, ScanOp op, ScanInput a,
                          ScanInput b, ScanInput init, ScanOutputs to) {
  bool reverse = op.getReverse(), exclusive = op.getExclusive();
  auto scanOne = [&](int64_t batch, int64_t d, int64_t n) {
    auto read = [&](const ScanInput &input, int64_t l) {
      return as<T>(input.value.tensor->get(input.map.at(batch, l, d, n)));
    };
    // A sequence without steps has no saved states.
    bool hasInit = !op.startsFromSaved() || space.steps() > 0;
    T h = hasInit ? read(init, 0) : T(0);
    for (int64_t t = 0; t < space.steps(); ++t) {
      int64_t l = reverse ? space.steps() - 1 - t : t;
      T before = h;
      h = read(a, l) * h + read(b, l);
      to.states.tensor.set(to.states.map.at(batch, l, d, n),
                           exclusive ? before : h);
      if (to.every != 0 && t % to.every == 0)
        to.saved.tensor.set(to.saved.map.atSegment(batch, t / to.every, d, n),
                            before);
    }
    to.last.tensor.set(to.last.map.at(batch, 0, d, n), h);
  };
  for (int64_t batch = 0; batch < space.batches(); ++batch)
    for (int64_t d = 0; d < space.channels(); ++d)
      for (int64_t n = 0; n < space.states(); ++n)
        scanOne(batch, d, n);
}

FailureOr<Values> mlir::ssm::evaluateScan(ScanOp op, Lookup lookup) {
  ScanAccesses accesses(op);
  ReferenceValue a = lookup(op.getA()), b = lookup(op.getB());
  // Without an initial state, the state starts at zero.
  ReferenceValue init = ReferenceValue::uniform({}, 0.0, true);
  IterationSpace space(op);
  if (failed(space.add(op.getA(), a, accesses.full)) ||
      failed(space.add(op.getB(), b, accesses.full)))
    return failure();
  if (op.getInit()) {
    init = lookup(op.getInit());
    if (failed(space.add(op.getInit(), init, accesses.init)))
      return failure();
  }
  bool isComplex = hasComplexElements(op.getA().getType());
  FailureOr<ReferenceTensor> states =
      allocate(op, space.shapeOf(accesses.full), isComplex);
  FailureOr<ReferenceTensor> last =
      allocate(op, space.shapeOf(accesses.last), isComplex);
  ReferenceTensor none;
  FailureOr<ReferenceTensor> saved =
      op.getSaved() ? allocate(op, space.shapeOf(accesses.saved), isComplex)
                    : none;
  if (failed(states) || failed(last) || failed(saved) || failed(space.finish()))
    return failure();
  auto scanAll = isComplex ? &scanSequences<Scalar> : &scanSequences<double>;
  scanAll(space, op, {a, space.mapOf(a, accesses.full)},
          {b, space.mapOf(b, accesses.full)},
          {init, space.mapOf(init, accesses.init)},
          {{*states, space.mapOf(*states, accesses.full)},
           {*last, space.mapOf(*last, accesses.last)},
           {*saved, space.mapOf(*saved, op.getSaved() ? accesses.saved
                                                      : accesses.last)},
           op.getSaved() ? int64_t(*op.getEvery()) : 0});
  Values values{ReferenceValue::of(std::move(*states)),
                ReferenceValue::of(std::move(*last))};
  if (op.getSaved())
    values.push_back(ReferenceValue::of(std::move(*saved)));
  return values;
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// Calls `visit` with the offsets of an element of `full`, (b, l, d, n), and of
/// the element of `grouped`, (b, l, g, n), that its channel's group has.
static void
eachOfGroups(const IterationSpace &space, ElementMap full, ElementMap grouped,
             llvm::function_ref<void(int64_t full, int64_t grouped)> visit) {
  for (int64_t b = 0; b < space.batches(); ++b)
    for (int64_t l = 0; l < space.steps(); ++l)
      for (int64_t d = 0; d < space.channels(); ++d)
        for (int64_t n = 0; n < space.states(); ++n)
          visit(full.at(b, l, d, n), grouped.at(b, l, d, n));
}

FailureOr<Values> mlir::ssm::evaluateSpreadGroups(SpreadGroupsOp op,
                                                  Lookup lookup) {
  using enum Axis;
  AccessAttr grouped = access(op, {Batch, Length, Group, State});
  AccessAttr full = access(op, {Batch, Length, Channel, State});
  ReferenceValue value = lookup(op.getValue());
  IterationSpace space(op);
  if (failed(space.add(op.getValue(), value, grouped)) ||
      failed(space.add(op.getLike(), lookup(op.getLike()),
                       access(op, {Batch, Length, Channel}))) ||
      failed(space.finish()))
    return failure();
  FailureOr<ReferenceTensor> result =
      allocate(op, space.shapeOf(full), value.tensor->isComplex);
  if (failed(result))
    return failure();
  eachOfGroups(space, space.mapOf(*result, full), space.mapOf(value, grouped),
               [&](int64_t to, int64_t from) {
                 result->set(to, value.tensor->get(from));
               });
  return Values{ReferenceValue::of(std::move(*result))};
}

FailureOr<Values> mlir::ssm::evaluateSumGroups(SumGroupsOp op, Lookup lookup) {
  using enum Axis;
  AccessAttr full = access(op, {Batch, Length, Channel, State});
  AccessAttr grouped = access(op, {Batch, Length, Group, State});
  ReferenceValue value = lookup(op.getValue());
  IterationSpace space(op);
  if (failed(space.add(op.getValue(), value, full)))
    return failure();
  space.addGroups(op.getResult(), grouped);
  if (failed(space.finish()))
    return failure();
  FailureOr<ReferenceTensor> result =
      allocate(op, space.shapeOf(grouped, op.getResult().getType()),
               value.tensor->isComplex);
  if (failed(result))
    return failure();
  eachOfGroups(space, space.mapOf(value, full), space.mapOf(*result, grouped),
               [&](int64_t from, int64_t to) {
                 result->set(to, result->get(to) + value.tensor->get(from));
               });
  return Values{ReferenceValue::of(std::move(*result))};
}

//===----------------------------------------------------------------------===//
// Readout
//===----------------------------------------------------------------------===//

FailureOr<Values> mlir::ssm::evaluateReadout(ReadoutOp op, Lookup lookup) {
  using enum Axis;
  ReferenceValue h = lookup(op.getStates()), C = lookup(op.getC());
  AccessAttr hAccess = access(op, {Batch, Length, Channel, State});
  IterationSpace space(op);
  if (failed(space.add(op.getStates(), h, hAccess)) ||
      failed(space.add(op.getC(), C, op.outputMatrixAccess())) ||
      failed(space.finish()))
    return failure();
  ElementMap hMap = space.mapOf(h, hAccess);
  ElementMap cMap = space.mapOf(C, op.outputMatrixAccess());
  FailureOr<ReferenceTensor> y =
      allocate(op, space.shapeOf(access(op, {Batch, Length, Channel})), false);
  if (failed(y))
    return failure();
  bool isReal = !h.tensor->isComplex && !C.tensor->isComplex;
  int64_t element = 0;
  auto contract = [&](int64_t b, int64_t l, int64_t d) {
    double sum = 0.0;
    for (int64_t n = 0; n < space.states(); ++n) {
      Scalar hn = h.tensor->get(hMap.at(b, l, d, n));
      Scalar cn = C.tensor->get(cMap.at(b, l, d, n));
      sum += isReal ? hn.real() * cn.real() : (hn * cn).real();
    }
    return sum;
  };
  for (int64_t b = 0; b < space.batches(); ++b)
    for (int64_t l = 0; l < space.steps(); ++l)
      for (int64_t d = 0; d < space.channels(); ++d)
        y->re[element++] = contract(b, l, d);
  return Values{ReferenceValue::of(std::move(*y))};
}
