//===- FuseModel.cpp - What fusion knows of model IR ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/FuseModel.h"

#include "dialect/BodyOps.h"
#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::ssm;

Value mlir::ssm::stripCasts(Value value) {
  // Through an unranked type a cast could even change the rank.
  auto isRanked = [](Value tensor) {
    return isa<RankedTensorType>(tensor.getType());
  };
  while (auto cast = value.getDefiningOp<tensor::CastOp>()) {
    if (!isRanked(value) || !isRanked(cast.getSource()))
      return value;
    value = cast.getSource();
  }
  return value;
}

void mlir::ssm::forEachRead(Operation *op,
                            function_ref<void(OpOperand &)> callback) {
  if (auto groups = dyn_cast<SpreadGroupsOp>(op))
    return callback(groups.getValueMutable());
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (!linalgOp || linalgOp.payloadUsesValueFromOperand(&operand))
      callback(operand);
  if (linalgOp)
    visitUsedValuesDefinedAbove(
        op->getRegions(), [&](OpOperand *captured) { callback(*captured); });
}

/// True where `value` is computed from what some result was at a point before.
/// `seen` has the values that are not, as far as is known.
static bool readsResults(linalg::LinalgOp op, Value value,
                         DenseSet<Value> &seen) {
  if (llvm::is_contained(op.getRegionOutputArgs(), value))
    return true;
  Operation *producer = value.getDefiningOp();
  return seen.insert(value).second && producer &&
         producer->getBlock() == op.getBlock() &&
         llvm::any_of(producer->getOperands(), [&](Value operand) {
           return readsResults(op, operand, seen);
         });
}

Value mlir::ssm::sumTerm(linalg::LinalgOp op, unsigned result) {
  Value yielded = op.getBlock()->getTerminator()->getOperand(result);
  Value out = op.getRegionOutputArgs()[result];
  Operation *sum = yielded.getDefiningOp();
  if (!isa_and_present<arith::AddFOp, complex::AddOp>(sum))
    return nullptr;
  for (unsigned i : {0, 1}) {
    DenseSet<Value> seen;
    Value term = sum->getOperand(1 - i);
    if (sum->getOperand(i) == out && !readsResults(op, term, seen))
      return term;
  }
  return nullptr;
}

Value mlir::ssm::roundedValue(Operation *op) {
  if (isa<arith::TruncFOp>(op))
    return stripCasts(op->getOperand(0));
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || op->getNumResults() != 1 ||
      linalgOp.getNumReductionLoops() > 0)
    return nullptr;
  Value yielded = linalgOp.getBlock()->getTerminator()->getOperand(0);
  auto round = yielded.getDefiningOp<arith::TruncFOp>();
  auto argument =
      round ? dyn_cast<BlockArgument>(round.getIn()) : BlockArgument();
  if (!argument || argument.getOwner() != linalgOp.getBlock())
    return nullptr;
  OpOperand *operand = linalgOp.getMatchingOpOperand(argument);
  bool isInPlace =
      linalgOp.getMatchingIndexingMap(operand) ==
      linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0));
  return isInPlace ? stripCasts(operand->get()) : nullptr;
}

bool mlir::ssm::isZeroTensor(Value value) {
  auto fill = stripCasts(value).getDefiningOp<linalg::FillOp>();
  return isZero(fill ? fill.getInputs()[0] : stripCasts(value));
}

//===----------------------------------------------------------------------===//
// What is accepted
//===----------------------------------------------------------------------===//

/// An op that a fused body may hold as it is.
static LogicalResult verifyBodyOp(Operation *op) {
  std::string problem = bodyOpProblem(op);
  return problem.empty() ? success()
                         : op->emitError("cannot be fused: '")
                               << op->getName() << "' " << problem;
}

/// Each result of `map` is a loop, or the one element of an extent of 1.
static bool isProjection(AffineMap map, Value operand) {
  auto type = dyn_cast<RankedTensorType>(operand.getType());
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    if (!isa<AffineDimExpr>(expr) &&
        !(isa<AffineConstantExpr>(expr) && type && type.getDimSize(dim) == 1))
      return false;
  return true;
}

/// Each parallel loop is one result of `map`. What sums over the channels may
/// have one element for all of them.
static bool isWhole(linalg::LinalgOp op, AffineMap map, Value output) {
  bool isSum = op.getNumReductionLoops() > 0;
  unsigned numLoops = llvm::count_if(map.getResults(), [](AffineExpr expr) {
    return isa<AffineDimExpr>(expr);
  });
  return map.isProjectedPermutation(/*allowZeroInResults=*/isSum) &&
         isProjection(map, output) && numLoops == op.getNumParallelLoops();
}

