//===- TotalKernel.cpp - The last step of a total -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/TotalKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// A block covers neighbours along one axis of the result, the one that has
/// most of them, and all groups and states there.
class TotalKernel {
public:
  TotalKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
              LaunchPlan &plan, FusedOp op, const PartialSums &sums)
      : e(e), plan(plan), op(op), sums(sums),
        access(op.resultAccess(sums.result)),
        result(plan.tensorOf(op->getResult(sums.result))),
        kernel(e, module, name, plan, {sums.tensor, result}, kThreads,
               {Axis::Batch, Axis::Length, Axis::Channel}) {}

  void build();

private:
  static constexpr int64_t kThreads = 128;
  /// Neighbours of one element that memory moves at once.
  static constexpr int64_t kNeighbours = 8;
  /// Partial sums under way at a time: memory answers late.
  static constexpr int64_t kTogether = 8;

  int64_t extentOf(Axis axis) const {
    int64_t dim = access.dimOf(axis);
    return dim < 0 ? 1 : plan.tensor(result).dims[dim].extent;
  }
  void findAxis();
  void findBlock();
  void findItem(Value item);
  /// The dimensions that are summed from `dim` on, at the element `at`.
  Number sumFrom(size_t dim, Value at);
  Number term(Value at);
  Value resultAddress();
  void store(const Number &number);

  Emit &e;
  LaunchPlan &plan;
  FusedOp op;
  const PartialSums &sums;
  AccessAttr access;
  unsigned result;
  Kernel kernel;
  std::optional<Axis> along;
  int64_t blockCount = 1; ///< Along that axis.
  int64_t inner = 1;      ///< Groups and states of each.
  Value first;            ///< i64: the block's first index along that axis.
  /// i64: the coordinates of an element, by axis.
  llvm::SmallDenseMap<Axis, Value> index;
  SmallVector<mamba::GridTerm> grid;
};

} // namespace

void TotalKernel::findAxis() {
  inner = extentOf(Axis::Group) * extentOf(Axis::State);
  along = neighbourAxis(access);
  if (along)
    blockCount = std::max<int64_t>(kNeighbours, kThreads / inner);
}

void TotalKernel::findBlock() {
  auto block = gpu::BlockIdOp::create(e, gpu::Dimension::x);
  Value rest = arith::IndexCastOp::create(e, e.getI64Type(), block);
  first = e.i64(0);
  if (!along) {
    grid.push_back({mamba::Axis::Other, 1});
    return;
  }
  Value tiles = e.ceilDiv(kernel.extent(*along), blockCount);
  first = e.mul(e.rem(rest, tiles), blockCount);
  rest = e.div(rest, tiles);
  grid.push_back({runtimeAxis(*along), blockCount});
  for (Axis axis : {Axis::Channel, Axis::Batch}) {
    if (!access.has(axis) || axis == *along)
      continue;
    index[axis] = e.rem(rest, kernel.extent(axis));
    rest = e.div(rest, kernel.extent(axis));
    grid.push_back({runtimeAxis(axis), 1});
  }
}

void TotalKernel::findItem(Value item) {
  Value rest = e.div(item, blockCount);
  if (along)
    index[*along] = e.add(first, e.rem(item, blockCount));
  index[Axis::State] = e.rem(rest, extentOf(Axis::State));
  index[Axis::Group] = e.div(rest, extentOf(Axis::State));
}

Number TotalKernel::term(Value at) {
  bool isComplex = isa<ComplexType>(sums.value().getType());
  Value address = e.offset(kernel.pointer(sums.tensor),
                           e.mul(at, isComplex ? 2 : 1), e.getF32Type());
  return e.loadNumbers(address, 1, isComplex).front();
}

Number TotalKernel::sumFrom(size_t dim, Value at) {
  ArrayRef<mamba::DimSpec> dims = plan.tensor(sums.tensor).dims;
  if (dim == dims.size())
    return term(at);
  Value stride = kernel.stride(sums.tensor, dim);
  if (!isSummed(dims[dim], access)) {
    Value own = index[static_cast<Axis>(dims[dim].axis)];
    return sumFrom(dim + 1, e.add(at, e.mul(own, stride)));
  }
  auto [from, to] = summedRange(e, kernel, dims[dim], access,
                                index[Axis::Group], extentOf(Axis::Group));
  Value last = e.sub(to, e.i64(1));
  Number zero = e.zero(sums.value().getType());
  auto addSome = [&, to = to](Value i,
                              ValueRange carried) -> SmallVector<Value> {
    SmallVector<Value> before(carried);
    ArrayRef<Value> rest(before);
    Number sum = takeNumber(rest, zero.isComplex());
    SmallVector<Number> terms;
    for (int64_t k = 0; k < kTogether; ++k) {
      Value clamped = e.min(e.add(i, k), last);
      Number own = sumFrom(dim + 1, e.add(at, e.mul(clamped, stride)));
      terms.push_back(e.select(e.lessThan(e.add(i, k), to), own, zero));
    }
    for (const Number &own : terms)
      sum = e.addf(sum, own);
    return SmallVector<Value>(sum.words());
  };
  SmallVector<Value> words =
      e.loop(from, to, kTogether, SmallVector<Value>(zero.words()), addSome);
  ArrayRef<Value> rest(words);
  return takeNumber(rest, zero.isComplex());
}

Value TotalKernel::resultAddress() {
  Value at = e.i64(0);
  for (auto [dim, axis] : llvm::enumerate(access.getAxes()))
    at = e.add(at, e.mul(index[axis], kernel.stride(result, dim)));
  Type element = cast<RankedTensorType>(op->getResult(sums.result).getType())
                     .getElementType();
  return e.offset(kernel.pointer(result), at, element);
}

void TotalKernel::store(const Number &number) {
  Type element = sums.total->getResult(0).getType();
  Value address = resultAddress();
  if (number.isComplex())
    return e.storeNumbers(number, address);
  Value value = number.re;
  if (!element.isF32())
    value = arith::TruncFOp::create(e, element, value);
  e.store(value, address, mamba::byteSize(*dtypeOf(element)));
}

void TotalKernel::build() {
  findAxis();
  findBlock();
  auto thread = gpu::ThreadIdOp::create(e, gpu::Dimension::x);
  Value from = arith::IndexCastOp::create(e, e.getI64Type(), thread);
  e.loop(from, e.i64(blockCount * inner), kThreads, [&](Value item) {
    findItem(item);
    auto write = [&] { store(sumFrom(0, e.i64(0))); };
    if (along)
      e.ifThen(e.lessThan(index[*along], kernel.extent(*along)), write);
    else
      write();
  });
  kernel.finish(plan, grid, SharedMemory());
}

void mlir::ssm::buildTotalKernel(Emit &e, gpu::GPUModuleOp module,
                                 StringRef name, LaunchPlan &plan, FusedOp op,
                                 const PartialSums &sums) {
  TotalKernel(e, module, name, plan, op, sums).build();
}
