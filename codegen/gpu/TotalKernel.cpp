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

/// Each total has blocks of its own: one covers neighbours along one axis of
/// the result, the axis that has most of them, for some of the groups and
/// states, an element a thread.
class TotalKernel {
public:
  TotalKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
              LaunchPlan &plan, FusedOp op, ArrayRef<PartialSums> totals)
      : e(e), plan(plan), op(op), totals(totals),
        kernel(e, module, name, plan, tensors(), kThreads,
               {Axis::Batch, Axis::Length, Axis::Channel}) {}

  void build();

private:
  static constexpr int64_t kThreads = 256;
  /// Neighbours that a warp reads at once: a whole line of memory.
  static constexpr int64_t kNeighbours = 32;
  /// Partial sums under way at a time: memory answers late. Many where nothing
  /// but their number bounds a thread (bench/NOTES.md).
  static constexpr int64_t kTogether = 8;
  static constexpr int64_t kMany = 32;

  /// One of the totals: where its sums are and go, and its groups and states.
  struct Part {
    const PartialSums &sums;
    AccessAttr access;
    unsigned result;
    int64_t groups;
    int64_t states;
    std::optional<Axis> along; ///< Results lie side by side there.

    /// Of all groups and states, those of a block.
    int64_t rows() const {
      int64_t most = kThreads / (along ? kNeighbours : 1);
      return std::min(groups * states, most);
    }
    /// Blocks that share all of them.
    int64_t slices() const { return llvm::divideCeil(groups * states, rows()); }
    /// Of a block, along the axis `along`.
    int64_t neighbours() const {
      return along ? kThreads / rows() / kNeighbours * kNeighbours : 1;
    }
  };

  Part partOf(const PartialSums &sums);
  SmallVector<unsigned> tensors();
  Value numTiles(Axis axis, int64_t count);
  Value countBlocks(const Part &part);
  void findElement(const Part &part, Value block, Value element);
  Value isElement(const Part &part, Value element);

  /// Numbers (i64) of a summed dimension: `count` from `from` on.
  struct Run {
    Value from;
    Value count;
    Value stride;
  };
  SmallVector<Run> runsOf(const Part &part);
  Value firstTerm(const Part &part);
  /// Term number `i` (i64) of the runs' product, the last run's first.
  Value addressOfTerm(const Part &part, ArrayRef<Run> runs, Value at, Value i);
  Number sum(const Part &part);
  /// Terms from number `from` up to `to` (i64), `together` loads at a time.
  /// They are a multiple of so many where nothing stands for `missing` ones.
  struct TermRange {
    Value from;
    Value to;
    int64_t together;
    std::optional<Number> missing;
  };
  Number addTerms(const TermRange &range, const Number &sum,
                  function_ref<Number(Value)> termAt);
  Value resultAddress(const Part &part);
  void store(const Part &part, const Number &number);
  void buildPart(const Part &part, Value block);

  Emit &e;
  LaunchPlan &plan;
  FusedOp op;
  ArrayRef<PartialSums> totals;
  Kernel kernel;
  /// i64: the coordinates of an element, by axis.
  llvm::SmallDenseMap<Axis, Value> index;
  SmallVector<mamba::GridTerm> grid;
};

} // namespace

TotalKernel::Part TotalKernel::partOf(const PartialSums &sums) {
  AccessAttr access = op.resultAccess(sums.result);
  unsigned result = plan.tensorOf(op->getResult(sums.result));
  auto extentOf = [&](Axis axis) -> int64_t {
    int64_t dim = access.dimOf(axis);
    return dim < 0 ? 1 : plan.tensor(result).dims[dim].extent;
  };
  return {sums,
          access,
          result,
          extentOf(Axis::Group),
          extentOf(Axis::State),
          neighbourAxis(access)};
}

SmallVector<unsigned> TotalKernel::tensors() {
  SmallVector<unsigned> numbers;
  for (const PartialSums &sums : totals)
    numbers.append({sums.tensor, partOf(sums).result});
  return numbers;
}

/// The number of blocks along an axis, in 32 bits: what has more blocks is not
/// launched.
Value TotalKernel::numTiles(Axis axis, int64_t count) {
  return e.toI32(e.ceilDiv(kernel.extent(axis), count));
}

