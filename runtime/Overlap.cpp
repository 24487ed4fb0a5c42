//===- Overlap.cpp - Whether strided views share memory -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Views a and b share a byte if   sum(a_i x_i) + e = sum(b_j y_j) + f +
// distance for indices x, y within the extents and bytes e, f within an
// element. With each b_j y_j replaced by b_j (n_j - 1 - y_j) this is a sum of
// bounded non-negative terms that must hit a target: a depth-first search from
// the largest coefficient, cut by the bounds and by divisibility, as NumPy's
// mem_overlap.c does it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Overlap.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace mamba {

namespace {

/// coefficient * x with 0 <= x <= bound.
struct Term {
  int64_t coefficient;
  int64_t bound;
};

constexpr int kMaxTerms = 2 * kMaxRank + 1;
/// No address is larger, and sums of two stay within 64 bits.
constexpr int64_t kAddressLimit = int64_t(1) << 62;
/// Steps of the search. Slices of a common parent need fewer than a hundred.
constexpr int kMaxSteps = 20000;

class SumSearch {
public:
  void add(const TensorView &view) {
    for (int dim = 0; dim < view.rank; ++dim)
      if (view.shape[dim] > 1)
        add(view.strides[dim] * byteSize(view.dtype), view.shape[dim] - 1);
  }

  void add(int64_t coefficient, int64_t bound) {
    if (coefficient != 0)
      terms_[count_++] = {std::abs(coefficient), bound};
  }

  Overlap reaches(int64_t target) {
    mergeEqual();
    int64_t reach = 0, divisor = 0;
    for (int i = count_; i-- > 0;) {
      reach += terms_[i].coefficient * terms_[i].bound;
      divisor = std::gcd(divisor, terms_[i].coefficient);
      reachFrom_[i] = reach;
      divisorFrom_[i] = divisor;
    }
    return search(0, target);
  }

private:
  /// Both views of a common parent have its strides, so merging halves the
  /// number of terms and makes the search short.
  void mergeEqual() {
    std::sort(terms_, terms_ + count_, [](const Term &a, const Term &b) {
      return a.coefficient > b.coefficient;
    });
    int merged = 0;
    for (int i = 0; i < count_; ++i) {
      if (merged && terms_[merged - 1].coefficient == terms_[i].coefficient)
        terms_[merged - 1].bound += terms_[i].bound;
      else
        terms_[merged++] = terms_[i];
    }
    count_ = merged;
  }

  Overlap search(int index, int64_t target) {
    if (target == 0)
      return Overlap::Exists;
    if (index == count_ || target < 0 || target > reachFrom_[index] ||
        target % divisorFrom_[index] != 0)
      return Overlap::None;
    const Term &term = terms_[index];
    int64_t rest = index + 1 < count_ ? reachFrom_[index + 1] : 0;
    int64_t high = std::min(term.bound, target / term.coefficient);
    int64_t low = 0;
    if (target > rest)
      low = (target - rest + term.coefficient - 1) / term.coefficient;
    for (int64_t x = high; x >= low; --x) {
      if (++steps_ > kMaxSteps)
        return Overlap::Undecided;
      Overlap found = search(index + 1, target - x * term.coefficient);
      if (found != Overlap::None)
        return found;
    }
    return Overlap::None;
  }

  Term terms_[kMaxTerms];
  int count_ = 0;
  int steps_ = 0;
  /// Of the terms from an index on: the largest sum, and the greatest common
  /// divisor of the coefficients.
  int64_t reachFrom_[kMaxTerms];
  int64_t divisorFrom_[kMaxTerms];
};

} // namespace

bool byteRange(const TensorView &view, ByteRange &range) {
  int64_t elementBytes = byteSize(view.dtype);
  auto base = reinterpret_cast<int64_t>(view.data);
  range = {base, base};
  if (view.empty())
    return true;
  bool overflow = __builtin_add_overflow(base, elementBytes, &range.end);
  for (int dim = 0; dim < view.rank; ++dim) {
    int64_t reach;
    overflow |=
        __builtin_mul_overflow(view.shape[dim] - 1, view.strides[dim], &reach);
    overflow |= __builtin_mul_overflow(reach, elementBytes, &reach);
    int64_t &side = reach < 0 ? range.begin : range.end;
    overflow |= __builtin_add_overflow(side, reach, &side);
  }
  return !overflow && range.begin >= 0 && range.end <= kAddressLimit;
}

Overlap overlapOf(const TensorView &a, const TensorView &b) {
  ByteRange rangeA, rangeB;
  if (!byteRange(a, rangeA) || !byteRange(b, rangeB))
    return Overlap::Undecided;
  if (rangeA.end <= rangeB.begin || rangeB.end <= rangeA.begin)
    return Overlap::None;
  SumSearch search;
  // Counted from the start of a's range and down from the end of b's, all terms
  // are non-negative; the last one is the position within the elements.
  search.add(a);
  search.add(b);
  search.add(1, byteSize(a.dtype) + byteSize(b.dtype) - 2);
  return search.reaches(rangeB.end - 1 - rangeA.begin);
}

bool isInjective(const TensorView &view) {
  std::pair<int64_t, int64_t> dims[kMaxRank]; // |stride|, extent - 1
  int count = 0;
  for (int dim = 0; dim < view.rank; ++dim) {
    if (view.shape[dim] == 0)
      return true;
    if (view.shape[dim] > 1)
      dims[count++] = {std::abs(view.strides[dim]), view.shape[dim] - 1};
  }
  std::sort(dims, dims + count);
  int64_t reach = 0;
  for (int i = 0; i < count; ++i) {
    if (dims[i].first <= reach)
      return false;
    reach += dims[i].first * dims[i].second;
  }
  return true;
}

} // namespace mamba
