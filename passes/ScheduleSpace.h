//===- ScheduleSpace.h - Schedules near a schedule --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tuner starts from what the model of DefaultSchedule ranks first and walks
// from schedule to schedule. Here is where it may step: one decision at a time,
// and those that only pay together, in one step. Fields out of range or at odds
// with each other are left to ScheduleAttr's verifier, which knows the reasons.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_SCHEDULESPACE_H
#define MAMBA_PASSES_SCHEDULESPACE_H

#include "passes/DefaultSchedule.h"

#include <vector>

namespace mlir::ssm {

/// Other schedules than `from`, that differ from it by one decision and that
/// are of use for the problem; the likeliest improvements first.
std::vector<GpuScheduleFields> neighboursOf(const GpuScheduleFields &from,
                                            const Problem &problem,
                                            const GpuTarget &target);
std::vector<CpuScheduleFields> neighboursOf(const CpuScheduleFields &from,
                                            const Problem &problem);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_SCHEDULESPACE_H
