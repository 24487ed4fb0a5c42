//===- RefusalTest.cpp - Calls that must be refused -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each refused call names the tensor, what was found and what was required.
//
//===----------------------------------------------------------------------===//

#include "runtime/Kernel.h"

#include "test/unit/runtime/TestArtifacts.h"

#include <gtest/gtest.h>
#include <vector>

using namespace mamba;
using namespace mamba::test;

namespace {

class RefusalTest : public testing::Test {
protected:
  /// check() of scaleArtifact() on changed tensors.
  template <typename Change> Status check(Change change) {
    auto kernel = Kernel::create(std::make_shared<const Artifact>(artifact),
                                 *Device::open("cpu"));
    std::vector<TensorView> tensors{
        TensorView::contiguous(memory, DType::F32, {2, 4, 8}),
        TensorView::contiguous(memory + 1000, DType::F32, {8}),
        TensorView::contiguous(memory + 2000, DType::F32, {2, 4, 8})};
    change(tensors);
    return (*kernel)->check(tensors);
  }

  template <typename Change>
  void expectRefused(const char *message, Change change) {
    Status status = check(change);
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    EXPECT_NE(status.message().find(message), std::string::npos)
        << status.message();
    EXPECT_NE(status.message().find("kernel 'scale'"), std::string::npos);
  }

  Artifact artifact = scaleArtifact();
  alignas(256) float memory[4096];
};

using Tensors = std::vector<TensorView>;

TEST_F(RefusalTest, UnchangedIsAccepted) {
  Status status = check([](Tensors &) {});
  EXPECT_TRUE(status.ok()) << status.toString();
}

TEST_F(RefusalTest, NumberRankAndType) {
  expectRefused("2 tensors given; required are 2 inputs and 1 results",
                [](Tensors &t) { t.pop_back(); });
  expectRefused("input 'x' has rank 2; required is 3",
                [](Tensors &t) { t[0].rank = 2; });
  expectRefused("input 'w' has element type bf16; required is f32",
                [](Tensors &t) { t[1].dtype = DType::BF16; });
}

TEST_F(RefusalTest, Extents) {
  expectRefused("dimension 0 (channel) of input 'w' has extent 7; required is "
                "8 (from the tensors before it)",
                [](Tensors &t) { t[1].shape[0] = 7; });
  expectRefused("dimension 1 (length) of result 'y' has extent 5",
                [](Tensors &t) { t[2].shape[1] = 5; });
  expectRefused("negative extent -1", [](Tensors &t) { t[0].shape[1] = -1; });
  artifact.tensors[0].dims[2].extent = 16;
  expectRefused("extent 8; required is 16 (compiled in)", [](Tensors &) {});
}

TEST_F(RefusalTest, ChunkExtents) {
  artifact = chunkedSumArtifact();
  // A result with one entry for each chunk of 4.
  artifact.numResults = 2;
  artifact.layouts.push_back({-1, 4});
  auto kernel = Kernel::create(std::make_shared<const Artifact>(artifact),
                               *Device::open("cpu"));
  auto check = [&](int64_t length, int64_t chunks) {
    return (*kernel)->check(std::vector{
        TensorView::contiguous(memory, DType::F32, {2, length}),
        TensorView::contiguous(memory + 1000, DType::F32, {2}),
        TensorView::contiguous(memory + 2000, DType::F32, {2, chunks})});
  };
  EXPECT_TRUE(check(9, 3).ok()) << check(9, 3).toString();
  EXPECT_TRUE(check(0, 0).ok());
  EXPECT_EQ(check(9, 2).code(), StatusCode::InvalidArgument);
}

TEST_F(RefusalTest, Pointers) {
  expectRefused("input 'x' (f32[2x4x8] strides [32, 8, 1]) has a null pointer",
                [](Tensors &t) { t[0].data = nullptr; });
  expectRefused("is not a multiple of its element size 4", [](Tensors &t) {
    t[0].data = static_cast<char *>(t[0].data) + 2;
  });
}

TEST_F(RefusalTest, Layouts) {
  artifact.layouts[0] = {2, 16};
  expectRefused("dimension 2 has stride 2",
                [](Tensors &t) { t[0].strides[2] = 2; });
  expectRefused("is not a multiple of the 16 bytes", [](Tensors &t) {
    t[0].data = static_cast<float *>(t[0].data) + 1;
  });
  artifact.layouts[0] = {2, 4, 1, 8};
  expectRefused("dimension 1 has stride 7, and the kernel was compiled for "
                "stride 8",
                [](Tensors &t) { t[0].strides[1] = 7; });
}

TEST_F(RefusalTest, SizesThatOverflow) {
  expectRefused("its size in bytes overflows",
                [](Tensors &t) { t[0].strides[0] = int64_t(1) << 62; });
  // Every element of a broadcast counts.
  expectRefused("its size in bytes overflows", [](Tensors &t) {
    for (TensorView *view : {&t[0], &t[2]}) {
      view->shape[0] = int64_t(1) << 40;
      view->shape[1] = int64_t(1) << 30;
      view->strides[0] = view->strides[1] = 0;
    }
  });
}

TEST_F(RefusalTest, OverlappingResults) {
  expectRefused("result 'y' (f32[2x4x8] strides [32, 8, 1]) overlaps the "
                "memory of input 'x'",
                [](Tensors &t) { t[2].data = t[0].data; });
  expectRefused("overlaps the memory of input 'w'", [](Tensors &t) {
    t[2].data = static_cast<float *>(t[1].data) - 63;
  });
  expectRefused("could hold several elements in one place",
                [](Tensors &t) { t[2].strides[1] = 0; });
  expectRefused("could hold several elements in one place",
                [](Tensors &t) { t[2].strides[1] = 7; });
}

TEST_F(RefusalTest, InterleavedIsNoOverlap) {
  // Both halves of a parent with rows of 16 channels.
  Status status = check([](Tensors &t) {
    for (int i : {0, 2}) {
      t[i].strides[0] = 64;
      t[i].strides[1] = 16;
    }
    t[2].data = static_cast<float *>(t[0].data) + 8;
  });
  EXPECT_TRUE(status.ok()) << status.toString();
}

TEST_F(RefusalTest, TemporariesThatOverflow) {
  artifact = chunkedSumArtifact();
  artifact.name = "scale";
  auto kernel = Kernel::create(std::make_shared<const Artifact>(artifact),
                               *Device::open("cpu"));
  int64_t shape[] = {int64_t(1) << 30, int64_t(1) << 30}, strides[] = {0, 1};
  int64_t sums[] = {int64_t(1) << 30}, one[] = {1};
  auto *far = reinterpret_cast<void *>(uintptr_t(1) << 40);
  Status status = (*kernel)->check(
      std::vector{TensorView(memory, DType::F32, shape, strides),
                  TensorView(far, DType::F32, sums, one)});
  EXPECT_TRUE(status.ok()) << status.toString();
  artifact.tensors[2].dims.push_back({Axis::Other, int64_t(1) << 20});
  kernel = Kernel::create(std::make_shared<const Artifact>(artifact),
                          *Device::open("cpu"));
  status = (*kernel)->check(
      std::vector{TensorView(memory, DType::F32, shape, strides),
                  TensorView(far, DType::F32, sums, one)});
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_NE(status.message().find("temporary 'partial' overflows"),
            std::string::npos);
}

TEST_F(RefusalTest, InconsistentArtifact) {
  artifact.layouts.clear();
  EXPECT_EQ(Kernel::create(std::make_shared<const Artifact>(artifact),
                           *Device::open("cpu"))
                .code(),
            StatusCode::InvalidArgument);
}

} // namespace
