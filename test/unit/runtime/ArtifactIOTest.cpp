//===- ArtifactIOTest.cpp - Artifacts as bytes ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Cut anywhere or changed in any bit, the bytes must be refused.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"

#include "runtime/ByteStream.h"
#include "runtime/Hash.h"
#include "runtime/Validate.h"
#include "test/unit/runtime/TestArtifacts.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

using namespace mamba;
using namespace mamba::test;

namespace {

TEST(ArtifactIO, RoundTrip) {
  Artifact rows = scaleArtifact();
  rows.layouts[0].fixedDim = 1;
  rows.layouts[0].fixedStride = 4096;
  for (const Artifact &artifact :
       {scaleArtifact(), chunkedSumArtifact(), rows}) {
    std::string bytes = serialize(artifact);
    Result<Artifact> again = deserializeArtifact(bytes);
    ASSERT_TRUE(again.ok()) << again.status().toString();
    EXPECT_EQ(serialize(*again), bytes);
    EXPECT_EQ(again->name, artifact.name);
    EXPECT_EQ(again->layouts, artifact.layouts);
    EXPECT_EQ(again->launches.size(), artifact.launches.size());
  }
}

TEST(ArtifactIO, CutAtEveryByte) {
  std::string bytes = serialize(chunkedSumArtifact());
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(deserializeArtifact(bytes.substr(0, size)).code(),
              StatusCode::CorruptData)
        << size;
  EXPECT_EQ(deserializeArtifact(bytes + "x").code(), StatusCode::CorruptData);
}

TEST(ArtifactIO, RandomBitFlips) {
  std::string bytes = serialize(chunkedSumArtifact());
  std::mt19937 random(3);
  for (int i = 0; i < 10000; ++i) {
    std::string broken = bytes;
    for (int flips = 1 + int(random() % 3); flips > 0; --flips)
      broken[random() % broken.size()] ^= char(1 << random() % 8);
    if (broken != bytes)
      ASSERT_EQ(deserializeArtifact(broken).code(), StatusCode::CorruptData);
  }
}

/// Whatever is taken is what would be written: no two files are one artifact.
TEST(ArtifactIO, OneFormOfEach) {
  const std::string bytes = serialize(chunkedSumArtifact());
  constexpr size_t kHeader = 28; // Magic, version, checksum.
  for (size_t i = kHeader; i < bytes.size(); ++i)
    for (char value : {0, 1, 2, 127}) {
      std::string changed = bytes;
      changed[i] = value;
      Hash128 checksum = hash128(std::string_view(changed).substr(kHeader));
      ByteWriter sum;
      sum.number(checksum.high);
      sum.number(checksum.low);
      changed.replace(12, 16, sum.take());
      Result<Artifact> artifact = deserializeArtifact(changed);
      if (artifact.ok())
        EXPECT_TRUE(serialize(*artifact) == changed) << i;
    }
}

TEST(ArtifactIO, Files) {
  std::string path =
      testing::TempDir() + "mamba-artifact-test-" + std::to_string(::getpid());
  ASSERT_TRUE(writeArtifact(path, scaleArtifact()).ok());
  EXPECT_TRUE(readArtifact(path).ok());
  std::filesystem::remove(path);
  Result<Artifact> missing = readArtifact(path);
  EXPECT_EQ(missing.code(), StatusCode::NotFound);
  EXPECT_NE(missing.status().message().find(path), std::string::npos);
  EXPECT_EQ(writeArtifact("/nonexistent/x", scaleArtifact()).code(),
            StatusCode::NotFound);
  EXPECT_EQ(readArtifact("/").code(), StatusCode::IoError);
}

using Change = void (*)(Artifact &);
struct InvalidCase {
  Change change;
  const char *message;
};

TEST(Validate, ContradictionsAreNamed) {
  const InvalidCase cases[] = {
      {[](Artifact &a) { a.numInputs = 9; }, "9 inputs and 1 results"},
      {[](Artifact &a) { a.layouts.pop_back(); }, "2 layouts for 3"},
      {[](Artifact &a) { a.layouts[0].unitDim = 3; }, "unit dimension 3"},
      {[](Artifact &a) { a.layouts[0].alignment = 3; }, "alignment 3"},
      {[](Artifact &a) { a.layouts[0].fixedDim = 3; }, "fixed dimension 3"},
      {[](Artifact &a) { a.layouts[0].fixedDim = -2; }, "fixed dimension -2"},
      {[](Artifact &a) { a.layouts[0].fixedDim = a.layouts[0].unitDim = 0; },
       "with unit dimension"},
      {[](Artifact &a) { a.layouts[0].fixedDim = 1; }, "fixed stride 0"},
      {[](Artifact &a) { a.layouts[0].fixedStride = 64; },
       "fixed stride 64 of dimension -1"},
      {[](Artifact &a) { a.channelMultiple = 0; }, "channel multiple 0"},
      {[](Artifact &a) { a.lengthMultiple = -1; }, "length multiple -1"},
      {[](Artifact &a) { a.tensors[0].dims[0].extent = -2; },
       "negative extent -2"},
      {[](Artifact &a) { a.tensors[0].dims[0].divisor = 0; }, "divisor 0"},
      {[](Artifact &a) { a.tensors[0].dims[0] = {Axis::Other}; },
       "needs a static extent"},
      {[](Artifact &a) {
         a.tensors[0].dims[2].extent = 4;
         a.tensors[1].dims[0].extent = 5;
       },
       "channel extent 5, and an earlier tensor has 4"},
      {[](Artifact &a) { a.tensors[0].dims.resize(9); }, "rank 9"},
      {[](Artifact &a) { a.launches[0].entry.clear(); }, "needs a name"},
      {[](Artifact &a) { a.launches[0].blockSize = 0; }, "block size 0"},
      {[](Artifact &a) { a.launches[0].grid[0].axis = Axis::State; },
       "no input or result has the state axis"},
      {[](Artifact &a) { a.launches[0].grid[0].divisor = 0; },
       "grid divisor 0"},
      {[](Artifact &a) { a.launches[0].grid[0].isAdded = true; },
       "the first factor of a grid has nothing to be added to"},
      {[](Artifact &a) { a.launches[0].args[0].index = 3; }, "tensor 3 of 3"},
      {[](Artifact &a) { a.launches[0].args[3].dim = 3; }, "stride 3"},
      {[](Artifact &a) { a.launches[0].args[10].dim = 5; }, "unknown axis 5"},
      {[](Artifact &a) { a.launches[0].args.resize(513); }, "513 arguments"},
  };
  for (const InvalidCase &invalid : cases) {
    Artifact artifact = scaleArtifact();
    ASSERT_TRUE(validate(artifact).ok());
    invalid.change(artifact);
    Status status = validate(artifact);
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    EXPECT_NE(status.message().find(invalid.message), std::string::npos)
        << status.message();
    EXPECT_EQ(deserializeArtifact(serialize(artifact)).code(),
              StatusCode::CorruptData);
  }
}

} // namespace
