//===- TaskEmitter.h - The code of one fused op's tasks ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_TASKEMITTER_H
#define MAMBA_CODEGEN_CPU_TASKEMITTER_H

#include "codegen/LaunchPlan.h"

namespace mlir::ssm::cpu {

/// Appends to `module` the kernel `name` that computes `op`, and registers its
/// launch in `plan`. Fails, with a located error, for a body that has no code.
LogicalResult emitFusedOp(FusedOp op, ModuleOp module, StringRef name,
                          LaunchPlan &plan);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_TASKEMITTER_H
