//===- HostProblem.h - A run's tensors in host memory -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Files and random numbers become tensors with the extents and the memory that
// the command line asks for.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_HOSTPROBLEM_H
#define MAMBA_TOOLS_PROBLEM_HOSTPROBLEM_H

#include "tools/problem/Problem.h"

#include <vector>

namespace mamba {

/// Where a problem's inputs come from.
struct InputOptions {
  ProblemOptions problem;
  /// Files by tensor name.
  std::map<std::string, std::string> inputs;
  bool random = false;
  int64_t seed = 0;

  /// The flags, for CommandLine::flags; they refer to this object.
  std::vector<Flag> flags();
};

struct HostProblem {
  FunctionInfo info;
  Extents extents;
  std::vector<HostTensor> inputs;
  /// Of the results' shapes and strides; their elements are what a device
  /// wrote.
  std::vector<HostTensor> results;
  /// Of the first input that is a recording; else 0.
  int sampleRate = 0;

  std::vector<TensorView> inputViews() const;
  std::vector<TensorView> resultViews() const;
  /// Inputs, then results.
  std::vector<TensorView> views() const;
  /// Distinct bytes that a launch has to move: every element of inputs and
  /// results once.
  int64_t bytes() const;
  /// Exponentials that a launch has to compute.
  double exponentials() const;
};

/// Reads or draws the inputs and makes room for the results. Every extent must
/// be known from types, --extents or files, and agree.
Result<HostProblem> makeProblem(const FunctionInfo &info,
                                const InputOptions &options);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_HOSTPROBLEM_H
