//===- BodyEmitter.h - One op of a fused body, on registers -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_BODYEMITTER_H
#define MAMBA_CODEGEN_GPU_BODYEMITTER_H

#include "codegen/gpu/Emit.h"
#include "mlir/Support/LLVM.h"

namespace mlir::ssm {

/// Emits `op`, a scalar op of a fused body with one result, on `operands`.
/// Complex ops become ops on their parts; values of half precision are f32 in
/// registers, rounded where an op says so. Ops of no known expansion are
/// refused beforehand by verifyEmittable.
Number emitBodyOp(Emit &e, Operation &op, ArrayRef<Number> operands);

/// Fails, with an error at `op`, where emitBodyOp knows no code for it.
LogicalResult verifyEmittable(Operation &op);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_BODYEMITTER_H
