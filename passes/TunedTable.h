//===- TunedTable.h - Schedules that come with the compiler -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What mamba-tune found on the GPUs that we have. bench/tuned_table.py writes
// the rows from its reports; a problem without a row gets what the model of
// DefaultSchedule says.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_TUNEDTABLE_H
#define MAMBA_PASSES_TUNEDTABLE_H

#include "passes/DefaultSchedule.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mlir::ssm {

/// All that a schedule is chosen by, as one line of text:
/// "b=8 l=2048 d=2048 n=16 bytes=6 order=bdl chained=0 tables=2 staged=2".
std::string toString(const Problem &problem);

/// What was found on one GPU for one problem.
struct TunedRow {
  std::string_view chip;
  int64_t multiprocessors;
  std::string_view problem;  ///< As toString() writes it.
  std::string_view schedule; ///< The text of a #ssm.schedule.
};

/// All rows.
std::span<const TunedRow> tunedRows();

/// The text of a #ssm.schedule, if this problem was tuned on such a GPU.
std::optional<std::string_view> findTunedSchedule(const Problem &problem,
                                                  const GpuTarget &target);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_TUNEDTABLE_H
