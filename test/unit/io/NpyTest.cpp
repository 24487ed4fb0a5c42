//===- NpyTest.cpp - NumPy's array files ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Round trips, files as NumPy writes them (bytes taken from numpy.save), and
// damaged ones.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Npy.h"

#include "runtime/DType.h"
#include "test/unit/io/TemporaryFolder.h"

#include <array>

using namespace mamba;

namespace {

using NpyTest = TemporaryFolder;

/// A file of version 1 with `header` as it is.
std::string npyBytes(std::string_view header, std::string_view elements) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes += elements;
  return bytes;
}

std::string headerOf(std::string_view descr, std::string_view shape) {
  return std::string("{'descr': '") + std::string(descr) +
         "', 'fortran_order': False, 'shape': " + std::string(shape) + ", }\n";
}

TEST_F(NpyTest, RoundTripsEveryType) {
  for (DType dtype : {DType::F64, DType::F32, DType::F16, DType::BF16,
                      DType::C64, DType::C128}) {
    HostTensor tensor(dtype, {2, 3});
    tensor.fill([&](int64_t i) {
      return std::complex<double>(0.5 * static_cast<double>(i) - 1,
                                  isComplex(dtype) ? 0.25 : 0);
    });
    ASSERT_TRUE(writeNpy(path("x.npy"), tensor.view()).ok());
    const Result<HostTensor> back = readNpy(path("x.npy"));
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(back->dtype(), dtype);
    EXPECT_TRUE(std::ranges::equal(back->shape(), tensor.shape()));
    EXPECT_TRUE(std::ranges::equal(back->bytes(), tensor.bytes()));
  }
}

TEST_F(NpyTest, RoundTripsScalarsVectorsAndEmptyArrays) {
  using Shape = std::vector<int64_t>;
  for (const Shape &shape : {Shape{}, Shape{5}, Shape{0}, Shape{3, 0, 2}}) {
    HostTensor tensor(DType::F32, shape);
    tensor.fill([](int64_t i) { return static_cast<double>(i) + 1; });
    ASSERT_TRUE(writeNpy(path("x.npy"), tensor.view()).ok());
    const Result<HostTensor> back = readNpy(path("x.npy"));
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_TRUE(std::ranges::equal(back->shape(), shape));
    EXPECT_TRUE(std::ranges::equal(back->bytes(), tensor.bytes()));
  }
}

TEST_F(NpyTest, WritesViewsInRowMajorOrder) {
  HostTensor tensor(DType::F32, {2, 3});
  tensor.fill([](int64_t i) { return static_cast<double>(i); });
  const std::array<int, 2> order = {1, 0};
  ASSERT_TRUE(writeNpy(path("x.npy"), tensor.view().permuted(order)).ok());
  const Result<HostTensor> back = readNpy(path("x.npy"));
  ASSERT_TRUE(back.ok()) << back.status().message();
  const std::array<int64_t, 2> index = {2, 1};
  EXPECT_EQ(back->at(index).real(), 5);
}

TEST_F(NpyTest, WritesWhatNumpyWrites) {
  HostTensor tensor(DType::BF16, {2, 3});
  ASSERT_TRUE(writeNpy(path("x.npy"), tensor.view()).ok());
  const std::string bytes = get(path("x.npy"));
  EXPECT_EQ(bytes.size(), 128 + 12u);
  EXPECT_EQ(bytes.substr(0, 8), std::string_view("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(bytes.substr(8, 2), std::string_view("v\0", 2));
  EXPECT_TRUE(bytes.substr(10).starts_with(
      "{'descr': '<V2', 'fortran_order': False, 'shape': (2, 3), }  "));
  EXPECT_EQ(bytes[127], '\n');
}

TEST_F(NpyTest, ReadsFortranOrderAsStrides) {
  const float elements[] = {1, 2, 3, 4, 5, 6};
  const std::string_view raw(reinterpret_cast<const char *>(elements),
                             sizeof(elements));
  // Keys in another order and double quotes are the same dictionary.
  const Result<HostTensor> tensor = readNpy(
      put("x.npy",
          npyBytes("{\"shape\": (2, 3), 'fortran_order': True, 'descr': '<f4'}",
                   raw)));
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(tensor->view().strides[0], 1);
  EXPECT_EQ(tensor->view().strides[1], 2);
  const std::array<int64_t, 2> index = {1, 0};
  EXPECT_EQ(tensor->at(index).real(), 2);
}

TEST_F(NpyTest, ReadsVersion2) {
  std::string bytes = npyBytes(headerOf("<f2", "(2,)"), "abcd");
  bytes[6] = 2;
  bytes.insert(10, 2, '\0');
  const Result<HostTensor> tensor = readNpy(put("x.npy", bytes));
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(tensor->dtype(), DType::F16);
}

TEST_F(NpyTest, EveryTruncationIsAnError) {
  HostTensor tensor(DType::F64, {3});
  ASSERT_TRUE(writeNpy(path("x.npy"), tensor.view()).ok());
  const std::string bytes = get(path("x.npy"));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_ERROR(readNpy(put("cut.npy", bytes.substr(0, size))),
                 StatusCode::CorruptData, "cut.npy: byte ");
}

TEST_F(NpyTest, NoDamagedByteCrashes) {
  HostTensor tensor(DType::F32, {2, 3});
  ASSERT_TRUE(writeNpy(path("x.npy"), tensor.view()).ok());
  const std::string bytes = get(path("x.npy"));
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned char value : "\x01 '9(\xff") {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      const Result<HostTensor> result = readNpy(put("x.npy", damaged));
      EXPECT_TRUE(result.ok() || !result.status().message().empty());
    }
  }
}

