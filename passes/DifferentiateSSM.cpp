//===- DifferentiateSSM.cpp - Adjoints of ssm ops -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DifferentiateModel.h"

#include "passes/DifferentiateScalar.h"
#include "passes/Formulas.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::ssm;

/// Loops b, l, d, n.
static AffineMap axesMap(OpBuilder &builder, ArrayRef<unsigned> loops) {
  return AffineMap::getMultiDimMapWithTargets(4, loops, builder.getContext());
}

/// A matrix that groups have, for each channel; others as they are.
Value ModelAdjoints::spread(Value matrix, Value like, Type full) {
  if (cast<RankedTensorType>(matrix.getType()).getRank() != 4)
    return matrix;
  auto type = cast<RankedTensorType>(full);
  return SpreadGroupsOp::create(
      builder, matrix.getLoc(),
      type.clone(getElementTypeOrSelf(matrix.getType())), matrix, like);
}

void ModelAdjoints::addSpread(Value matrix, Value full, Value gradient) {
  if (full != matrix)
    gradient = SumGroupsOp::create(builder, gradient.getLoc(), matrix.getType(),
                                   gradient);
  add(matrix, gradient);
}

LogicalResult ModelAdjoints::visitDiscretize(DiscretizeOp op) {
  Value ga = of(op.getABar()), gb = of(op.getBBar());
  AffineMap full = axesMap(builder, {0, 1, 2, 3});
  AffineMap dn = axesMap(builder, {2, 3}), bld = axesMap(builder, {0, 1, 2});
  Value B = spread(op.getB(), op.getU(), op.getABar().getType());
  bool isDelta1 =
      cast<RankedTensorType>(op.getDelta().getType()).getRank() == 1;
  Pointwise pointwise(op, 4);
  pointwise.read(op.getDelta(), isDelta1 ? axesMap(builder, {2}) : bld);
  pointwise.read(op.getA(), dn);
  pointwise.read(B, B == op.getB() ? dn : full);
  pointwise.read(op.getU(), bld);
  pointwise.addGradient(ga, full);
  pointwise.addGradient(gb, full);
  pointwise.adjoint = [&](OpBuilder &body, unsigned i, ValueRange x,
                          ValueRange g) -> FailureOr<Value> {
    System system{{x[0], {}}, {x[1], {}}, {x[2], {}}, {x[3], {}}};
    Value gradient = buildDiscretizeGradient(
        body, op.getLoc(), op.getRule(), system, i, ga ? g.front() : Value(),
        gb ? g.back() : Value());
    if (!gradient)
      return Value();
    ScalarBuilder s(body, op.getLoc());
    return fitTo(s, gradient, x[i].getType());
  };
  pointwise.sink = [&](unsigned i, Value gradient) {
    if (i == 2)
      addSpread(op.getB(), B, gradient);
    else
      add(op->getOperand(i), gradient);
  };
  return visitPointwise(pointwise);
}

LogicalResult ModelAdjoints::visitReadout(ReadoutOp op) {
  Value g = of(op.getY());
  AffineMap full = axesMap(builder, {0, 1, 2, 3});
  Value C = spread(op.getC(), g, op.getStates().getType());
  Pointwise pointwise(op, 4);
  pointwise.read(op.getStates(), full);
  pointwise.read(C, C == op.getC() ? axesMap(builder, {2, 3}) : full);
  pointwise.addGradient(g, axesMap(builder, {0, 1, 2}));
  pointwise.adjoint = [&](OpBuilder &body, unsigned i, ValueRange x,
                          ValueRange gradients) -> FailureOr<Value> {
    ScalarBuilder s(body, op.getLoc());
    Value other = s.conj(x[1 - i]);
    return fitTo(s, s.mul(gradients[0], other), x[i].getType());
  };
  pointwise.sink = [&](unsigned i, Value gradient) {
    if (i == 1)
      addSpread(op.getC(), C, gradient);
    else
      add(op.getStates(), gradient);
  };
  return visitPointwise(pointwise);
}

