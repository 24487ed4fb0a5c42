//===- DifferentiateModel.cpp - Adjoints of ops of model IR ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All ops but scans and casts compute elements from elements: their adjoints
// are linalg.generic ops over the same loops, one an operand, in which loops
// that the operand lacks are reductions. The adjoint of a scan is a scan in the
// other direction.
//
//===----------------------------------------------------------------------===//

#include "passes/DifferentiateModel.h"

#include "passes/DifferentiateScalar.h"
#include "passes/FuseModel.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace mlir::ssm;

static bool isTensor(Value value) {
  return isa<RankedTensorType>(value.getType());
}

void ModelAdjoints::add(Value value, Value gradient) {
  if (!active.contains(value))
    return;
  Value &sum = gradients[value];
  if (!sum) {
    sum = gradient;
    return;
  }
  sum = addTensors(sum, gradient);
}

/// Sums over the channels of groups are added before they are summed up: a
/// kernel has a total then, and nothing that goes on from two of them.
Value ModelAdjoints::addTensors(Value first, Value second) {
  Location loc = second.getLoc();
  auto firstSum = first.getDefiningOp<SumGroupsOp>();
  auto secondSum = second.getDefiningOp<SumGroupsOp>();
  if (firstSum && secondSum &&
      firstSum.getValue().getType() == secondSum.getValue().getType())
    return SumGroupsOp::create(
        builder, loc, second.getType(),
        addTensors(firstSum.getValue(), secondSum.getValue()));
  return mapElements(loc, {first, second}, [&](OpBuilder &body, ValueRange x) {
    return ScalarBuilder(body, loc).add(x[0], x[1]);
  });
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value mlir::ssm::zeroOf(OpBuilder &builder, Location loc, Type element) {
  if (auto complex = dyn_cast<ComplexType>(element)) {
    Attribute zero = builder.getZeroAttr(complex.getElementType());
    return complex::ConstantOp::create(builder, loc, complex,
                                       builder.getArrayAttr({zero, zero}));
  }
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
}

Value ModelAdjoints::zerosLike(Value like) {
  auto type = cast<RankedTensorType>(like.getType());
  Location loc = like.getLoc();
  SmallVector<Value> extents;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      extents.push_back(tensor::DimOp::create(builder, loc, like, dim));
  return fillWithZero(tensor::EmptyOp::create(builder, loc, type, extents));
}

Value ModelAdjoints::fillWithZero(Value tensor) {
  Location loc = tensor.getLoc();
  Value zero = zeroOf(builder, loc, getElementTypeOrSelf(tensor));
  return linalg::FillOp::create(builder, loc, zero, tensor).getResult(0);
}

/// Tensors of one shape, element by element; of the first one's type.
Value ModelAdjoints::mapElements(
    Location loc, ValueRange tensors,
    function_ref<Value(OpBuilder &, ValueRange)> body) {
  auto type = cast<RankedTensorType>(tensors.front().getType());
  SmallVector<AffineMap> maps(tensors.size() + 1,
                              builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  auto build = [&](OpBuilder &nested, Location, ValueRange elements) {
    linalg::YieldOp::create(nested, loc, body(nested, elements.drop_back()));
  };
  return linalg::GenericOp::create(builder, loc, type, tensors, tensors.front(),
                                   maps, loops, build)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Adjoints of elementwise work
//===----------------------------------------------------------------------===//

static llvm::SmallBitVector loopsOf(AffineMap map) {
  llvm::SmallBitVector loops(map.getNumDims());
  for (AffineExpr expr : map.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      loops.set(dim.getPosition());
  return loops;
}

/// A gradient can be summed where the elements of its operand are: each of them
/// is read at different values of the loops that it has.
static LogicalResult verifyMap(Operation *op, unsigned operand, AffineMap map) {
  unsigned dims = loopsOf(map).count();
  for (AffineExpr expr : map.getResults())
    if (isa<AffineConstantExpr>(expr))
      ++dims;
  if (dims == map.getNumResults())
    return success();
  return op->emitError("cannot be differentiated: operand ")
         << operand << " has the indexing map " << AffineMapAttr::get(map)
         << ", expected different loops only (and constants)";
}

void mlir::ssm::dropDead(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult ModelAdjoints::visitPointwise(const Pointwise &op) {
  if (op.gradients.empty())
    return success();
  for (auto [i, operand] : llvm::enumerate(op.operands)) {
    if (!isTensor(operand) && active.contains(operand))
      return op.op->emitError("cannot be differentiated: operand ")
             << i << " is a number that has a gradient, expected a tensor; one "
             << "of rank 0 can be broadcast";
    if (isTensor(operand) && hasGradient(getElementTypeOrSelf(operand)) &&
        (op.sink || active.contains(operand)) && failed(emitGradient(op, i)))
      return failure();
  }
  return success();
}

/// Tensors that a linalg op reads, which its body needs, and with them enough
/// to tell the extents of all loops: numbers in `maps`. `wanted` are read;
/// gradients come before others, since forward's values may not be there.
static SmallVector<unsigned> chooseInputs(ArrayRef<AffineMap> maps,
                                          unsigned numOperands,
                                          llvm::SmallBitVector known,
                                          function_ref<bool(unsigned)> wanted) {
  SmallVector<unsigned> chosen;
  auto choose = [&](unsigned k) {
    chosen.push_back(k);
    known |= loopsOf(maps[k]);
  };
  for (unsigned k = 0; k < maps.size(); ++k)
    if (wanted(k))
      choose(k);
  auto addExtents = [&](unsigned from, unsigned to) {
    for (unsigned k = from; k < to && !known.all(); ++k)
      if (loopsOf(maps[k]).test(known))
        choose(k);
  };
  addExtents(numOperands, maps.size());
  addExtents(0, numOperands);
  llvm::sort(chosen);
  return chosen;
}

/// True where what points add to the gradient of operand `i` is summed.
static bool isSummed(const PointwiseAdjoint &op, unsigned i) {
  return loopsOf(op.maps[i]).count() < op.numLoops;
}

/// What the gradient of operand `i` is computed in: a sum of halves in single
/// precision, and rounded once.
static RankedTensorType gradientType(const PointwiseAdjoint &op, unsigned i) {
  auto type = cast<RankedTensorType>(op.operands[i].getType());
  if (!isSummed(op, i) ||
      !isa<Float16Type, BFloat16Type>(type.getElementType()))
    return type;
  return type.clone(Float32Type::get(type.getContext()));
}

/// The body of an op that gives the gradient of operand `i`: its arguments are
/// an element of everything that it may read, and of its result. Left empty
/// where there is no gradient.
LogicalResult ModelAdjoints::fillGradient(const Pointwise &op, unsigned i,
                                          Block &body) {
  Location loc = op.op->getLoc();
  for (Value tensor : llvm::concat<const Value>(op.operands, op.gradients))
    body.addArgument(getElementTypeOrSelf(tensor), loc);
  Value sum = body.addArgument(gradientType(op, i).getElementType(), loc);
  OpBuilder nested(builder.getContext());
  nested.setInsertionPointToEnd(&body);
  ValueRange elements = body.getArguments();
  FailureOr<Value> point =
      op.adjoint(nested, i, elements.take_front(op.operands.size()),
                 elements.slice(op.operands.size(), op.gradients.size()));
  if (failed(point))
    return failure();
  if (!*point) {
    dropDead(body);
    return success();
  }
  Value yielded = *point;
  if (yielded.getType() != sum.getType())
    yielded = arith::ExtFOp::create(nested, loc, sum.getType(), yielded);
  if (isSummed(op, i))
    yielded = ScalarBuilder(nested, loc).add(sum, yielded);
  linalg::YieldOp::create(nested, loc, yielded);
  dropDead(body);
  return success();
}

/// A tensor for the gradient of operand `i`, of which nothing is read: where a
/// gradient tells its extents, forward's operand is not needed.
Value ModelAdjoints::emptyGradient(const Pointwise &op, unsigned i) {
  Location loc = op.op->getLoc();
  RankedTensorType type = gradientType(op, i);
  for (auto [gradient, map] : llvm::zip(op.gradients, op.gradientMaps))
    if (gradient.getType() == type && map == op.maps[i])
      return gradient;
  auto extentOf = [&](int64_t dim) -> Value {
    for (auto [gradient, map] : llvm::zip(op.gradients, op.gradientMaps))
      for (auto [at, loop] : llvm::enumerate(map.getResults()))
        if (isa<AffineDimExpr>(loop) && loop == op.maps[i].getResult(dim))
          return tensor::DimOp::create(builder, loc, gradient, at);
    return tensor::DimOp::create(builder, loc, op.operands[i], dim);
  };
  SmallVector<Value> extents;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      extents.push_back(extentOf(dim));
  return tensor::EmptyOp::create(builder, loc, type, extents);
}

LogicalResult ModelAdjoints::emitGradient(const Pointwise &op, unsigned i) {
  Block body;
  if (failed(verifyMap(op.op, i, op.maps[i])) ||
      failed(fillGradient(op, i, body)))
    return failure();
  if (body.empty())
    return success();
  SmallVector<Value> tensors(op.operands);
  SmallVector<AffineMap> maps(op.maps);
  tensors.append(op.gradients);
  maps.append(op.gradientMaps);
  llvm::SmallBitVector own = loopsOf(op.maps[i]);
  SmallVector<unsigned> chosen =
      chooseInputs(maps, op.operands.size(), own, [&](unsigned k) {
        return !body.getArgument(k).use_empty();
      });
  SmallVector<Value> inputs;
  SmallVector<AffineMap> chosenMaps;
  for (unsigned k : chosen) {
    inputs.push_back(tensors[k]);
    chosenMaps.push_back(maps[k]);
  }
  chosenMaps.push_back(op.maps[i]);
  SmallVector<utils::IteratorType> loops;
  for (unsigned loop = 0; loop < op.numLoops; ++loop)
    loops.push_back(own.test(loop) ? utils::IteratorType::parallel
                                   : utils::IteratorType::reduction);
  // What no point writes is zero.
  bool isWhole = op.maps[i].isPermutation();
  Value like = op.operands[i], start = emptyGradient(op, i);
  if (!isWhole)
    start = fillWithZero(start);
  auto build = [&](OpBuilder &b, Location, ValueRange arguments) {
    IRMapping mapping;
    for (auto [position, k] : llvm::enumerate(chosen))
      mapping.map(body.getArgument(k), arguments[position]);
    mapping.map(body.getArguments().back(), arguments.back());
    for (Operation &nested : body)
      b.clone(nested, mapping);
  };
  Value gradient =
      linalg::GenericOp::create(builder, op.op->getLoc(), start.getType(),
                                inputs, start, chosenMaps, loops, build)
          .getResult(0);
  if (gradient.getType() != like.getType())
    gradient = arith::TruncFOp::create(builder, op.op->getLoc(), like.getType(),
                                       gradient);
  if (op.sink)
    op.sink(i, gradient);
  else
    add(like, gradient);
  return success();
}

/// Differentiates scalar ops that a body has been given: from the gradients of
/// `results` to that of `wanted`.
static FailureOr<Value> throughOps(OpBuilder &body, ArrayRef<Operation *> ops,
                                   ValueRange results, ValueRange gradients,
                                   Value wanted) {
  ScalarAdjoints adjoints(body);
  for (auto [result, gradient] : llvm::zip_equal(results, gradients))
    adjoints.add(result, gradient);
  for (Operation *op : llvm::reverse(ops))
    if (failed(adjoints.visit(op)))
      return failure();
  return adjoints.of(wanted);
}

/// `op`, and in front of it the ops that have to be differentiated with it,
/// since they overflow where it does not: those of log1p(exp(x)), log(1 +
/// exp(x)) and a / (1 + exp(x)).
static SmallVector<Operation *> withParts(Operation *op) {
  SmallVector<Operation *> parts;
  if (isa<math::Log1pOp>(op)) {
    if (auto exp = op->getOperand(0).getDefiningOp<math::ExpOp>())
      parts.push_back(exp);
  } else if (isa<math::LogOp, arith::DivFOp>(op)) {
    Value logistic = op->getOperands().back();
    if (exponentialOfLogistic(logistic)) {
      Operation *sum = logistic.getDefiningOp();
      parts = {sum->getOperand(0).getDefiningOp(),
               sum->getOperand(1).getDefiningOp(), sum};
    }
  }
  parts.push_back(op);
  return parts;
}

/// An elementwise op on tensors, or a splat, for one element.
static Operation *cloneForElement(OpBuilder &body, Operation *op,
                                  IRMapping &mapping) {
  Operation *own;
  if (op->hasTrait<OpTrait::ConstantLike>()) {
    auto splat =
        cast<SplatElementsAttr>(cast<arith::ConstantOp>(op).getValue());
    own = arith::ConstantOp::create(
        body, op->getLoc(), cast<TypedAttr>(splat.getSplatValue<Attribute>()));
  } else {
    SmallVector<Value> operands = llvm::map_to_vector(
        op->getOperands(), [&](Value v) { return mapping.lookupOrDefault(v); });
    own = body.create(op->getLoc(), op->getName().getIdentifier(), operands,
                      getElementTypeOrSelf(op->getResult(0)), op->getAttrs());
  }
  mapping.map(op->getResults(), own->getResults());
  return own;
}

LogicalResult ModelAdjoints::visitElementwise(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  AffineMap scalar = AffineMap::get(type.getRank(), 0, builder.getContext());
  Pointwise pointwise(op, type.getRank());
  SmallVector<Operation *> parts = withParts(op);
  for (Operation *part : parts)
    for (Value operand : part->getOperands())
      if (!llvm::is_contained(parts, operand.getDefiningOp()) &&
          !llvm::is_contained(pointwise.operands, operand))
        pointwise.read(operand, isTensor(operand) ? identity : scalar);
  pointwise.addGradient(of(op->getResult(0)), identity);
  pointwise.adjoint = [&](OpBuilder &body, unsigned i, ValueRange elements,
                          ValueRange gradients) {
    IRMapping mapping;
    mapping.map(pointwise.operands, elements);
    SmallVector<Operation *> own =
        llvm::map_to_vector(parts, [&](Operation *part) {
          return cloneForElement(body, part, mapping);
        });
    return throughOps(body, own, own.back()->getResults(), gradients,
                      elements[i]);
  };
  return visitPointwise(pointwise);
}

LogicalResult ModelAdjoints::visitLinalg(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return op->emitError("cannot be differentiated: expected tensors only, "
                         "found an operand in memory");
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value value : captured)
    if (active.contains(value))
      return op->emitError("cannot be differentiated: its body reads a tensor "
                           "or number from outside that has a gradient; pass "
                           "the tensor as an operand");
  bool sums = op.getNumReductionLoops() > 0;
  Pointwise pointwise(op, op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands())
    pointwise.read(operand.get(), op.getMatchingIndexingMap(&operand));
  SmallVector<Value> yielded;
  for (OpResult result : op->getResults()) {
    unsigned number = result.getResultNumber();
    Value term = op.getBlock()->getTerminator()->getOperand(number);
    if (sums && !(term = sumTerm(op, number)))
      return op->emitError("cannot be differentiated: its loops reduce, and "
                           "result ")
             << number << " is no sum (what it was plus a term)";
    Value gradient = of(result);
    if (!gradient)
      continue;
    OpOperand *init = op.getDpsInitOperand(number);
    pointwise.addGradient(gradient, op.getMatchingIndexingMap(init));
    yielded.push_back(term);
    if (sums)
      add(init->get(), gradient);
  }
  pointwise.adjoint = [&](OpBuilder &body, unsigned i, ValueRange elements,
                          ValueRange gradients) -> FailureOr<Value> {
    // The sum itself has handed its gradient on.
    if (sums && i >= static_cast<unsigned>(op.getNumDpsInputs()))
      return Value();
    IRMapping mapping;
    mapping.map(op.getBlock()->getArguments(), elements);
    SmallVector<Operation *> ops;
    for (Operation &nested : op.getBlock()->without_terminator())
      ops.push_back(body.clone(nested, mapping));
    SmallVector<Value> results;
    for (Value value : yielded)
      results.push_back(mapping.lookupOrDefault(value));
    return throughOps(body, ops, results, gradients, elements[i]);
  };
  return visitPointwise(pointwise);
}

//===----------------------------------------------------------------------===//
// Any op
//===----------------------------------------------------------------------===//

LogicalResult ModelAdjoints::visit(Operation *op) {
  if (llvm::none_of(op->getResults(), [&](Value result) { return of(result); }))
    return success();
  if (auto discretize = dyn_cast<DiscretizeOp>(op))
    return visitDiscretize(discretize);
  if (auto scan = dyn_cast<ScanOp>(op))
    return visitScan(scan);
  if (auto readout = dyn_cast<ReadoutOp>(op))
    return visitReadout(readout);
  if (auto gate = dyn_cast<GateOp>(op))
    return visitGate(gate);
  if (auto groups = dyn_cast<SpreadGroupsOp>(op)) {
    add(groups.getValue(),
        SumGroupsOp::create(builder, op->getLoc(), groups.getValue().getType(),
                            of(groups.getResult())));
    return success();
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return visitLinalg(linalgOp);
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    add(cast.getSource(),
        tensor::CastOp::create(builder, op->getLoc(),
                               cast.getSource().getType(), of(cast)));
    return success();
  }
  if (OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1 &&
      isTensor(op->getResult(0)))
    return visitElementwise(op);
  return op->emitError("cannot be differentiated: expected ssm ops of model "
                       "IR, linalg ops or elementwise arith and math on ranked "
                       "tensors");
}
