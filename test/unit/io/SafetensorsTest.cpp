//===- SafetensorsTest.cpp - Named tensors in one file --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Round trips, and headers that lie.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Safetensors.h"

#include "test/unit/io/TemporaryFolder.h"

#include <array>

using namespace mamba;

namespace {

using SafetensorsTest = TemporaryFolder;
using NamedView = std::pair<std::string, TensorView>;

/// A file with `header` as it is and `dataSize` bytes of data.
std::string fileBytes(std::string_view header, size_t dataSize) {
  const uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char *>(&size), sizeof(size));
  bytes += header;
  bytes.append(dataSize, 'x');
  return bytes;
}

TEST_F(SafetensorsTest, RoundTripsEveryType) {
  std::vector<HostTensor> tensors;
  std::vector<NamedView> views;
  for (DType dtype :
       {DType::F64, DType::F32, DType::F16, DType::BF16, DType::C64}) {
    HostTensor &tensor = tensors.emplace_back(
        dtype, std::initializer_list<int64_t>{3, int64_t(tensors.size())});
    tensor.fill([](int64_t i) { return 0.5 * static_cast<double>(i) - 1; });
  }
  for (const HostTensor &tensor : tensors)
    views.emplace_back("t" + std::to_string(views.size()), tensor.view());
  ASSERT_TRUE(writeSafetensors(path("x.safetensors"), views).ok());

  const Result<SafetensorsFile> file =
      SafetensorsFile::open(path("x.safetensors"));
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->entries().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Result<HostTensor> back = file->read(views[i].first);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(back->dtype(), tensors[i].dtype());
    EXPECT_TRUE(std::ranges::equal(back->shape(), tensors[i].shape()));
    EXPECT_TRUE(std::ranges::equal(back->bytes(), tensors[i].bytes()));
  }
}

TEST_F(SafetensorsTest, ReadsMetadataAndTypesItCannotLoad) {
  const Result<SafetensorsFile> file = SafetensorsFile::open(put(
      "x", fileBytes(R"({"__metadata__":{"format":"pt"},)"
                     R"("i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                     R"("f":{"dtype":"F32","shape":[],"data_offsets":[8,12]}})",
                     12)));
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE(file->read("f").ok());
  EXPECT_ERROR(file->read("i"), StatusCode::Unsupported,
               "tensor 'i': element type I64 is not supported");
  EXPECT_ERROR(file->read("g"), StatusCode::NotFound,
               "no tensor 'g'; found 2: i, f");
}

TEST_F(SafetensorsTest, EveryTruncationIsAnError) {
  HostTensor tensor(DType::F32, {3});
  const std::array views = {NamedView("a", tensor.view())};
  ASSERT_TRUE(writeSafetensors(path("x"), views).ok());
  const std::string bytes = get(path("x"));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_ERROR(SafetensorsFile::open(put("cut", bytes.substr(0, size))),
                 StatusCode::CorruptData, "cut: ");
}

TEST_F(SafetensorsTest, NoDamagedByteCrashes) {
  HostTensor tensor(DType::F32, {3});
  const std::array views = {NamedView("a", tensor.view())};
  ASSERT_TRUE(writeSafetensors(path("x"), views).ok());
  const std::string bytes = get(path("x"));
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned char value : "\"[{9-\xff") {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      const auto file = SafetensorsFile::open(put("x", damaged));
      if (file.ok() && !file->entries().empty())
        EXPECT_EQ(file->entries().front().end, 12);
    }
  }
}

TEST_F(SafetensorsTest, RefusesHeadersThatLie) {
  struct Case {
    std::string_view header;
    size_t dataSize;
    std::string_view message;
  };
  for (const Case &test : {
           Case{"[]", 0, "no JSON object"},
           Case{"{\"a\":", 0, "no JSON object"},
           Case{R"({"a":1})", 0, "required is an object"},
           Case{R"({"a":{"dtype":5,"shape":[],"data_offsets":[0,4]}})", 4,
                "required is an object with a string 'dtype'"},
           Case{R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
                "'shape' is no array of non-negative"},
           Case{R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})",
                4, "'shape' is no array of non-negative"},
           Case{R"({"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}})", 4,
                "'data_offsets' is no [begin, end]"},
           Case{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
                "are 4 bytes; F32 of shape [2] requires 8"},
           Case{R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],)"
                R"("data_offsets":[0,0]}})",
                0, "2^62 bytes"},
           Case{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
                "bytes start at 4; required is 0"},
           Case{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                6, "bytes start at 2; required is 4"},
           Case{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8,
                "end at byte 4 of the data, but the file has 8"},
           Case{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 2,
                "end at byte 4 of the data, but the file has 2"},
           Case{R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                4, "tensor 'a': named twice"},
       })
    EXPECT_ERROR(
        SafetensorsFile::open(put("x", fileBytes(test.header, test.dataSize))),
        StatusCode::CorruptData, test.message);
}

TEST_F(SafetensorsTest, HugeHeader) {
  std::string bytes = fileBytes("{}", 0);
  bytes[5] = 1;
  EXPECT_ERROR(SafetensorsFile::open(put("x", bytes)), StatusCode::CorruptData,
               "the format allows 100000000");
}

TEST_F(SafetensorsTest, DeepNesting) {
  const std::string deep(1'000'000, '[');
  EXPECT_ERROR(SafetensorsFile::open(put("x", fileBytes(deep, 0))),
               StatusCode::CorruptData, "no JSON object");
}

TEST_F(SafetensorsTest, RefusesToWriteWhatTheFormatLacks) {
  HostTensor wide(DType::C128, {1}), tensor(DType::F32, {1});
  const std::array one = {NamedView("a", wide.view())};
  EXPECT_ERROR(writeSafetensors(path("x"), one), StatusCode::InvalidArgument,
               "no such element type");
  const std::array two = {NamedView("a", tensor.view()),
                          NamedView("a", tensor.view())};
  EXPECT_ERROR(writeSafetensors(path("x"), two), StatusCode::InvalidArgument,
               "the name is taken");
}

} // namespace
