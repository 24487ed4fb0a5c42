//===- Tensor.h - Strided tensors, borrowed and owned --------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel takes views: memory, extents and strides, as other frameworks hand
// them over. HostTensor is for tools and tests.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_TENSOR_H
#define MAMBA_RUNTIME_TENSOR_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <complex>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mamba {

/// Dimensions a tensor has at most.
inline constexpr int kMaxRank = 8;

/// A strided array in the memory of some device. Owns nothing; the memory must
/// outlive every launch that uses the view.
struct TensorView {
  void *data = nullptr;
  DType dtype = DType::F32;
  int rank = 0;
  int64_t shape[kMaxRank] = {};
  /// In elements; 0 broadcasts, negative runs backwards.
  int64_t strides[kMaxRank] = {};

  TensorView() = default;
  /// `shape` and `strides` have the same length, at most kMaxRank.
  TensorView(void *data, DType dtype, std::span<const int64_t> shape,
             std::span<const int64_t> strides);

  /// Row-major over `shape`.
  static TensorView contiguous(void *data, DType dtype,
                               std::span<const int64_t> shape);
  static TensorView contiguous(void *data, DType dtype,
                               std::initializer_list<int64_t> shape) {
    return contiguous(data, dtype, std::span(shape.begin(), shape.size()));
  }

  /// True if some extent is 0.
  bool empty() const;
  /// The product of the extents; the caller knows that it fits.
  int64_t numElements() const;
  bool isContiguous() const;
  /// The view with dimensions in the order `permutation`.
  TensorView permuted(std::span<const int> permutation) const;
  /// Elements [begin, end) of dimension `dim`.
  TensorView slice(int dim, int64_t begin, int64_t end) const;

  /// "f32[2x16x4] strides [64, 4, 1]", for messages.
  std::string describe() const;
};

/// Memory on the host, with a view. The bytes before and after the elements
/// are guards that tell whether a kernel wrote outside.
class HostTensor {
public:
  HostTensor() = default;

  /// A tensor with the given non-negative strides, filled with zero bytes;
  /// `offset` elements lie before the first, so that misaligned views can be
  /// made. InvalidArgument if the rank or the size is too large,
  /// OutOfMemory if there is no such block.
  static Result<HostTensor> create(DType dtype, std::span<const int64_t> shape,
                                   std::span<const int64_t> strides,
                                   int64_t offset = 0);
  /// The same, row-major.
  static Result<HostTensor> create(DType dtype, std::span<const int64_t> shape);

  /// As create(), for callers who know that it succeeds; aborts if not.
  HostTensor(DType dtype, std::span<const int64_t> shape);
  HostTensor(DType dtype, std::initializer_list<int64_t> shape)
      : HostTensor(dtype, std::span(shape.begin(), shape.size())) {}
  HostTensor(DType dtype, std::span<const int64_t> shape,
             std::span<const int64_t> strides, int64_t offset = 0);

  /// A copy with the same shape, strides, offset and bytes.
  HostTensor clone() const;

  const TensorView &view() const { return view_; }
  DType dtype() const { return view_.dtype; }
  std::span<const int64_t> shape() const {
    return {view_.shape, static_cast<size_t>(view_.rank)};
  }
  /// All elements in memory, from the offset's first to the last one reached,
  /// those that no index reaches included.
  std::span<std::byte> bytes();
  std::span<const std::byte> bytes() const;
  /// Elements of bytes() that lie before the view's first one.
  int64_t offset() const { return offset_; }

  /// The element at `index` (one number a dimension).
  std::complex<double> at(std::span<const int64_t> index) const;
  void set(std::span<const int64_t> index, std::complex<double> value);

  /// Sets every element to generator(row-major position).
  void fill(const std::function<std::complex<double>(int64_t)> &generator);
  void fill(double value);
  /// Sets every byte to 0xFF, also those no index reaches: NaN in every type.
  void fillNaN();

  /// False if a byte of the guards was written.
  bool guardsIntact() const;

private:
  TensorView view_;
  int64_t offset_ = 0;
  size_t numBytes_ = 0;
  struct Free {
    void operator()(std::byte *block) const;
  };
  std::unique_ptr<std::byte[], Free> storage_;
};

std::vector<TensorView> viewsOf(std::span<const HostTensor> tensors);

/// Calls `visit(index)` for every index of `shape` in row-major order.
void forEachIndex(std::span<const int64_t> shape,
                  const std::function<void(std::span<const int64_t>)> &visit);

/// The offset in elements of `index` from the view's data.
int64_t offsetOf(const TensorView &view, std::span<const int64_t> index);

} // namespace mamba

#endif // MAMBA_RUNTIME_TENSOR_H
