//===- Tensor.cpp - Strided tensors, borrowed and owned -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Index arithmetic of views, and host memory between guard bytes.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tensor.h"

#include "runtime/DType.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mamba {

namespace {

constexpr size_t kGuardBytes = 256;
constexpr size_t kAlignment = 256;
constexpr std::byte kGuard{0xA5};

using Strides = std::array<int64_t, kMaxRank>;

/// Row-major strides. An extent of 0 counts as 1, so that strides stay
/// positive; wraps around if the shape is too large, which create() refuses.
Strides rowMajor(std::span<const int64_t> shape) {
  Strides strides{};
  uint64_t next = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    strides[dim] = static_cast<int64_t>(next);
    next *= static_cast<uint64_t>(std::max<int64_t>(shape[dim], 1));
  }
  return strides;
}

/// Elements from the first of the block to the last reached, inclusive.
Result<int64_t> elementsSpanned(std::span<const int64_t> shape,
                                std::span<const int64_t> strides,
                                int64_t offset) {
  int64_t last = offset;
  bool empty = false, overflow = false;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    if (shape[dim] < 0 || strides[dim] < 0)
      return Status(StatusCode::InvalidArgument,
                    fmt::format("dimension {} has extent {} and stride {}; "
                                "both must not be negative",
                                dim, shape[dim], strides[dim]));
    empty |= shape[dim] == 0;
    int64_t reach = 0;
    overflow |= __builtin_mul_overflow(std::max<int64_t>(shape[dim] - 1, 0),
                                       strides[dim], &reach);
    overflow |= __builtin_add_overflow(last, reach, &last);
  }
  if (empty)
    return offset;
  if (overflow || last >= (int64_t(1) << 58))
    return Status(StatusCode::InvalidArgument,
                  fmt::format("the size of a tensor of shape [{}] overflows",
                              fmt::join(shape, ", ")));
  return last + 1;
}

HostTensor valueOrAbort(Result<HostTensor> tensor) {
  if (!tensor.ok()) {
    std::fprintf(stderr, "mamba: HostTensor: %s\n",
                 tensor.status().toString().c_str());
    std::abort();
  }
  return std::move(tensor).value();
}

} // namespace

TensorView::TensorView(void *data, DType dtype, std::span<const int64_t> shape,
                       std::span<const int64_t> strides)
    : data(data), dtype(dtype), rank(static_cast<int>(shape.size())) {
  assert(shape.size() <= kMaxRank && shape.size() == strides.size());
  std::copy(shape.begin(), shape.end(), this->shape);
  std::copy(strides.begin(), strides.end(), this->strides);
}

TensorView TensorView::contiguous(void *data, DType dtype,
                                  std::span<const int64_t> shape) {
  assert(shape.size() <= kMaxRank);
  Strides strides = rowMajor(shape);
  return TensorView(data, dtype, shape, std::span(strides).first(shape.size()));
}

bool TensorView::empty() const {
  return std::find(shape, shape + rank, 0) != shape + rank;
}

int64_t TensorView::numElements() const {
  int64_t count = 1;
  for (int dim = 0; dim < rank; ++dim)
    count *= shape[dim];
  return count;
}

bool TensorView::isContiguous() const {
  Strides expected = rowMajor({shape, static_cast<size_t>(rank)});
  for (int dim = 0; dim < rank; ++dim)
    if (shape[dim] > 1 && strides[dim] != expected[dim])
      return empty();
  return true;
}

TensorView TensorView::permuted(std::span<const int> permutation) const {
  assert(permutation.size() == static_cast<size_t>(rank));
  TensorView view = *this;
  for (int dim = 0; dim < rank; ++dim) {
    view.shape[dim] = shape[permutation[dim]];
    view.strides[dim] = strides[permutation[dim]];
  }
  return view;
}

TensorView TensorView::slice(int dim, int64_t begin, int64_t end) const {
  assert(dim < rank && 0 <= begin && begin <= end && end <= shape[dim]);
  TensorView view = *this;
  view.shape[dim] = end - begin;
  view.data =
      static_cast<std::byte *>(data) + begin * strides[dim] * byteSize(dtype);
  return view;
}

std::string TensorView::describe() const {
  return fmt::format("{}[{}] strides [{}]", toString(dtype),
                     fmt::join(shape, shape + rank, "x"),
                     fmt::join(strides, strides + rank, ", "));
}

void HostTensor::Free::operator()(std::byte *block) const { std::free(block); }

