//===- FuseAxes.cpp - Which axes tensors of model IR run over -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/FuseAxes.h"

#include "passes/FuseModel.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::ssm;

static const Axis B = Axis::Batch, L = Axis::Length, D = Axis::Channel,
                  N = Axis::State;

//===----------------------------------------------------------------------===//
// Classes of dimensions
//===----------------------------------------------------------------------===//

/// The first classes are the axes themselves.
FuseAxes::FuseAxes(MLIRContext *context) : context(context) {
  for (Axis axis : {B, L, D, N, Axis::Group, Axis::Segment})
    known[newDim()] = axis;
}

FuseAxes::Dim FuseAxes::newDim() {
  parents.push_back(parents.size());
  known.emplace_back();
  return parents.back();
}

SmallVector<FuseAxes::Dim> FuseAxes::axisDims(ArrayRef<Axis> axes) const {
  return llvm::map_to_vector(axes, [&](Axis axis) { return axisDim(axis); });
}

FuseAxes::Dim FuseAxes::root(Dim dim) const {
  while (parents[dim] != dim)
    dim = parents[dim];
  return dim;
}

std::optional<Axis> FuseAxes::axisOf(Dim dim) const { return known[root(dim)]; }

/// Joins two classes unless they run over different axes.
bool FuseAxes::unify(Dim a, Dim b) {
  a = root(a);
  b = root(b);
  if (a == b)
    return true;
  if (known[a] && known[b])
    return false;
  // The lower number wins: the axes stay roots and chains stay short.
  if (b < a)
    std::swap(a, b);
  parents[b] = a;
  if (!known[a])
    known[a] = known[b];
  return true;
}

bool FuseAxes::isKnown(ArrayRef<Dim> dims) const {
  return llvm::all_of(dims, [&](Dim dim) { return axisOf(dim).has_value(); });
}

