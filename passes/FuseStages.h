//===- FuseStages.h - The split of a function into kernels -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stage is one fused op to be. Each op goes to the first stage in which the
// rules of ssm.fused (C8, C9, C10 in SSMOps.td) let it run; what depends on no
// scan may run in any stage and is computed again in each that needs it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_FUSESTAGES_H
#define MAMBA_PASSES_FUSESTAGES_H

#include "passes/FuseAxes.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ssm {

/// A tensor that a stage reads, and how.
using StageInput = std::pair<Value, AccessAttr>;

/// A tensor that a stage computes.
struct StageOutput {
  Value value; ///< As computed: casts are looked through.
  Type type;   ///< As wanted, which a cast may have changed.
  AccessAttr access;
  /// The operand of the return that takes it; null for a value that only later
  /// stages read.
  OpOperand *returned = nullptr;
};

struct Stage {
  SmallVector<Operation *> ops; ///< In program order.
  llvm::SetVector<StageInput> inputs;
  SmallVector<StageOutput> outputs;
};

/// Splits `ops` (of collectModel()) into stages. A stage reads arguments of the
/// function and outputs of earlier stages.
SmallVector<Stage> planStages(func::FuncOp function, ArrayRef<Operation *> ops,
                              const FuseAxes &axes);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_FUSESTAGES_H