LogicalResult ModelAdjoints::visitGate(GateOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  Pointwise pointwise(op, type.getRank());
  pointwise.read(op.getY(), identity);
  pointwise.read(op.getZ(), identity);
  pointwise.addGradient(of(op.getResult()), identity);
  pointwise.adjoint = [&](OpBuilder &body, unsigned i, ValueRange x,
                          ValueRange g) -> FailureOr<Value> {
    if (i == 0)
      return buildGate(body, op.getLoc(), op.getActivation(), g[0], x[1]);
    ScalarBuilder s(body, op.getLoc());
    Value slope = buildGateSlope(body, op.getLoc(), op.getActivation(), x[1]);
    return s.mul(s.mul(g[0], x[0]), slope);
  };
  return visitPointwise(pointwise);
}

/// What enters the scan of the gradients at each step: a g, or g itself where
/// states are those before a step; zero where they have no gradient.
Value ModelAdjoints::stepInput(ScanOp op, Value a, Value gradient) {
  Location loc = op.getLoc();
  if (!gradient)
    return mapElements(loc, a, [&](OpBuilder &body, ValueRange x) {
      return zeroOf(body, loc, x[0].getType());
    });
  if (op.getExclusive())
    return gradient;
  return mapElements(loc, {a, gradient}, [&](OpBuilder &body, ValueRange x) {
    return ScalarBuilder(body, loc).mul(x[0], x[1]);
  });
}

/// All sequences may share the initial state: a sum over b.
LogicalResult ModelAdjoints::addToInit(ScanOp op, Value gradient) {
  if (!op.getInit() || !active.contains(op.getInit()))
    return success();
  auto rankOf = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getRank();
  };
  AffineMap full = builder.getMultiDimIdentityMap(rankOf(gradient));
  Pointwise pointwise(op, rankOf(gradient));
  pointwise.read(op.getInit(), full.getMinorSubMap(rankOf(op.getInit())));
  pointwise.addGradient(gradient, full);
  pointwise.adjoint = [](OpBuilder &, unsigned, ValueRange,
                         ValueRange gradients) -> FailureOr<Value> {
    return Value(gradients[0]);
  };
  return visitPointwise(pointwise);
}

/// With G_t = dL/dh_t, all of it, of h_t = a_t h_(t-1) + b_t:
///   G_t = g_t + p_(t+1),  p_t = conj(a_t) G_t,  p_L = dL/d(last),
/// a scan of p in the other direction, exclusive; and
///   dL/da_t = G_t conj(h_(t-1)),  dL/db_t = G_t,  dL/d(init) = p_0.
/// Where the states are those before each step, g_(t+1) is what comes with step
/// t: p_t = conj(a_t) p_(t+1) + g_t.
LogicalResult ModelAdjoints::visitScan(ScanOp op) {
  if (op.getEvery())
    return op.emitError("cannot be differentiated: it saves states, or starts "
                        "from saved ones; run --ssm-recompute afterwards");
  Value g = of(op.getStates()), gLast = of(op.getLast());
  Location loc = op.getLoc();
  Value a = op.getA();
  if (isa<ComplexType>(getElementTypeOrSelf(a)))
    a = mapElements(loc, a, [&](OpBuilder &body, ValueRange x) {
      return ScalarBuilder(body, loc).conj(x[0]);
    });
  Type states = op.getStates().getType(), last = op.getLast().getType();
  UnitAttr unit = builder.getUnitAttr();
  auto later =
      ScanOp::create(builder, loc, states, last, a, stepInput(op, a, g), gLast,
                     op.getReverse() ? UnitAttr() : unit, unit);
  Value total = later.getStates();
  if (g && !op.getExclusive())
    total = mapElements(loc, {total, g}, [&](OpBuilder &body, ValueRange x) {
      return ScalarBuilder(body, loc).add(x[0], x[1]);
    });
  add(op.getB(), total);
  if (active.contains(op.getA())) {
    Value before = op.getStates();
    if (!op.getExclusive())
      before = ScanOp::create(builder, loc, states, last, op.getA(), op.getB(),
                              op.getInit(), op.getReverseAttr(), unit)
                   .getStates();
    add(op.getA(),
        mapElements(loc, {total, before}, [&](OpBuilder &body, ValueRange x) {
          ScalarBuilder s(body, loc);
          return s.mul(x[0], s.conj(x[1]));
        }));
  }
  return addToInit(op, later.getLast());
}
