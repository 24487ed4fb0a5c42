//===- MathApproximation.h - Functions as vector arithmetic -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A call of libm takes one lane at a time. In single precision the functions
// that bodies use become a few vector instructions instead; double precision
// keeps libm's accuracy, and its speed.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_MATHAPPROXIMATION_H
#define MAMBA_CODEGEN_CPU_MATHAPPROXIMATION_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::ssm {

/// Adds patterns for exp2, exp, sin and cos of f32 scalars and vectors, each
/// within 2 units in the last place, and upstream's approximations of the
/// others. NaN stays NaN; exp and exp2 below 2^-126 may be zero. `hasAvx512`
/// allows its instructions.
void populateCpuMathPatterns(RewritePatternSet &patterns, bool hasAvx512);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_CPU_MATHAPPROXIMATION_H
