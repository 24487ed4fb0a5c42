//===- LowerFusedOp.h - One fused op to CPU kernels -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_LOWERFUSEDOP_H
#define MAMBA_CODEGEN_CPU_LOWERFUSEDOP_H

#include "codegen/LaunchPlan.h"

namespace mlir::ssm::cpu {

/// Appends to `module` the kernels that compute `op`: `name`, and before it
/// `name`_carries and `name`_starts where its schedule has chunks. Registers
/// their launches and temporaries in `plan`. Fails, with a located error, for
/// a body or a schedule that has no code.
LogicalResult lowerFusedOp(FusedOp op, ModuleOp module, StringRef name,
                           LaunchPlan &plan);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_LOWERFUSEDOP_H
