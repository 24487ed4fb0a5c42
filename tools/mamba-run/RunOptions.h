//===- RunOptions.h - What mamba-run is asked to do -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The command line as a plain struct.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_MAMBA_RUN_RUNOPTIONS_H
#define MAMBA_TOOLS_MAMBA_RUN_RUNOPTIONS_H

#include "tools/problem/Choice.h"

namespace mamba {

struct RunOptions : InputOptions, ChoiceOptions {
  std::string file;
  std::string device = "cpu";
  /// RESULT or RESULT:CHANNEL, and a file; a result may go to several.
  std::vector<std::pair<std::string, std::string>> outputs;
  bool verify = false;
  bool time = false;
  bool graph = false;
  int64_t repeats = 20;
  std::string schedule;
  Backend backend = Backend::Auto;
  std::string dump;
  std::string report;
  std::string artifact;

  bool isReference() const { return device == "reference"; }

  LaunchOptions launchOptions() const { return {nullptr, schedule, backend}; }

  CommandLine commandLine();
};

} // namespace mamba

#endif // MAMBA_TOOLS_MAMBA_RUN_RUNOPTIONS_H
