//===- FuseAxes.h - Which axes tensors of model IR run over ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only the ssm ops say what a tensor's dimensions mean. All other ops relate
// the dimensions of their operands to each other, so the meaning spreads from
// the ssm ops to every tensor of a function. Dimensions that must run over one
// axis form a class of a union-find structure; a class knows at most one axis.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_FUSEAXES_H
#define MAMBA_PASSES_FUSEAXES_H

#include "dialect/Dependence.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::ssm {

/// Accesses of the tensors that the ops of a function read and compute. An
/// argument of the function may be read with several accesses, so its uses are
/// told apart; a computed tensor has one.
class FuseAxes {
public:
  /// Infers the accesses for `ops`, which collectModel() gave. Fails with a
  /// located error where a tensor would need two accesses or where nothing
  /// tells its axes.
  static FailureOr<FuseAxes> infer(func::FuncOp function,
                                   ArrayRef<Operation *> ops);

  /// The access of an op's result.
  AccessAttr of(Value result) const { return accesses.at(keyOf(result)); }
  /// The access with which `use`, a read of a tensor, reads it.
  AccessAttr of(OpOperand &use) const { return accesses.at(keyOf(use)); }
  /// The axes that `op` sums over; Group for the channels of each group.
  AxisSet summedBy(Operation *op) const { return summed.lookup(op); }
  /// Whether `op` sums over more than states: its result is a total.
  bool isTotal(Operation *op) const {
    return !AxisSet{Axis::State}.contains(summedBy(op));
  }

private:
  /// What has dimensions of its own: a result, or one use of an argument.
  using Key = const void *;
  /// A class of dimensions, as an index into `parents`.
  using Dim = unsigned;
  struct Tensor {
    RankedTensorType type;
    Operation *op; // where errors about it are reported
    Value value;   // the argument, or the result
    SmallVector<Dim> dims;
  };

  /// A loop that reduces, and the other loops of its op.
  struct Sum {
    Operation *op;
    Dim dim;
    SmallVector<Dim> others;
  };

  FuseAxes(MLIRContext *context);

  static Key keyOf(Value result) { return result.getAsOpaquePointer(); }
  static Key keyOf(OpOperand &use);

  Dim newDim();
  Dim axisDim(Axis axis) const { return static_cast<Dim>(axis); }
  SmallVector<Dim> axisDims(ArrayRef<Axis> axes) const;
  Dim root(Dim dim) const;
  std::optional<Axis> axisOf(Dim dim) const;
  bool unify(Dim a, Dim b);
  bool isKnown(ArrayRef<Dim> dims) const;
  std::string describe(ArrayRef<Dim> dims) const;

  Tensor &tensorOf(Key key, Value value, Operation *op);
  LogicalResult relate(Tensor &tensor, ArrayRef<Dim> dims, Operation *op);
  LogicalResult relate(OpOperand &use, ArrayRef<Dim> dims);
  LogicalResult relateResults(Operation *op, ArrayRef<Dim> dims);

  LogicalResult visit(Operation *op);
  LogicalResult visitScan(ScanOp op);
  LogicalResult visitSaved(ScanOp op, SmallVector<Dim> dims);
  LogicalResult visitLinalg(Operation *op);
  bool adoptFromOtherUses();
  bool assumeActivations();
  LogicalResult verifySum(const Sum &sum);
  LogicalResult resolveGroup(linalg::LinalgOp op, AxisSet &axes);
  static LogicalResult verifyStarts(linalg::LinalgOp op, AxisSet axes);
  LogicalResult resolveSums();
  LogicalResult resolve();

  MLIRContext *context;
  /// Steps from one saved state to the next; 0 where none are saved.
  int64_t every = 0;
  SmallVector<Dim> parents;
  SmallVector<std::optional<Axis>> known;
  llvm::MapVector<Key, Tensor> tensors;
  SmallVector<Sum> sums;
  llvm::MapVector<Operation *, AxisSet> summed;
  DenseMap<Key, AccessAttr> accesses;
};

} // namespace mlir::ssm

#endif // MAMBA_PASSES_FUSEAXES_H
