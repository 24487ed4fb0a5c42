//===- Approximations.h - The GPU's approximate instructions ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX bounds their error: ex2 and lg2 by 2^-22, rcp by one unit in the last
// place, sqrt and rsqrt by 2^-23 and 2^-22.9. The values here, computed in fp64
// and rounded once, are within all bounds. As .ftz says, subnormal operands and
// results are zero.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_APPROXIMATIONS_H
#define MAMBA_RUNTIME_SIMT_APPROXIMATIONS_H

namespace mamba::simt {

float approximateExp2(float x);
float approximateLog2(float x);
float approximateReciprocal(float x);
float approximateSquareRoot(float x);
float approximateReciprocalSquareRoot(float x);

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_APPROXIMATIONS_H
