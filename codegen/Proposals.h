//===- Proposals.h - Schedules that a tuner may try -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Between passes/ScheduleSpace, which knows numbers, and a tuner, which knows
// neither passes nor IR: schedules as the text of attributes.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_PROPOSALS_H
#define MAMBA_CODEGEN_PROPOSALS_H

#include "codegen/Pipeline.h"

namespace mlir::ssm {

/// The schedules for the function's kernels that a search begins with: the row
/// of the table that comes with the compiler, if it has one and `usesTable`,
/// then those that the model ranks first. What the attribute's verifier refuses
/// is left out, here and below.
mamba::Result<std::vector<std::string>>
proposeSchedules(ModuleOp module, const CompileRequest &request,
                 bool usesTable);

/// Those one decision away from the schedule with the text `from`.
mamba::Result<std::vector<std::string>>
proposeNeighbours(ModuleOp module, const CompileRequest &request,
                  StringRef from);

/// All that the schedule of the function's largest kernel is chosen by:
/// passes/TunedTable.h.
mamba::Result<std::string> describeProblem(ModuleOp module,
                                           const CompileRequest &request);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_PROPOSALS_H