static LogicalResult verifyMaps(linalg::LinalgOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    bool isOutput = op.isDpsInit(&operand);
    if (isOutput ? isWhole(op, map, operand.get())
                 : isProjection(map, operand.get()))
      continue;
    return op->emitError("cannot be fused: operand ")
           << operand.getOperandNumber() << " has the indexing map "
           << AffineMapAttr::get(map) << ", expected "
           << (isOutput ? "a permutation of the loops"
                        : "loops only (and 0 for extents of 1)");
  }
  return success();
}

/// Loops that reduce sum. (Over which axes is known once those of tensors are.)
static LogicalResult verifyLoops(linalg::LinalgOp op) {
  for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind != utils::IteratorType::parallel &&
        kind != utils::IteratorType::reduction)
      return op->emitError("cannot be fused: loop ")
             << i << " is a " << stringifyIteratorType(kind)
             << " loop, expected parallel ones and sums";
  if (op.getNumReductionLoops() == 0)
    return success();
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    if (!sumTerm(op, i))
      return op->emitError("cannot be fused: its loops reduce, and result ")
             << i << " is no sum (what it was plus a term)";
    // Kernels add up as precisely as they compute, and round the sum.
    Type element = getElementTypeOrSelf(op->getResult(i).getType());
    if (!isa<Float32Type, Float64Type>(realTypeOf(element)))
      return op->emitError("cannot be fused: it adds up ")
             << element << ", expected f32, f64 or complex of these; extend "
             << "what it adds, and truncate the sum";
  }
  return success();
}

static LogicalResult verifyLinalg(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return op->emitError("cannot be fused: expected tensors only, found an "
                         "operand in memory");
  if (failed(verifyLoops(op)) || failed(verifyMaps(op)))
    return failure();
  for (Operation &nested : op.getBlock()->without_terminator()) {
    if (!isScalarOp(&nested))
      return nested.emitError("cannot be fused: expected a scalar op of arith, "
                              "math or complex without side effects");
    if (failed(verifyBodyOp(&nested)))
      return failure();
  }
  return success();
}

static LogicalResult verifySupported(Operation *op) {
  if (isa<DiscretizeOp, ScanOp, ReadoutOp, GateOp, SpreadGroupsOp, SumGroupsOp>(
          op))
    return success();
  if (isScalarOp(op))
    return verifyBodyOp(op);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return verifyLinalg(linalgOp);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (isa<SplatElementsAttr>(constant.getValue()))
      return success();
    return op->emitError("cannot be fused: a constant tensor must be a splat; "
                         "pass others as arguments");
  }
  bool isElementwise =
      OpTrait::hasElementwiseMappableTraits(op) && isMemoryEffectFree(op) &&
      op->getNumRegions() == 0 &&
      isa_and_present<arith::ArithDialect, math::MathDialect>(op->getDialect());
  if (isElementwise &&
      llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>))
    return success();
  return op->emitError("cannot be fused: expected ssm.discretize, scan, "
                       "readout, gate, spread_groups or sum_groups, a linalg "
                       "op that is parallel or sums, or elementwise arith and "
                       "math on ranked tensors");
}

//===----------------------------------------------------------------------===//
// What is needed
//===----------------------------------------------------------------------===//

/// A value that a body cannot read: an argument that is no tensor.
static LogicalResult verifyRead(OpOperand &use) {
  Value value = stripCasts(use.get());
  if (value.getDefiningOp() || isa<RankedTensorType>(value.getType()))
    return success();
  return use.getOwner()->emitError(
             "cannot be fused: reads an argument of type ")
         << value.getType() << ", expected a ranked tensor; a scalar can be a "
         << "tensor of rank 0";
}

FailureOr<SmallVector<Operation *>>
mlir::ssm::collectModel(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError("cannot be fused: found ")
           << function.getBody().getBlocks().size()
           << " blocks, expected one without control flow";
  Block &block = function.getBody().front();
  DenseSet<Operation *> needed;
  SmallVector<Operation *> ops;
  LogicalResult status = success();
  auto read = [&](OpOperand &use) {
    if (failed(status) || failed(status = verifyRead(use)))
      return;
    if (Operation *producer = stripCasts(use.get()).getDefiningOp())
      needed.insert(producer);
  };
  for (OpOperand &operand : block.getTerminator()->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      return block.getTerminator()->emitError("cannot be fused: result ")
             << operand.getOperandNumber() << " has type "
             << operand.get().getType() << ", expected a ranked tensor";
    read(operand);
  }
  for (Operation &op : llvm::reverse(block.without_terminator())) {
    if (!needed.contains(&op) && isMemoryEffectFree(&op))
      continue;
    if (failed(status) || failed(status = verifySupported(&op)))
      return failure();
    ops.push_back(&op);
    forEachRead(&op, read);
  }
  if (failed(status))
    return failure();
  std::reverse(ops.begin(), ops.end());
  return ops;
}
