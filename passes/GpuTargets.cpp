//===- GpuTargets.cpp - What GPUs have ------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultSchedule.h"

using namespace mlir::ssm;

/// Multiprocessors of A100, RTX 3090, RTX 4090, H100 SXM, B200, B300,
/// RTX PRO 6000 and GB10; shared memory from the CUDA C++ Programming Guide,
/// table "Technical Specifications per Compute Capability".
static constexpr GpuTarget kGpuTargets[] = {
    {"sm_80", 108, 163 * 1024, false}, {"sm_86", 82, 99 * 1024, false},
    {"sm_89", 128, 99 * 1024, false},  {"sm_90", 132, 227 * 1024, true},
    {"sm_100", 148, 227 * 1024, true}, {"sm_103", 148, 227 * 1024, true},
    {"sm_120", 188, 99 * 1024, true},  {"sm_121", 48, 99 * 1024, true}};

std::optional<GpuTarget> mlir::ssm::findGpuTarget(std::string_view chip) {
  // sm_90a has sm_90's limits.
  std::string_view base = chip;
  if (base.ends_with('a') || base.ends_with('f'))
    base.remove_suffix(1);
  for (GpuTarget target : kGpuTargets)
    if (target.chip == base) {
      target.chip = chip;
      return target;
    }
  return std::nullopt;
}

std::string mlir::ssm::knownGpuTargets() {
  std::string names;
  for (const GpuTarget &target : kGpuTargets)
    names.append(names.empty() ? "" : ", ").append(target.chip);
  return names;
}
