//===- DType.h - Names and conversions of element types ------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tests and tools compare kernels in fp64. Half-precision conversions are done
// from double in one rounding, since going through float rounds twice.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_DTYPE_H
#define MAMBA_RUNTIME_DTYPE_H

#include "runtime/Artifact.h"

#include <complex>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mamba {

/// MLIR's name of `type`: "f64", "f32", "f16", "bf16", "complex<f32>",
/// "complex<f64>".
std::string_view toString(DType type);

/// The type of that name, or nothing.
std::optional<DType> parseDType(std::string_view name);

/// True for C64 and C128.
bool isComplex(DType type);

/// IEEE binary16 or bfloat16 bits of `value`, rounded once to nearest even.
/// Overflow gives infinity; NaN stays NaN.
uint16_t toHalfBits(double value);
uint16_t toBFloat16Bits(double value);

/// The exact value of IEEE binary16 or bfloat16 bits.
double fromHalfBits(uint16_t bits);
double fromBFloat16Bits(uint16_t bits);

/// Reads the element at `source`, which need not be aligned. Real types have
/// imaginary part 0.
std::complex<double> readElement(const void *source, DType type);

/// Writes `value` rounded to `type`; real types drop the imaginary part.
void writeElement(void *target, DType type, std::complex<double> value);

} // namespace mamba

#endif // MAMBA_RUNTIME_DTYPE_H