Result<HostTensor> HostTensor::create(DType dtype,
                                      std::span<const int64_t> shape,
                                      std::span<const int64_t> strides,
                                      int64_t offset) {
  if (shape.size() > kMaxRank || shape.size() != strides.size() || offset < 0)
    return Status(StatusCode::InvalidArgument,
                  fmt::format("{} extents, {} strides and offset {}; required "
                              "are as many strides as extents, at most {}, and "
                              "a non-negative offset",
                              shape.size(), strides.size(), offset, kMaxRank));
  MAMBA_ASSIGN_OR_RETURN(int64_t elements,
                         elementsSpanned(shape, strides, offset));
  HostTensor tensor;
  tensor.offset_ = offset;
  tensor.numBytes_ = static_cast<size_t>(elements * byteSize(dtype));
  size_t blockBytes = (tensor.numBytes_ + 2 * kGuardBytes + kAlignment - 1) /
                      kAlignment * kAlignment;
  tensor.storage_.reset(
      static_cast<std::byte *>(std::aligned_alloc(kAlignment, blockBytes)));
  std::byte *block = tensor.storage_.get();
  if (!block)
    return Status(StatusCode::OutOfMemory,
                  fmt::format("no {} bytes of host memory for a tensor of "
                              "shape [{}]",
                              blockBytes, fmt::join(shape, ", ")));
  std::memset(block, static_cast<int>(kGuard), kGuardBytes);
  std::memset(block + kGuardBytes, 0, tensor.numBytes_);
  std::memset(block + kGuardBytes + tensor.numBytes_, static_cast<int>(kGuard),
              kGuardBytes);
  tensor.view_ = TensorView(block + kGuardBytes + offset * byteSize(dtype),
                            dtype, shape, strides);
  return tensor;
}

Result<HostTensor> HostTensor::create(DType dtype,
                                      std::span<const int64_t> shape) {
  if (shape.size() > kMaxRank)
    return Status(
        StatusCode::InvalidArgument,
        fmt::format("rank {} is larger than {}", shape.size(), kMaxRank));
  int64_t count = 1;
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(count, std::max<int64_t>(extent, 1), &count))
      return Status(StatusCode::InvalidArgument,
                    fmt::format("the size of a tensor of shape [{}] overflows",
                                fmt::join(shape, ", ")));
  Strides strides = rowMajor(shape);
  return create(dtype, shape, std::span(strides).first(shape.size()));
}

HostTensor::HostTensor(DType dtype, std::span<const int64_t> shape)
    : HostTensor(valueOrAbort(create(dtype, shape))) {}

HostTensor::HostTensor(DType dtype, std::span<const int64_t> shape,
                       std::span<const int64_t> strides, int64_t offset)
    : HostTensor(valueOrAbort(create(dtype, shape, strides, offset))) {}

HostTensor HostTensor::clone() const {
  if (!storage_)
    return HostTensor();
  HostTensor copy(dtype(), shape(),
                  std::span(view_.strides, static_cast<size_t>(view_.rank)),
                  offset_);
  std::memcpy(copy.bytes().data(), bytes().data(), numBytes_);
  return copy;
}

std::span<std::byte> HostTensor::bytes() {
  return {storage_.get() + kGuardBytes, numBytes_};
}

std::span<const std::byte> HostTensor::bytes() const {
  return {storage_.get() + kGuardBytes, numBytes_};
}

std::complex<double> HostTensor::at(std::span<const int64_t> index) const {
  auto *base = static_cast<const std::byte *>(view_.data);
  return readElement(base + offsetOf(view_, index) * byteSize(dtype()),
                     dtype());
}

void HostTensor::set(std::span<const int64_t> index,
                     std::complex<double> value) {
  auto *base = static_cast<std::byte *>(view_.data);
  writeElement(base + offsetOf(view_, index) * byteSize(dtype()), dtype(),
               value);
}

void HostTensor::fill(
    const std::function<std::complex<double>(int64_t)> &generator) {
  int64_t position = 0;
  forEachIndex(shape(), [&](std::span<const int64_t> index) {
    set(index, generator(position++));
  });
}

void HostTensor::fill(double value) {
  fill([value](int64_t) { return value; });
}

void HostTensor::fillNaN() {
  if (numBytes_)
    std::memset(bytes().data(), 0xFF, numBytes_);
}

bool HostTensor::guardsIntact() const {
  if (!storage_)
    return true;
  auto intact = [](const std::byte *guard) {
    return std::all_of(guard, guard + kGuardBytes,
                       [](std::byte value) { return value == kGuard; });
  };
  return intact(storage_.get()) &&
         intact(storage_.get() + kGuardBytes + numBytes_);
}

std::vector<TensorView> viewsOf(std::span<const HostTensor> tensors) {
  std::vector<TensorView> views;
  for (const HostTensor &tensor : tensors)
    views.push_back(tensor.view());
  return views;
}

void forEachIndex(std::span<const int64_t> shape,
                  const std::function<void(std::span<const int64_t>)> &visit) {
  assert(shape.size() <= kMaxRank);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return;
  Strides index{};
  std::span<int64_t> current = std::span(index).first(shape.size());
  for (;;) {
    visit(current);
    size_t dim = shape.size();
    while (dim > 0 && ++current[dim - 1] == shape[dim - 1])
      current[--dim] = 0;
    if (dim == 0)
      return;
  }
}

int64_t offsetOf(const TensorView &view, std::span<const int64_t> index) {
  assert(index.size() == static_cast<size_t>(view.rank));
  int64_t offset = 0;
  for (size_t dim = 0; dim < index.size(); ++dim)
    offset += index[dim] * view.strides[dim];
  return offset;
}

} // namespace mamba
