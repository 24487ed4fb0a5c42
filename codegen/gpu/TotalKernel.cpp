//===- TotalKernel.cpp - The last step of a total -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/TotalKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <array>

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// A block covers neighbours along one axis of the results of one total, the
/// axis that has most of them, and all groups and states there.
class TotalKernel {
public:
  TotalKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
              LaunchPlan &plan, FusedOp op, ArrayRef<PartialSums> totals)
      : e(e), plan(plan), op(op), totals(totals),
        along(neighbourAxis(op.resultAccess(totals.front().result))),
        inner(mostInner()), threads(numThreads()),
        kernel(e, module, name, plan, tensors(), threads,
               {Axis::Batch, Axis::Length, Axis::Channel}) {}

  void build();

private:
  static constexpr int64_t kFewestThreads = 128;
  static constexpr int64_t kMostThreads = 512;
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
  };

  Part partOf(const PartialSums &sums);
  int64_t mostInner();
  int64_t numThreads() const;
  SmallVector<unsigned> tensors();
  void findBlock();
  void findTotal(Value rest);
  void findItem(const Part &part, Value item);
  /// The dimensions that are summed from `dim` on, at the element `at`.
  Number sumFrom(const Part &part, size_t dim, Value at);
  Number term(const Part &part, Value at);
  int64_t numSummed(const Part &part);
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
  void buildPart(const Part &part, Value thread);

  Emit &e;
  LaunchPlan &plan;
  FusedOp op;
  ArrayRef<PartialSums> totals;
  std::optional<Axis> along; ///< Results lie side by side there.
  int64_t inner;             ///< Most groups and states of a total.
  int64_t threads;
  Kernel kernel;
  int64_t blockCount = 1; ///< Along the axis `along`.
  Value total;            ///< i64: the block's, by number.
  Value first;            ///< i64: the block's first index along that axis.
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
  return {sums, access, result, extentOf(Axis::Group), extentOf(Axis::State)};
}

SmallVector<unsigned> TotalKernel::tensors() {
  SmallVector<unsigned> numbers;
  for (const PartialSums &sums : totals)
    numbers.append({sums.tensor, partOf(sums).result});
  return numbers;
}

int64_t TotalKernel::mostInner() {
  int64_t most = 1;
  for (const PartialSums &sums : totals) {
    Part part = partOf(sums);
    most = std::max(most, part.groups * part.states);
  }
  return most;
}

/// One for each element of a block, if so many are allowed.
int64_t TotalKernel::numThreads() const {
  int64_t elements = along ? kNeighbours * inner : inner;
  return std::clamp<int64_t>(llvm::alignTo(elements, 32), kFewestThreads,
                             kMostThreads);
}

/// As many neighbours for all totals: what suits most groups and states.
void TotalKernel::findBlock() {
  AccessAttr access = op.resultAccess(totals.front().result);
  if (along)
    blockCount = std::max<int64_t>(kNeighbours, threads / inner);
  auto block = gpu::BlockIdOp::create(e, gpu::Dimension::x);
  Value rest = arith::IndexCastOp::create(e, e.getI64Type(), block);
  first = e.i64(0);
  if (!along) {
    findTotal(rest);
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
  findTotal(rest);
}

/// A block adds one of the totals.
void TotalKernel::findTotal(Value rest) {
  total = rest;
  if (totals.size() > 1 || grid.empty())
    grid.push_back({mamba::Axis::Other, std::ssize(totals)});
}

void TotalKernel::findItem(const Part &part, Value item) {
  Value rest = e.div(item, blockCount);
  if (along)
    index[*along] = e.add(first, e.rem(item, blockCount));
  index[Axis::State] = e.rem(rest, part.states);
  index[Axis::Group] = e.div(rest, part.states);
}

Number TotalKernel::term(const Part &part, Value at) {
  bool isComplex = isa<ComplexType>(part.sums.value().getType());
  Value address = e.offset(kernel.pointer(part.sums.tensor),
                           e.mul(at, isComplex ? 2 : 1), e.getF32Type());
  return e.loadNumbers(address, 1, isComplex).front();
}

/// Dimensions that are summed.
int64_t TotalKernel::numSummed(const Part &part) {
  return llvm::count_if(
      plan.tensor(part.sums.tensor).dims,
      [&](const mamba::DimSpec &dim) { return isSummed(dim, part.access); });
}

Number TotalKernel::sumFrom(const Part &part, size_t dim, Value at) {
  ArrayRef<mamba::DimSpec> dims = plan.tensor(part.sums.tensor).dims;
  if (dim == dims.size())
    return term(part, at);
  Value stride = kernel.stride(part.sums.tensor, dim);
  if (!isSummed(dims[dim], part.access)) {
    Value own = index[static_cast<Axis>(dims[dim].axis)];
    return sumFrom(part, dim + 1, e.add(at, e.mul(own, stride)));
  }
  auto [from, to] = summedRange(e, kernel, dims[dim], part.access,
                                index[Axis::Group], part.groups);
  auto termAt = [&](Value i) {
    return sumFrom(part, dim + 1, e.add(at, e.mul(i, stride)));
  };
  Number zero = e.zero(part.sums.value().getType()), sum = zero;
  if (numSummed(part) == 1) {
    Value whole = e.sub(to, e.rem(e.sub(to, from), kMany));
    sum = addTerms({from, whole, kMany, std::nullopt}, sum, termAt);
    from = whole;
  }
  return addTerms({from, to, kTogether, zero}, sum, termAt);
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

void TotalKernel::buildPart(const Part &part, Value thread) {
  int64_t items = blockCount * part.groups * part.states;
  e.loop(thread, e.i64(items), threads, [&](Value item) {
    findItem(part, item);
    auto write = [&] { store(part, sumFrom(part, 0, e.i64(0))); };
    if (along)
      e.ifThen(e.lessThan(index[*along], kernel.extent(*along)), write);
    else
      write();
  });
}

void TotalKernel::build() {
  findBlock();
  auto thread = gpu::ThreadIdOp::create(e, gpu::Dimension::x);
  Value from = arith::IndexCastOp::create(e, e.getI64Type(), thread);
  for (auto [number, sums] : llvm::enumerate(totals)) {
    Part part = partOf(sums);
    auto add = [&] { buildPart(part, from); };
    if (totals.size() == 1)
      add();
    else
      e.ifThen(e.equals(total, static_cast<int64_t>(number)), add);
  }
  kernel.finish(plan, grid, SharedMemory());
}

/// True for totals whose elements differ by groups and states alone.
static bool shareElements(AccessAttr a, AccessAttr b) {
  return neighbourAxis(a) == neighbourAxis(b) &&
         llvm::all_of(std::array{Axis::Batch, Axis::Length, Axis::Channel},
                      [&](Axis axis) { return a.has(axis) == b.has(axis); });
}

void mlir::ssm::buildTotalKernels(Emit &e, gpu::GPUModuleOp module,
                                  const Twine &name, LaunchPlan &plan,
                                  FusedOp op, ArrayRef<PartialSums> totals) {
  SmallVector<SmallVector<PartialSums>> launches;
  for (const PartialSums &sums : totals) {
    auto *launch = llvm::find_if(launches, [&](auto &known) {
      return shareElements(op.resultAccess(known.front().result),
                           op.resultAccess(sums.result));
    });
    if (launch == launches.end())
      launches.push_back({sums});
    else
      launch->push_back(sums);
  }
  for (auto &launch : launches)
    TotalKernel(e, module,
                (name + "_total" + Twine(launch.front().result)).str(), plan,
                op, launch)
        .build();
}
