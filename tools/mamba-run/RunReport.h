//===- RunReport.h - What a run found ---------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same facts as a table for people and as JSON for benchmarks.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_MAMBA_RUN_RUNREPORT_H
#define MAMBA_TOOLS_MAMBA_RUN_RUNREPORT_H

#include "runtime/jit/Verify.h"
#include "tools/mamba-run/Execution.h"

#include <optional>
#include <string>

namespace mamba {

struct RunReport {
  std::string file;
  /// Name, product and target of the device; "reference" has only a name.
  std::string device;
  std::string model;
  std::string target;
  int driverVersion = 0;
  /// Empty on the reference device.
  std::string schedule;
  /// On CUDA devices.
  std::optional<Backend> backend;
  /// Of each launch, what the driver says.
  std::vector<std::pair<std::string, EntryInfo>> entries;
  std::optional<Verification> verification;
  /// The function is one of a pair.
  std::optional<TrainingPair> pair;
  std::optional<Timing> timing;

  /// The least time that the problem can take on this device, or nothing where
  /// its limits are not known.
  std::optional<double> floorSeconds(const HostProblem &problem) const;

  std::string table(const HostProblem &problem) const;
  std::string json(const HostProblem &problem) const;
};

} // namespace mamba

#endif // MAMBA_TOOLS_MAMBA_RUN_RUNREPORT_H