/// How many blocks (i32) a total has; adds them to the grid.
Value TotalKernel::countBlocks(const Part &part) {
  SmallVector<mamba::GridTerm> factors;
  Value blocks = e.i32(part.slices());
  if (part.slices() > 1 || !part.along)
    factors.push_back({mamba::Axis::Other, part.slices()});
  for (Axis axis : {Axis::Length, Axis::Channel, Axis::Batch}) {
    if (!part.access.has(axis))
      continue;
    int64_t count = axis == part.along ? part.neighbours() : 1;
    blocks = e.mul(blocks, numTiles(axis, count));
    factors.push_back({runtimeAxis(axis), count});
  }
  factors.front().isAdded = !grid.empty();
  grid.append(factors);
  return blocks;
}

/// Where an element (i32) of a block (i32, among those of its total) is.
void TotalKernel::findElement(const Part &part, Value block, Value element) {
  int64_t neighbours = part.neighbours();
  auto take = [&](Value count) {
    Value own = e.rem(block, count);
    block = e.div(block, count);
    return own;
  };
  Value row = e.add(e.mul(take(e.i32(part.slices())), part.rows()),
                    e.div(element, neighbours));
  index[Axis::State] = e.toI64(e.rem(row, part.states));
  index[Axis::Group] = e.toI64(e.div(row, part.states));
  for (Axis axis : {Axis::Length, Axis::Channel, Axis::Batch}) {
    if (!part.access.has(axis))
      continue;
    bool isAlong = axis == part.along;
    Value own = e.toI64(take(numTiles(axis, isAlong ? neighbours : 1)));
    if (isAlong)
      own = e.add(e.mul(own, neighbours), e.toI64(e.rem(element, neighbours)));
    index[axis] = own;
  }
}

/// False for threads beyond the elements of the block, or of the result.
Value TotalKernel::isElement(const Part &part, Value element) {
  Value is = e.lessThan(element, e.i32(part.neighbours() * part.rows()));
  is = e.conjunction(is, e.lessThan(index[Axis::Group], e.i64(part.groups)));
  if (part.along)
    is = e.conjunction(
        is, e.lessThan(index[*part.along], kernel.extent(*part.along)));
  return is;
}

/// Chunks last: dividing by their number, which is known here, is cheap.
SmallVector<TotalKernel::Run> TotalKernel::runsOf(const Part &part) {
  SmallVector<Run> runs;
  ArrayRef<mamba::DimSpec> dims = plan.tensor(part.sums.tensor).dims;
  auto add = [&](bool areChunks) {
    for (auto [i, dim] : llvm::enumerate(dims)) {
      if (!isSummed(dim, part.access) ||
          (dim.axis == mamba::Axis::Other) != areChunks)
        continue;
      auto [from, to] = summedRange(e, kernel, part.sums, dim, part.access,
                                    index[Axis::Group], part.groups);
      runs.push_back(
          {from, e.sub(to, from), kernel.stride(part.sums.tensor, i)});
    }
  };
  add(false);
  add(true);
  return runs;
}

/// Where the sums of the element are, but for the summed dimensions.
Value TotalKernel::firstTerm(const Part &part) {
  Value at = e.i64(0);
  for (auto [i, dim] : llvm::enumerate(plan.tensor(part.sums.tensor).dims))
    if (!isSummed(dim, part.access))
      at = e.add(at, e.mul(index[static_cast<Axis>(dim.axis)],
                           kernel.stride(part.sums.tensor, i)));
  return at;
}

Value TotalKernel::addressOfTerm(const Part &part, ArrayRef<Run> runs, Value at,
                                 Value i) {
  for (const Run &run : llvm::reverse(runs)) {
    bool isFirst = &run == runs.begin();
    Value own = isFirst ? i : e.rem(i, run.count);
    at = e.add(at, e.mul(e.add(run.from, own), run.stride));
    if (!isFirst)
      i = e.div(i, run.count);
  }
  bool isComplex = isa<ComplexType>(part.sums.value().getType());
  return e.offset(kernel.pointer(part.sums.tensor),
                  e.mul(at, isComplex ? 2 : 1), e.getF32Type());
}

