//===- TotalKernel.cpp - The last step of a total -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TotalKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

namespace {

/// A task covers neighbours along one axis of the result, the one that lies
/// side by side in the partial sums, and all groups and states there.
class TotalKernel {
public:
  TotalKernel(const KernelRequest &request, const PartialSums &sums,
              LaunchPlan &plan)
      : op(request.op), sums(sums), plan(plan),
        access(op.resultAccess(sums.result)),
        result(plan.tensorOf(op->getResult(sums.result))),
        e(op->getLoc(), OpBuilder(op), request.schedule.getVector()),
        kernel(e, request.module,
               request.name + "_total" + std::to_string(sums.result), plan) {}

  void build();

private:
  /// Elements along the axis that a task takes.
  static constexpr int64_t kBlock = 64;

  int64_t extentOf(Axis axis) const {
    int64_t dim = access.dimOf(axis);
    return dim < 0 ? 1 : plan.tensor(result).dims[dim].extent;
  }
  void findTask();
  void addElements();
  void emitElements(Type type);
  Lanes sumFrom(size_t dim, Value at, Type type);
  Lanes term(Value at, Type type);
  bool mayTakeVectors() const;
  void store(const Lanes &sum, Type type);

  FusedOp op;
  const PartialSums &sums;
  LaunchPlan &plan;
  AccessAttr access;
  unsigned result;
  Emit e;
  Kernel kernel;
  std::optional<Axis> along;
  Value from, to; ///< Along that axis.
  llvm::SmallDenseMap<Axis, Value> index;
  SmallVector<mamba::GridTerm> grid;
};

} // namespace

void TotalKernel::findTask() {
  along = neighbourAxis(access);
  if (!along) {
    grid.push_back({mamba::Axis::Other, 1});
    return;
  }
  Value task = kernel.task();
  Value blocks = e.ceilDiv(kernel.extent(*along), kBlock);
  from = e.mul(e.rem(task, blocks), kBlock);
  to = e.min(e.add(from, e.i64(kBlock)), kernel.extent(*along));
  task = e.div(task, blocks);
  // Tasks count with the last term fastest.
  for (Axis axis : {Axis::Channel, Axis::Batch}) {
    if (!access.has(axis) || axis == *along)
      continue;
    index[axis] = e.rem(task, kernel.extent(axis));
    task = e.div(task, kernel.extent(axis));
    grid.push_back({runtimeAxis(axis), 1});
  }
  grid.push_back({runtimeAxis(*along), kBlock});
}

Lanes TotalKernel::term(Value at, Type type) {
  Value base = kernel.pointer(sums.tensor);
  if (!isa<ComplexType>(sums.value().getType()))
    return {e.load(type, base, at), nullptr};
  Value re = e.mul(at, 2);
  return {e.load(type, base, re), e.load(type, base, e.add(re, e.i64(1)))};
}

/// The sum over the dimensions from `dim` on, at the element `at`; of
/// neighbours where `type` is a vector.
Lanes TotalKernel::sumFrom(size_t dim, Value at, Type type) {
  ArrayRef<mamba::DimSpec> dims = plan.tensor(sums.tensor).dims;
  if (dim == dims.size())
    return term(at, type);
  Value stride = kernel.stride(sums.tensor, dim);
  if (!isSummed(dims[dim], access)) {
    Value own = index[static_cast<Axis>(dims[dim].axis)];
    return sumFrom(dim + 1, e.add(at, e.mul(own, stride)), type);
  }
  auto [first, end] = summedRange(e, kernel, sums, dims[dim], access,
                                  index[Axis::Group], extentOf(Axis::Group));
  bool isComplex = isa<ComplexType>(sums.value().getType());
  Value zero =
      arith::ConstantOp::create(e, cast<TypedAttr>(e.getZeroAttr(type)));
  SmallVector<Value> words =
      e.loop(first, end, 1, SmallVector<Value>(isComplex ? 2 : 1, zero),
             [&](Value i, ValueRange before) -> SmallVector<Value> {
               Lanes own = sumFrom(dim + 1, e.add(at, e.mul(i, stride)), type);
               Lanes sum =
                   e.sum({before[0], isComplex ? before[1] : Value()}, own);
               return isComplex ? SmallVector<Value>{sum.re, sum.im}
                                : SmallVector<Value>{sum.re};
             });
  return {words[0], isComplex ? words[1] : Value()};
}

void TotalKernel::store(const Lanes &sum, Type type) {
  Value at = e.i64(0);
  for (auto [dim, axis] : llvm::enumerate(access.getAxes()))
    at = e.add(at, e.mul(index[axis], kernel.stride(result, dim)));
  Value base = kernel.pointer(result);
  if (sum.isComplex()) {
    Value re = e.mul(at, 2);
    e.store(sum.re, base, re);
    return e.store(sum.im, base, e.add(re, e.i64(1)));
  }
  Type element = TotalOp(sums.total).getResult().getType();
  Value value = sum.re;
  auto vector = dyn_cast<VectorType>(type);
  if (getElementTypeOrSelf(type) != element)
    value = arith::TruncFOp::create(
        e, vector ? Type(e.vectorOf(element)) : element, value);
  if (!vector)
    return e.store(value, base, at);
  Value stride = kernel.stride(result, access.dimOf(*along));
  for (int64_t lane = 0; lane < e.width; ++lane)
    e.store(vector::ExtractOp::create(e, value, lane), base,
            e.add(at, e.mul(stride, lane)));
}

void TotalKernel::emitElements(Type type) {
  e.loop(e.i64(0), e.i64(extentOf(Axis::Group)), 1, [&](Value group) {
    index[Axis::Group] = group;
    e.loop(e.i64(0), e.i64(extentOf(Axis::State)), 1, [&](Value state) {
      index[Axis::State] = state;
      store(sumFrom(0, e.i64(0), type), type);
    });
  });
}

/// True where the partial sums have neighbours along the axis side by side.
bool TotalKernel::mayTakeVectors() const {
  return along && !isa<ComplexType>(sums.value().getType()) &&
         sums.access.rank() > 0 && sums.access.getAxes().back() == *along;
}

void TotalKernel::addElements() {
  Type word = wordType(sums.value().getType());
  if (!along)
    return emitElements(word);
  Value rest = from;
  if (mayTakeVectors()) {
    Value whole = e.mul(e.div(e.sub(to, from), e.width), e.width);
    rest = e.add(from, whole);
    e.loop(from, rest, e.width, [&](Value first) {
      index[*along] = first;
      emitElements(e.vectorOf(word));
    });
  }
  e.loop(rest, to, 1, [&](Value i) {
    index[*along] = i;
    emitElements(word);
  });
}

void TotalKernel::build() {
  findTask();
  addElements();
  kernel.finish(plan, grid);
}

void mlir::ssm::cpu::emitTotalKernel(const KernelRequest &request,
                                     const PartialSums &sums,
                                     LaunchPlan &plan) {
  TotalKernel(request, sums, plan).build();
}
