//===- SelectionTest.cpp - Which variant a call runs ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/bundle/Selection.h"

#include "test/unit/bundle/TestBundle.h"

using namespace mamba;
using namespace mamba::test;

namespace {

DeviceInfo gpu(const char *target) {
  DeviceInfo info;
  info.name = "cuda:0";
  info.target = info.architecture = target;
  return info;
}

/// scale() for one target, with code of this kind.
BundleVariant variant(const char *target, ImageKind kind) {
  BundleVariant result = variantOf(scaleArtifact(), target);
  result.code = {codeFile(kind, "code", "code")};
  return result;
}

/// One made for these extents, whose memory is aligned to 16 bytes.
BundleVariant madeFor(int64_t batch, int64_t length, int64_t channels) {
  BundleVariant result = variant("sm_90", ImageKind::Cubin);
  for (LayoutSpec &layout : result.artifact.layouts)
    layout.alignment = 16;
  result.artifact.layouts[1].unitDim = 0;
  for (size_t i : {0, 2})
    result.artifact.layouts[i].unitDim = 2;
  result.madeFor[0] = batch;
  result.madeFor[1] = length;
  result.madeFor[2] = channels;
  return result;
}

class SelectionTest : public testing::Test {
protected:
  SelectionTest() : function(functionOf(scaleArtifact())) {}

  std::vector<TensorView> tensors(int64_t batch, int64_t length,
                                  int64_t channels, size_t offset = 0) {
    auto *base = reinterpret_cast<char *>(4096 + offset);
    return {TensorView::contiguous(base, DType::F32, {batch, length, channels}),
            TensorView::contiguous(base + (1 << 20), DType::F32, {channels}),
            TensorView::contiguous(base + (1 << 21), DType::F32,
                                   {batch, length, channels})};
  }
  size_t select(const std::vector<TensorView> &views, const char *target) {
    Result<size_t> index =
        selectVariant(function, variants, views, gpu(target));
    EXPECT_TRUE(index.ok()) << index.status().message();
    return index.ok() ? *index : 99;
  }
  void expectError(const std::vector<TensorView> &views, const char *target,
                   StatusCode code, const char *part) {
    Status status =
        selectVariant(function, variants, views, gpu(target)).status();
    EXPECT_EQ(status.code(), code);
    EXPECT_NE(status.message().find(part), std::string::npos)
        << status.message();
  }

  BundleFunction function;
  std::vector<BundleVariant> variants;
};

TEST_F(SelectionTest, FormsRunWhereTheyCan) {
  BundleTarget target{"sm_86", {ImageKind::Cubin}, {}};
  EXPECT_TRUE(runsOn(target, gpu("sm_86")));
  EXPECT_TRUE(runsOn(target, gpu("sm_89")));
  EXPECT_FALSE(runsOn(target, gpu("sm_80")));
  EXPECT_FALSE(runsOn(target, gpu("sm_90")));
  target.forms = {ImageKind::Cuda};
  EXPECT_TRUE(runsOn(target, gpu("sm_90")));
  EXPECT_FALSE(runsOn(target, gpu("sm_80")));
  target.forms = {ImageKind::Object};
  EXPECT_TRUE(runsOn(target, gpu("sm_86")));
  EXPECT_FALSE(runsOn(target, gpu("sm_89")));
}

TEST_F(SelectionTest, WhatADeviceHasNoRoomForIsLeftOut) {
  variants = {variant("sm_80", ImageKind::Cubin),
              variant("sm_80", ImageKind::Cubin)};
  variants[0].artifact.launches[0].sharedBytes = 120 << 10;
  auto views = tensors(2, 8, 4);
  DeviceInfo large = gpu("sm_80"), small = gpu("sm_86");
  large.sharedBytesPerBlock = 163 << 10;
  small.sharedBytesPerBlock = 99 << 10;
  EXPECT_EQ(*selectVariant(function, variants, views, large), 0u);
  EXPECT_EQ(*selectVariant(function, variants, views, small), 1u);
  variants.pop_back();
  expectError(views, "sm_86", StatusCode::Unsupported,
              "larger than cuda:0 (sm_86) has shared memory");
}

TEST_F(SelectionTest, NearestExtents) {
  variants = {madeFor(8, 2048, 2048), madeFor(1, 65536, 1024),
              variant("sm_90", ImageKind::Cubin)};
  EXPECT_EQ(select(tensors(8, 2048, 2048), "sm_90"), 0u);
  EXPECT_EQ(select(tensors(4, 1024, 1024), "sm_90"), 0u);
  EXPECT_EQ(select(tensors(1, 32768, 2048), "sm_90"), 1u);
  // Empty problems are near something too.
  EXPECT_EQ(select(tensors(0, 8, 2048), "sm_90"), 0u);
}

TEST_F(SelectionTest, AssumptionsHold) {
  variants = {madeFor(8, 2048, 2048), variant("sm_90", ImageKind::Cubin)};
  variants[0].artifact.lengthMultiple = 16;
  variants[0].artifact.channelMultiple = 64;
  EXPECT_EQ(select(tensors(8, 2048, 2048), "sm_90"), 0u);
  EXPECT_EQ(select(tensors(8, 2040, 2048), "sm_90"), 1u);
  EXPECT_EQ(select(tensors(8, 2048, 2080), "sm_90"), 1u);
  EXPECT_EQ(select(tensors(8, 2048, 2048, /*offset=*/4), "sm_90"), 1u);
  auto transposed = tensors(8, 2048, 2048);
  std::swap(transposed[0].strides[1], transposed[0].strides[2]);
  EXPECT_EQ(select(transposed, "sm_90"), 1u);
}

TEST_F(SelectionTest, RefusalsSayWhatIsWrong) {
  variants = {madeFor(8, 2048, 2048)};
  auto views = tensors(2, 8, 4, /*offset=*/4);
  expectError(views, "sm_90", StatusCode::InvalidArgument, "function 'scale'");
  expectError(views, "sm_90", StatusCode::InvalidArgument,
              "is not a multiple of the 16 bytes");
  views.pop_back();
  expectError(views, "sm_90", StatusCode::InvalidArgument,
              "2 tensors given; required are 2 inputs and 1 results");
  views = tensors(2, 8, 4);
  views[1].rank = 2;
  expectError(views, "sm_90", StatusCode::InvalidArgument,
              "input 'w' has rank 2; required is 1");
}

} // namespace