TEST_F(NpyTest, MissingFile) {
  EXPECT_ERROR(readNpy(path("none.npy")), StatusCode::NotFound,
               "none.npy: cannot open: No such file");
}

TEST_F(NpyTest, FolderIsNoFile) {
  EXPECT_ERROR(readNpy(path("")), StatusCode::IoError, "not a regular file");
}

TEST_F(NpyTest, OtherFormat) {
  EXPECT_ERROR(readNpy(put("x.npy", "PK\3\4 a zip archive")),
               StatusCode::CorruptData, "not an .npy file");
}

TEST_F(NpyTest, UnknownVersion) {
  std::string bytes = npyBytes(headerOf("<f4", "(1,)"), "abcd");
  bytes[6] = 9;
  EXPECT_ERROR(readNpy(put("x.npy", bytes)), StatusCode::Unsupported,
               "format version 9 is not supported");
}

TEST_F(NpyTest, BigEndian) {
  EXPECT_ERROR(readNpy(put("x.npy", npyBytes(headerOf(">f4", "(1,)"), "abcd"))),
               StatusCode::Unsupported, "array.astype('<f4')");
}

TEST_F(NpyTest, UnsupportedType) {
  EXPECT_ERROR(readNpy(put("x.npy", npyBytes(headerOf("<i4", "(1,)"), "abcd"))),
               StatusCode::Unsupported, "element type '<i4' is not supported");
}

TEST_F(NpyTest, BytesLeftOver) {
  EXPECT_ERROR(
      readNpy(put("x.npy", npyBytes(headerOf("<f4", "(1,)"), "abcdefgh"))),
      StatusCode::CorruptData, "found 8 bytes of elements; shape (1) of <f4");
}

TEST_F(NpyTest, SizeThatOverflows) {
  EXPECT_ERROR(
      readNpy(put("x.npy",
                  npyBytes(headerOf("<f4", "(4294967296, 4294967296)"), ""))),
      StatusCode::Unsupported, "2^62 bytes");
  EXPECT_ERROR(readNpy(put("x.npy", npyBytes(headerOf("<f4", "(4611686018427387"
                                                             "904, 8, 0)"),
                                             ""))),
               StatusCode::Unsupported, "2^62 bytes");
}

TEST_F(NpyTest, TooManyDimensions) {
  EXPECT_ERROR(readNpy(put("x.npy", npyBytes(headerOf("<f4", "(1, 1, 1, 1, 1, "
                                                             "1, 1, 1, 1)"),
                                             "abcd"))),
               StatusCode::Unsupported, "more than 8 dimensions");
}

TEST_F(NpyTest, MalformedHeader) {
  struct Case {
    std::string_view header, required;
  };
  for (const Case &test : {
           Case{"", "'{'"},
           Case{"{'descr': [('x', '<f4')], }", "structured types"},
           Case{"{'descr': '<f4', 'shape': (1,)}", "all of the keys"},
           Case{"{'descr': '<f4', 'shape': (-1,)}", "tuple of extents"},
           Case{"{'shape': (99999999999999999999,)}", "tuple of extents"},
           Case{"{'fortran_order': 1}", "True or False"},
           Case{"{'color': 'red'}", "one of the keys"},
           Case{"{'descr' '<f4'}", "':'"},
           Case{"{'descr': '<f4' 'shape': ()}", "',' or '}'"},
           Case{"{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
                "the end of the header"},
       })
    EXPECT_ERROR(readNpy(put("x.npy", npyBytes(test.header, "abcd"))),
                 StatusCode::CorruptData, test.required);
}

TEST_F(NpyTest, LongHeader) {
  std::string bytes = npyBytes("", std::string(1 << 20, ' '));
  bytes.replace(6, 4, std::string_view("\2\0\0\0\1\0", 6));
  EXPECT_ERROR(readNpy(put("x.npy", bytes)), StatusCode::CorruptData,
               "byte 8: a header of 65536 bytes; at most 65535 are read");
}

TEST_F(NpyTest, UnwritablePlace) {
  HostTensor tensor(DType::F32, {1});
  EXPECT_ERROR(writeNpy(path("none/x.npy"), tensor.view()),
               StatusCode::NotFound, "cannot create");
}

} // namespace
