//===- GradientCheck.h - Gradients against differences ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a backward function returns, compared with what the forward one does
// when an argument moves a little. Nothing of differentiation is shared.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REFERENCE_GRADIENTCHECK_H
#define MAMBA_CODEGEN_REFERENCE_GRADIENTCHECK_H

#include "codegen/reference/ReferenceTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::ssm {

/// For each argument x of `forward`, with the loss L = sum of re(conj(dy) y)
/// over the results y: |dL/dv - (L(x + s v) - L(x - s v)) / 2s| in a random
/// direction v, relative to the root of the sum of squares of dL/dv's terms
/// plus 1e-5 |L|, less than which rounding hides; s is 1e-5. Neither function
/// rounds to narrower types on the way here. `backward` is the function of
/// --ssm-differentiate, `inputs` are its: forward's arguments, then dy. In
/// double precision errors stay below 1e-5 unless L bends within s. Fails, with
/// a located error, where the reference does.
FailureOr<SmallVector<double>> checkGradients(func::FuncOp forward,
                                              func::FuncOp backward,
                                              ArrayRef<ReferenceTensor> inputs,
                                              uint64_t seed);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REFERENCE_GRADIENTCHECK_H