/// "[b, l, ?]".
std::string FuseAxes::describe(ArrayRef<Dim> dims) const {
  std::string text = "[";
  for (auto [i, dim] : llvm::enumerate(dims)) {
    text += i ? ", " : "";
    std::optional<Axis> axis = axisOf(dim);
    text += axis ? stringifyAxis(*axis) : "?";
  }
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Splats are free of axes, so each use of one stands for itself too.
FuseAxes::Key FuseAxes::keyOf(OpOperand &use) {
  Value value = stripCasts(use.get());
  Operation *producer = value.getDefiningOp();
  if (!producer || producer->hasTrait<OpTrait::ConstantLike>())
    return &use;
  return keyOf(value);
}

FuseAxes::Tensor &FuseAxes::tensorOf(Key key, Value value, Operation *op) {
  auto [it, isNew] = tensors.try_emplace(key);
  if (isNew) {
    auto type = cast<RankedTensorType>(value.getType());
    it->second = {type, op, value, {}};
    for (int64_t i = 0; i < type.getRank(); ++i)
      it->second.dims.push_back(newDim());
  }
  return it->second;
}

LogicalResult FuseAxes::relate(Tensor &tensor, ArrayRef<Dim> dims,
                               Operation *op) {
  std::string elsewhere = describe(tensor.dims), here = describe(dims);
  for (auto [a, b] : llvm::zip_equal(tensor.dims, dims))
    if (!unify(a, b)) {
      InFlightDiagnostic diagnostic = op->emitError("cannot be fused: ")
                                      << tensor.type << " has the axes " << here
                                      << " here but " << elsewhere
                                      << " elsewhere";
      diagnostic.attachNote(tensor.value.getLoc()) << "the tensor is this one";
      return diagnostic;
    }
  return success();
}

LogicalResult FuseAxes::relate(OpOperand &use, ArrayRef<Dim> dims) {
  Value value = stripCasts(use.get());
  if (!isa<RankedTensorType>(value.getType()))
    return success();
  return relate(tensorOf(keyOf(use), value, use.getOwner()), dims,
                use.getOwner());
}

LogicalResult FuseAxes::relateResults(Operation *op, ArrayRef<Dim> dims) {
  for (Value result : op->getResults())
    if (failed(relate(tensorOf(keyOf(result), result, op), dims, op)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// What ops say of their tensors
//===----------------------------------------------------------------------===//

/// States that `op` saves or starts from; `dims` are those of its states.
LogicalResult FuseAxes::visitSaved(ScanOp op, SmallVector<Dim> dims) {
  auto found = static_cast<int64_t>(*op.getEvery());
  if (every != 0 && every != found)
    return op.emitError("cannot be fused: it has states of every ")
           << found << " steps, and another scan of every " << every
           << "; expected one number in a function";
  every = found;
  dims[1] = axisDim(Axis::Segment);
  if (op.startsFromSaved())
    return relate(op.getInitMutable()[0], dims);
  return relate(tensorOf(keyOf(op.getSaved()), op.getSaved(), op), dims, op);
}

LogicalResult FuseAxes::visitScan(ScanOp op) {
  bool hasStates = cast<RankedTensorType>(op.getA().getType()).getRank() == 4;
  SmallVector<Dim> full = axisDims({B, L, D, N}), last = axisDims({B, D, N});
  if (!hasStates) {
    full.pop_back();
    last.pop_back();
  }
  if (failed(relate(op.getAMutable(), full)) ||
      failed(relate(op.getBMutable(), full)) ||
      failed(relate(tensorOf(keyOf(op.getStates()), op.getStates(), op), full,
                    op)) ||
      failed(relate(tensorOf(keyOf(op.getLast()), op.getLast(), op), last, op)))
    return failure();
  if (op.getEvery() && failed(visitSaved(op, full)))
    return failure();
  if (!op.getInit() || op.startsFromSaved())
    return success();
  ArrayRef<Dim> init = last;
  auto type = cast<RankedTensorType>(op.getInit().getType());
  return relate(op.getInitMutable()[0], init.take_back(type.getRank()));
}

LogicalResult FuseAxes::visitLinalg(Operation *op) {
  auto linalgOp = cast<linalg::LinalgOp>(op);
  SmallVector<Dim> loops;
  for (unsigned i = 0, e = linalgOp.getNumLoops(); i < e; ++i)
    loops.push_back(newDim());
  for (auto [i, kind] : llvm::enumerate(linalgOp.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction) {
      sums.push_back({op, loops[i], loops});
      sums.back().others.erase(sums.back().others.begin() + i);
    }
  auto dimsOf = [&](OpOperand &operand) {
    SmallVector<Dim> dims;
    for (AffineExpr expr :
         linalgOp.getMatchingIndexingMap(&operand).getResults())
      // One element for all channels is one group.
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        dims.push_back(loops[loop.getPosition()]);
      else
        dims.push_back(axisDim(Axis::Group));
    return dims;
  };
  for (OpOperand &operand : op->getOpOperands())
    if (linalgOp.payloadUsesValueFromOperand(&operand) &&
        failed(relate(operand, dimsOf(operand))))
      return failure();
  for (auto [operand, result] :
       llvm::zip(linalgOp.getDpsInitsMutable(), op->getResults()))
    if (failed(
            relate(tensorOf(keyOf(result), result, op), dimsOf(operand), op)))
      return failure();
  return success();
}

LogicalResult FuseAxes::visit(Operation *op) {
  if (auto scan = dyn_cast<ScanOp>(op))
    return visitScan(scan);
  if (auto discretize = dyn_cast<DiscretizeOp>(op))
    return failure(
        failed(relate(discretize.getDeltaMutable(),
                      axisDims(discretize.deltaAccess().getAxes()))) ||
        failed(relate(discretize.getAMutable(), axisDims({D, N}))) ||
        failed(relate(discretize.getBMutable(),
                      axisDims(discretize.inputMatrixAccess().getAxes()))) ||
        failed(relate(discretize.getUMutable(), axisDims({B, L, D}))) ||
        failed(relateResults(op, axisDims({B, L, D, N}))));
  if (auto groups = dyn_cast<SpreadGroupsOp>(op))
    return failure(failed(relate(groups.getValueMutable(),
                                 axisDims({B, L, Axis::Group, N}))) ||
                   failed(relateResults(op, axisDims({B, L, D, N}))));
  if (auto groups = dyn_cast<SumGroupsOp>(op)) {
    summed[op].insert(Axis::Group);
    return failure(
        failed(relate(groups.getValueMutable(), axisDims({B, L, D, N}))) ||
        failed(relateResults(op, axisDims({B, L, Axis::Group, N}))));
  }
  if (auto readout = dyn_cast<ReadoutOp>(op)) {
    summed[op].insert(N);
    return failure(
        failed(relate(readout.getStatesMutable(), axisDims({B, L, D, N}))) ||
        failed(relate(readout.getCMutable(),
                      axisDims(readout.outputMatrixAccess().getAxes()))) ||
        failed(relateResults(op, axisDims({B, L, D}))));
  }
  if (isa<linalg::LinalgOp>(op))
    return visitLinalg(op);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || op->hasTrait<OpTrait::ConstantLike>())
    return success();
  // Elementwise: dimension by dimension.
  SmallVector<Dim> dims;
  for (int64_t i = 0; i < type.getRank(); ++i)
    dims.push_back(newDim());
  for (OpOperand &operand : op->getOpOperands())
    if (failed(relate(operand, dims)))
      return failure();
  return relateResults(op, dims);
}

//===----------------------------------------------------------------------===//
// What nothing says
//===----------------------------------------------------------------------===//

/// An argument's use of unknown axes takes them from another use of it.
bool FuseAxes::adoptFromOtherUses() {
  DenseMap<Value, const Tensor *> examples;
  for (auto &[key, tensor] : tensors)
    if (isKnown(tensor.dims))
      examples.try_emplace(tensor.value, &tensor);
  bool changed = false;
  for (auto &[key, tensor] : tensors) {
    auto example = examples.find(tensor.value);
    if (example == examples.end() || isKnown(tensor.dims))
      continue;
    for (auto [a, b] : llvm::zip_equal(tensor.dims, example->second->dims))
      changed |= !axisOf(a) && unify(a, b);
  }
  return changed;
}

/// The first tensor of rank 3 without any known axis is taken as (b, l, d).
bool FuseAxes::assumeActivations() {
  for (auto &[key, tensor] : tensors) {
    bool isUnknown = llvm::none_of(
        tensor.dims, [&](Dim dim) { return axisOf(dim).has_value(); });
    if (tensor.dims.size() != 3 || !isUnknown)
      continue;
    for (auto [dim, axis] : llvm::zip_equal(tensor.dims, axisDims({B, L, D})))
      unify(dim, axis);
    return true;
  }
  return false;
}

LogicalResult FuseAxes::verifySum(const Sum &sum) {
  std::optional<Axis> axis = axisOf(sum.dim);
  if (!axis)
    return sum.op->emitError("cannot be fused: nothing tells the axis that it "
                             "sums over; use what it reads with a tensor of "
                             "known axes");
  if (axis == Axis::Group || axis == Axis::Segment)
    return sum.op->emitError("cannot be fused: it sums over the axis ")
           << stringifyAxis(*axis) << ", expected b, l, d or n";
  for (Dim other : sum.others)
    if (axisOf(other) == axis)
      return sum.op->emitError("cannot be fused: it sums over ")
             << stringifyAxis(*axis) << " in one loop and runs over "
             << stringifyAxis(*axis) << " in another one";
  return success();
}

/// One element for all channels is the sum over one group.
LogicalResult FuseAxes::resolveGroup(linalg::LinalgOp op, AxisSet &axes) {
  bool hasGroup = llvm::any_of(op->getResults(), [&](Value result) {
    return llvm::any_of(tensors.find(keyOf(result))->second.dims,
                        [&](Dim dim) { return axisOf(dim) == Axis::Group; });
  });
  if (!hasGroup)
    return success();
  if (!axes.has(D))
    return op->emitError("cannot be fused: its result has one element for all "
                         "channels, and it does not sum over them");
  axes.erase(D);
  axes.insert(Axis::Group);
  return success();
}

/// Sums over states have a start of any value, added once. A total has parts in
/// many threads and blocks, so it starts from zero.
LogicalResult FuseAxes::verifyStarts(linalg::LinalgOp op, AxisSet axes) {
  for (Axis axis : {B, L, D, Axis::Group})
    for (Value start : op.getDpsInits())
      if (axes.has(axis) && !isZeroTensor(start))
        return op->emitError("cannot be fused: it sums over the axis ")
               << stringifyAxis(pointAxis(axis))
               << " and starts from other than a constant 0; add what it "
                  "starts from to the sum";
  return success();
}

LogicalResult FuseAxes::resolveSums() {
  for (const Sum &sum : sums) {
    if (failed(verifySum(sum)))
      return failure();
    summed[sum.op].insert(*axisOf(sum.dim));
  }
  for (auto &[op, axes] : summed)
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      if (failed(resolveGroup(linalgOp, axes)) ||
          failed(verifyStarts(linalgOp, axes)))
        return failure();
  return success();
}

LogicalResult FuseAxes::resolve() {
  for (auto &[key, tensor] : tensors) {
    Operation *op = tensor.op;
    // Only a returned splat needs axes: those of a result.
    Operation *producer = tensor.value.getDefiningOp();
    if (producer && producer->hasTrait<OpTrait::ConstantLike>() &&
        !op->hasTrait<OpTrait::IsTerminator>())
      continue;
    if (!isKnown(tensor.dims)) {
      InFlightDiagnostic diagnostic =
          op->emitError("cannot be fused: nothing tells the axes of ")
          << tensor.type << ", found " << describe(tensor.dims)
          << "; use it with a tensor of known axes";
      diagnostic.attachNote(tensor.value.getLoc()) << "the tensor is this one";
      return diagnostic;
    }
    SmallVector<Axis> axes =
        llvm::map_to_vector(tensor.dims, [&](Dim dim) { return *axisOf(dim); });
    auto report = [&] {
      return op->emitError("cannot be fused: ")
             << tensor.type << " has the axes " << describe(tensor.dims)
             << ": ";
    };
    AccessAttr access = AccessAttr::getChecked(
        function_ref<InFlightDiagnostic()>(report), context,
        ArrayRef<Axis>(axes),
        llvm::is_contained(axes, Axis::Segment) ? every : 0);
    if (!access)
      return failure();
    accesses[key] = access;
  }
  return success();
}

FailureOr<FuseAxes> FuseAxes::infer(func::FuncOp function,
                                    ArrayRef<Operation *> ops) {
  FuseAxes axes(function.getContext());
  for (Operation *op : ops)
    if (failed(axes.visit(op)))
      return failure();
  Operation *terminator = function.getBody().front().getTerminator();
  for (OpOperand &operand : terminator->getOpOperands())
    axes.tensorOf(keyOf(operand), stripCasts(operand.get()), terminator);
  do {
    while (axes.adoptFromOtherUses())
      ;
  } while (axes.assumeActivations());
  if (failed(axes.resolveSums()) || failed(axes.resolve()))
    return failure();
  return axes;
}
