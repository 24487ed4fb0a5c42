//===- TensorTest.cpp - Views and host tensors ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shapes, strides, guards, and sizes that don't fit.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tensor.h"

#include <gtest/gtest.h>
#include <vector>

using namespace mamba;

namespace {

TEST(TensorView, ContiguousStrides) {
  TensorView view = TensorView::contiguous(nullptr, DType::F32, {2, 3, 4});
  EXPECT_EQ(view.strides[0], 12);
  EXPECT_EQ(view.strides[1], 4);
  EXPECT_EQ(view.strides[2], 1);
  EXPECT_TRUE(view.isContiguous());
  EXPECT_EQ(view.numElements(), 24);
  EXPECT_EQ(view.describe(), "f32[2x3x4] strides [12, 4, 1]");
}

TEST(TensorView, PermutedAndSliced) {
  float data[24];
  TensorView view = TensorView::contiguous(data, DType::F32, {2, 3, 4});
  TensorView permuted = view.permuted(std::vector<int>{0, 2, 1});
  EXPECT_EQ(permuted.shape[1], 4);
  EXPECT_EQ(permuted.strides[1], 1);
  EXPECT_FALSE(permuted.isContiguous());
  TensorView slice = view.slice(2, 1, 3);
  EXPECT_EQ(slice.data, data + 1);
  EXPECT_EQ(slice.shape[2], 2);
}

TEST(TensorView, EmptyHasPositiveStrides) {
  TensorView view = TensorView::contiguous(nullptr, DType::F32, {2, 0, 4});
  EXPECT_TRUE(view.empty());
  EXPECT_EQ(view.numElements(), 0);
  EXPECT_EQ(view.strides[0], 4);
}

TEST(HostTensor, FillAndRead) {
  HostTensor tensor(DType::BF16, {2, 3});
  tensor.fill([](int64_t i) { return double(i); });
  EXPECT_EQ(tensor.at(std::vector<int64_t>{1, 2}).real(), 5);
  HostTensor copy = tensor.clone();
  copy.set(std::vector<int64_t>{1, 2}, 7);
  EXPECT_EQ(tensor.at(std::vector<int64_t>{1, 2}).real(), 5);
}

TEST(HostTensor, StridesAndOffset) {
  std::vector<int64_t> shape{2, 3}, strides{8, 2};
  HostTensor tensor(DType::F32, shape, strides, 1);
  EXPECT_EQ(tensor.bytes().size(), size_t(4 * (1 + 8 + 4 + 1)));
  EXPECT_EQ(static_cast<std::byte *>(tensor.view().data),
            tensor.bytes().data() + 4);
  tensor.fillNaN();
  tensor.fill(1.0);
  EXPECT_TRUE(tensor.guardsIntact());
}

TEST(HostTensor, GuardsNoticeWrites) {
  HostTensor tensor(DType::F32, {4});
  auto *data = static_cast<float *>(tensor.view().data);
  EXPECT_TRUE(tensor.guardsIntact());
  data[4] = 0;
  EXPECT_FALSE(tensor.guardsIntact());
}

TEST(HostTensor, EmptyAndScalar) {
  HostTensor empty(DType::F32, {0, 5});
  EXPECT_EQ(empty.bytes().size(), 0u);
  empty.fill(1);
  empty.fillNaN();
  HostTensor scalar(DType::F32, std::initializer_list<int64_t>{});
  scalar.fill(3);
  EXPECT_EQ(scalar.at({}).real(), 3);
}

TEST(HostTensor, ImpossibleSizesAreErrors) {
  std::vector<int64_t> huge{int64_t(1) << 40, int64_t(1) << 40};
  EXPECT_EQ(HostTensor::create(DType::F32, huge).code(),
            StatusCode::InvalidArgument);
  std::vector<int64_t> large{int64_t(1) << 55};
  EXPECT_EQ(HostTensor::create(DType::F32, large).code(),
            StatusCode::OutOfMemory);
  std::vector<int64_t> negative{-1};
  EXPECT_EQ(HostTensor::create(DType::F32, negative).code(),
            StatusCode::InvalidArgument);
  std::vector<int64_t> deep(9, 1);
  EXPECT_EQ(HostTensor::create(DType::F32, deep).code(),
            StatusCode::InvalidArgument);
}

} // namespace
