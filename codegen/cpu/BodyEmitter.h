//===- BodyEmitter.h - One op of a fused body, on vectors -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_BODYEMITTER_H
#define MAMBA_CODEGEN_CPU_BODYEMITTER_H

#include "codegen/cpu/Emit.h"

namespace mlir::ssm::cpu {

/// Emits `op`, a scalar op of arith, math or complex, on `operands`: as it is
/// where all are uniform, else on vectors. Complex ops become ops on their
/// parts. Returns one value a result of `op`.
SmallVector<Lanes> emitBodyOp(Emit &e, Operation &op, ArrayRef<Lanes> operands);

/// Fails, with an error at `op`, where emitBodyOp knows no code for it.
LogicalResult verifyEmittable(Operation &op);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_BODYEMITTER_H
