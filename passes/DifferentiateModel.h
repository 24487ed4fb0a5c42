//===- DifferentiateModel.h - Adjoints of ops of model IR -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_DIFFERENTIATEMODEL_H
#define MAMBA_PASSES_DIFFERENTIATEMODEL_H

#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace mlir::ssm {

/// An op that computes elements of its results from elements of its operands.
struct PointwiseAdjoint {
  PointwiseAdjoint(Operation *op, int64_t numLoops)
      : op(op), numLoops(static_cast<unsigned>(numLoops)) {}

  Operation *op;
  unsigned numLoops;
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;  ///< From loops to dimensions of each operand.
  SmallVector<Value> gradients; ///< Of the results, if any.
  SmallVector<AffineMap> gradientMaps;
  /// What a point adds to the gradient of operand `i`, null for nothing.
  std::function<FailureOr<Value>(OpBuilder &, unsigned i, ValueRange elements,
                                 ValueRange gradients)>
      adjoint;
  /// Takes the gradient of operand `i`, if not add() does.
  std::function<void(unsigned i, Value gradient)> sink;

  void read(Value operand, AffineMap map) {
    operands.push_back(operand);
    maps.push_back(map);
  }
  void addGradient(Value gradient, AffineMap map) {
    if (!gradient)
      return;
    gradients.push_back(gradient);
    gradientMaps.push_back(map);
  }
};

/// Zero of a floating-point or complex type.
Value zeroOf(OpBuilder &builder, Location loc, Type element);

/// Drops the ops of `block` whose results no one uses.
void dropDead(Block &block);

/// Emits adjoints of tensor ops and keeps the gradients of their values.
class ModelAdjoints {
public:
  /// New ops go where `builder` is. `active`: values with a gradient that
  /// someone asks for.
  ModelAdjoints(OpBuilder &builder, const DenseSet<Value> &active)
      : builder(builder), active(active) {}

  /// Adds to the gradient of `value`, if it is an active one.
  void add(Value value, Value gradient);
  /// The gradient of `value`, null where nothing adds to it.
  Value of(Value value) const { return gradients.lookup(value); }
  /// A tensor of zeros with the type and the extents of `like`.
  Value zerosLike(Value like);
  Value fillWithZero(Value tensor);

  /// Hands the gradients of `op`'s results on to its operands. Fails with an
  /// error at `op` where there is no rule for it.
  LogicalResult visit(Operation *op);

private:
  using Pointwise = PointwiseAdjoint;

  // DifferentiateModel.cpp
  LogicalResult visitPointwise(const Pointwise &op);
  LogicalResult fillGradient(const Pointwise &op, unsigned operand,
                             Block &body);
  Value emptyGradient(const Pointwise &op, unsigned operand);
  LogicalResult emitGradient(const Pointwise &op, unsigned operand);
  LogicalResult visitLinalg(linalg::LinalgOp op);
  LogicalResult visitElementwise(Operation *op);
  Value addTensors(Value first, Value second);
  Value mapElements(Location loc, ValueRange tensors,
                    function_ref<Value(OpBuilder &, ValueRange)> body);

  // DifferentiateSSM.cpp
  LogicalResult visitDiscretize(DiscretizeOp op);
  LogicalResult visitScan(ScanOp op);
  Value stepInput(ScanOp op, Value a, Value gradient);
  LogicalResult addToInit(ScanOp op, Value gradient);
  LogicalResult visitReadout(ReadoutOp op);
  LogicalResult visitGate(GateOp op);
  Value spread(Value grouped, Value like, Type type);
  void addSpread(Value grouped, Value full, Value gradient);

  OpBuilder &builder;
  const DenseSet<Value> &active;
  llvm::DenseMap<Value, Value> gradients;
};

} // namespace mlir::ssm

#endif // MAMBA_PASSES_DIFFERENTIATEMODEL_H
