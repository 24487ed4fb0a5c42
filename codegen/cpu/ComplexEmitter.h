//===- ComplexEmitter.h - Complex ops on pairs of vectors -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_COMPLEXEMITTER_H
#define MAMBA_CODEGEN_CPU_COMPLEXEMITTER_H

#include "codegen/cpu/Emit.h"

namespace mlir::ssm::cpu {

/// Whether emitComplexOp knows `op`.
bool hasComplexCode(Operation &op);

/// Emits `op`, which has a complex operand or result, on `operands`, which are
/// all uniform or all vectors.
Lanes emitComplexOp(Emit &e, Operation &op, ArrayRef<Lanes> operands);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_COMPLEXEMITTER_H