Number TotalKernel::sum(const Part &part) {
  SmallVector<Run> runs = runsOf(part);
  Value at = firstTerm(part), count = e.i64(1);
  for (const Run &run : runs)
    count = e.mul(count, run.count);
  Number zero = e.zero(part.sums.value().getType());
  auto termAt = [&](Value i) {
    Value address = addressOfTerm(part, runs, at, i);
    return e.loadNumbers(address, 1, zero.isComplex()).front();
  };
  Value whole = e.sub(count, e.rem(count, kMany));
  Number many = addTerms({e.i64(0), whole, kMany, std::nullopt}, zero, termAt);
  return addTerms({whole, count, kTogether, zero}, many, termAt);
}

/// Adds the terms of a range to `sum` in their order.
Number TotalKernel::addTerms(const TermRange &range, const Number &sum,
                             function_ref<Number(Value)> termAt) {
  auto addSome = [&](Value i, ValueRange carried) -> SmallVector<Value> {
    SmallVector<Value> before(carried);
    ArrayRef<Value> rest(before);
    Number added = takeNumber(rest, sum.isComplex());
    SmallVector<Number> terms;
    for (int64_t k = 0; k < range.together; ++k) {
      Value own = e.add(i, k);
      if (!range.missing) {
        terms.push_back(termAt(own));
        continue;
      }
      Number number = termAt(e.min(own, e.sub(range.to, e.i64(1))));
      Value exists = e.lessThan(own, range.to);
      terms.push_back(e.select(exists, number, *range.missing));
    }
    for (const Number &own : terms)
      added = e.addf(added, own);
    return SmallVector<Value>(added.words());
  };
  SmallVector<Value> words = e.loop(range.from, range.to, range.together,
                                    SmallVector<Value>(sum.words()), addSome);
  ArrayRef<Value> rest(words);
  return takeNumber(rest, sum.isComplex());
}

Value TotalKernel::resultAddress(const Part &part) {
  Value at = e.i64(0);
  for (auto [dim, axis] : llvm::enumerate(part.access.getAxes()))
    at = e.add(at, e.mul(index[axis], kernel.stride(part.result, dim)));
  Type element =
      cast<RankedTensorType>(op->getResult(part.sums.result).getType())
          .getElementType();
  return e.offset(kernel.pointer(part.result), at, element);
}

void TotalKernel::store(const Part &part, const Number &number) {
  Type element = part.sums.total->getResult(0).getType();
  Value address = resultAddress(part);
  if (number.isComplex())
    return e.storeNumbers(number, address);
  Value value = number.re;
  if (!element.isF32())
    value = arith::TruncFOp::create(e, element, value);
  e.store(value, address, mamba::byteSize(*dtypeOf(element)));
}

void TotalKernel::buildPart(const Part &part, Value block) {
  auto id = gpu::ThreadIdOp::create(e, gpu::Dimension::x);
  Value element = arith::IndexCastOp::create(e, e.getI32Type(), id);
  findElement(part, block, element);
  e.ifThen(isElement(part, element), [&] { store(part, sum(part)); });
}

void TotalKernel::build() {
  auto id = gpu::BlockIdOp::create(e, gpu::Dimension::x);
  Value block = arith::IndexCastOp::create(e, e.getI32Type(), id);
  for (const PartialSums &sums : totals) {
    Part part = partOf(sums);
    Value blocks = countBlocks(part);
    Value isOwn = e.lessThan(block, blocks);
    if (&sums != totals.begin())
      isOwn = e.conjunction(e.negation(e.lessThan(block, e.i32(0))), isOwn);
    e.ifThen(isOwn, [&] { buildPart(part, block); });
    block = e.sub(block, blocks);
  }
  kernel.finish(plan, grid, SharedMemory());
}

void mlir::ssm::buildTotalKernel(Emit &e, gpu::GPUModuleOp module,
                                 StringRef name, LaunchPlan &plan, FusedOp op,
                                 ArrayRef<PartialSums> totals) {
  if (!totals.empty())
    TotalKernel(e, module, name, plan, op, totals).build();
}
