//===- DTypeTest.cpp - Conversions of element types -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Half-precision rounding is checked against all values of the format itself.
//
//===----------------------------------------------------------------------===//

#include "runtime/DType.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace mamba;

namespace {

struct HalfFormat {
  const char *name;
  uint16_t (*encode)(double);
  double (*decode)(uint16_t);
  uint16_t infinity;
};

/// Without it GoogleTest prints the bytes, padding included.
void PrintTo(const HalfFormat &format, std::ostream *out) {
  *out << format.name;
}

class HalfFormats : public testing::TestWithParam<HalfFormat> {};

TEST(DType, NamesRoundTrip) {
  for (DType type : {DType::F64, DType::F32, DType::F16, DType::BF16,
                     DType::C64, DType::C128})
    EXPECT_EQ(parseDType(toString(type)), type);
  EXPECT_EQ(toString(DType::C64), "complex<f32>");
  EXPECT_FALSE(parseDType("f8"));
}

TEST_P(HalfFormats, EveryValueRoundTrips) {
  const HalfFormat &format = GetParam();
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    double value = format.decode(static_cast<uint16_t>(bits));
    uint16_t again = format.encode(value);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(format.decode(again)));
    else
      EXPECT_EQ(again, bits);
  }
}

TEST_P(HalfFormats, RoundsToNearestEven) {
  const HalfFormat &format = GetParam();
  for (uint16_t bits = 0; bits + 1 < format.infinity; ++bits) {
    double low = format.decode(bits), high = format.decode(bits + 1);
    double middle = (low + high) / 2; // Exact in double.
    uint16_t even = bits & 1 ? bits + 1 : bits;
    ASSERT_EQ(format.encode(middle), even) << format.name << " " << bits;
    ASSERT_EQ(format.encode(std::nextafter(middle, 0.0)), bits);
    ASSERT_EQ(format.encode(std::nextafter(middle, HUGE_VAL)), bits + 1);
    ASSERT_EQ(format.encode(-middle), even | 0x8000);
  }
}

TEST_P(HalfFormats, OverflowAndSpecials) {
  const HalfFormat &format = GetParam();
  double largest = format.decode(format.infinity - 1);
  double step = largest - format.decode(format.infinity - 2);
  EXPECT_EQ(format.encode(largest + 0.49 * step), format.infinity - 1);
  EXPECT_EQ(format.encode(largest + 0.5 * step), format.infinity);
  EXPECT_EQ(format.encode(1e300), format.infinity);
  EXPECT_EQ(format.encode(-HUGE_VAL), format.infinity | 0x8000);
  EXPECT_EQ(format.encode(-0.0), 0x8000);
  EXPECT_EQ(format.encode(std::numeric_limits<double>::denorm_min()), 0);
  EXPECT_TRUE(std::isnan(format.decode(format.encode(std::nan("")))));
}

INSTANTIATE_TEST_SUITE_P(
    All, HalfFormats,
    testing::Values(HalfFormat{"f16", toHalfBits, fromHalfBits, 0x7C00},
                    HalfFormat{"bf16", toBFloat16Bits, fromBFloat16Bits,
                               0x7F80}),
    [](const auto &info) { return std::string(info.param.name); });

TEST(DType, KnownValues) {
  EXPECT_EQ(toHalfBits(1.0), 0x3C00);
  EXPECT_EQ(toHalfBits(65504.0), 0x7BFF);
  EXPECT_EQ(toBFloat16Bits(1.0), 0x3F80);
  EXPECT_EQ(toBFloat16Bits(3.140625), 0x4049);
}

TEST(DType, ElementsAreReadAndWrittenUnaligned) {
  char bytes[32] = {};
  for (DType type : {DType::F64, DType::F32, DType::F16, DType::BF16,
                     DType::C64, DType::C128}) {
    std::complex<double> value(1.5, isComplex(type) ? -2.25 : 0.0);
    writeElement(bytes + 1, type, value);
    EXPECT_EQ(readElement(bytes + 1, type), value) << toString(type);
  }
}

} // namespace
