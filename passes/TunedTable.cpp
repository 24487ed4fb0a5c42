//===- TunedTable.cpp - Schedules that come with the compiler -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/TunedTable.h"

using namespace mlir::ssm;

static constexpr TunedRow kRows[] = {
#include "passes/TunedTable.inc"
};

std::span<const TunedRow> mlir::ssm::tunedRows() { return kRows; }

std::string mlir::ssm::toString(const Problem &problem) {
  std::string text;
  auto add = [&](std::string_view name, int64_t value) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" +
            std::to_string(value);
  };
  add("b", problem.batch);
  add("l", problem.length);
  add("d", problem.channels);
  add("n", problem.states);
  add("bytes", problem.bytesPerStep);
  text += problem.areChannelsNeighbours ? " order=bld" : " order=bdl";
  add("chained", problem.isChained);
  add("tables", problem.tableNumbers);
  add("staged", problem.stagedNumbers);
  // Without these, the line is as tables and records hold it.
  if (problem.replays)
    text += " replays=1";
  if (problem.savesStates)
    text += " saves=1";
  if (problem.savedEvery != 0)
    text += " saved=" + std::to_string(problem.savedEvery);
  if (problem.summedSteps || problem.sumsChannels()) {
    add("steps", problem.summedSteps);
    add("channels",
        problem.summedChannels + problem.summedStates * problem.states);
  }
  return text;
}

std::optional<std::string_view>
mlir::ssm::findTunedSchedule(const Problem &problem, const GpuTarget &target) {
  std::string wanted = toString(problem);
  for (const TunedRow &row : kRows)
    if (row.chip == target.chip &&
        row.multiprocessors == target.multiprocessors && row.problem == wanted)
      return row.schedule;
  return std::nullopt;
}
