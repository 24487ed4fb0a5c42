//===- DType.cpp - Names and conversions of element types -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Binary16 and bfloat16 differ only in the width of exponent and mantissa, so
// one template rounds to both.
//
//===----------------------------------------------------------------------===//

#include "runtime/DType.h"

#include <cmath>
#include <cstring>

namespace mamba {

namespace {

struct NamedType {
  DType type;
  std::string_view name;
};

constexpr NamedType kTypes[] = {
    {DType::F64, "f64"},          {DType::F32, "f32"},
    {DType::F16, "f16"},          {DType::BF16, "bf16"},
    {DType::C64, "complex<f32>"}, {DType::C128, "complex<f64>"}};

/// A 16-bit IEEE-like format with `MantissaBits` stored bits of mantissa.
template <int MantissaBits> struct Format16 {
  static constexpr int kExponentBits = 15 - MantissaBits;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr uint16_t kInfinity = ((1 << kExponentBits) - 1)
                                        << MantissaBits;
  static constexpr uint16_t kQuietNaN =
      kInfinity | uint16_t(1 << (MantissaBits - 1));

  static uint16_t encodeMagnitude(double magnitude) {
    if (std::isnan(magnitude))
      return kQuietNaN;
    if (magnitude == 0)
      return 0;
    if (std::isinf(magnitude))
      return kInfinity;
    int exponent = std::ilogb(magnitude);
    if (exponent > kBias)
      return kInfinity;
    // Below the smallest normal number the spacing of numbers stays the same.
    int normal = std::max(exponent, 1 - kBias);
    auto steps = static_cast<uint32_t>(
        std::nearbyint(std::ldexp(magnitude, MantissaBits - normal)));
    // A carry out of the mantissa moves on into the exponent, up to infinity;
    // subnormal numbers have no hidden bit, hence biased exponent 0 for them.
    uint32_t biased = static_cast<uint32_t>(normal + kBias - 1);
    return static_cast<uint16_t>((biased << MantissaBits) + steps);
  }

  static uint16_t encode(double value) {
    uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    return sign | encodeMagnitude(std::fabs(value));
  }

  static double decode(uint16_t bits) {
    int exponent = (bits & kInfinity) >> MantissaBits;
    int mantissa = bits & ((1 << MantissaBits) - 1);
    double magnitude;
    if (exponent == (1 << kExponentBits) - 1)
      magnitude = mantissa ? std::nan("") : HUGE_VAL;
    else if (exponent == 0)
      magnitude = std::ldexp(mantissa, 1 - kBias - MantissaBits);
    else
      magnitude = std::ldexp(mantissa + (1 << MantissaBits),
                             exponent - kBias - MantissaBits);
    return (bits & 0x8000) ? -magnitude : magnitude;
  }
};

using Half = Format16<10>;
using BFloat16 = Format16<7>;

template <typename T> T readAs(const void *source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}

template <typename T> void writeAs(void *target, T value) {
  std::memcpy(target, &value, sizeof(T));
}

} // namespace

std::string_view toString(DType type) {
  for (const NamedType &entry : kTypes)
    if (entry.type == type)
      return entry.name;
  return "unknown";
}

std::optional<DType> parseDType(std::string_view name) {
  for (const NamedType &entry : kTypes)
    if (entry.name == name)
      return entry.type;
  return std::nullopt;
}

bool isComplex(DType type) { return type == DType::C64 || type == DType::C128; }

uint16_t toHalfBits(double value) { return Half::encode(value); }
uint16_t toBFloat16Bits(double value) { return BFloat16::encode(value); }
double fromHalfBits(uint16_t bits) { return Half::decode(bits); }
double fromBFloat16Bits(uint16_t bits) { return BFloat16::decode(bits); }

std::complex<double> readElement(const void *source, DType type) {
  switch (type) {
  case DType::F64:
    return readAs<double>(source);
  case DType::F32:
    return readAs<float>(source);
  case DType::F16:
    return fromHalfBits(readAs<uint16_t>(source));
  case DType::BF16:
    return fromBFloat16Bits(readAs<uint16_t>(source));
  case DType::C64: {
    auto value = readAs<std::complex<float>>(source);
    return {value.real(), value.imag()};
  }
  case DType::C128:
    return readAs<std::complex<double>>(source);
  }
  return 0;
}

void writeElement(void *target, DType type, std::complex<double> value) {
  switch (type) {
  case DType::F64:
    return writeAs(target, value.real());
  case DType::F32:
    return writeAs(target, static_cast<float>(value.real()));
  case DType::F16:
    return writeAs(target, toHalfBits(value.real()));
  case DType::BF16:
    return writeAs(target, toBFloat16Bits(value.real()));
  case DType::C64:
    return writeAs(target,
                   std::complex<float>(static_cast<float>(value.real()),
                                       static_cast<float>(value.imag())));
  case DType::C128:
    return writeAs(target, value);
  }
}

} // namespace mamba
