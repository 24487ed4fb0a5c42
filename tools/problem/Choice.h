//===- Choice.h - The function that a tool works on -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_CHOICE_H
#define MAMBA_TOOLS_PROBLEM_CHOICE_H

#include "runtime/jit/Training.h"
#include "tools/problem/HostProblem.h"

namespace mamba {

/// Which function of a file.
struct ChoiceOptions {
  std::string function;
  /// That of its gradients.
  bool grad = false;
  /// What forward saves for them: none, all, every=STEPS or a number of bytes;
  /// empty for gradients that take nothing saved.
  std::string save;

  /// The flags, for CommandLine::flags; they refer to this object.
  std::vector<Flag> flags();
};

/// --backend=NAME.
Flag backendFlag(Backend &backend);

/// A function, and the one that saves the states that it starts from.
struct Choice {
  Function function;
  std::optional<TrainingPair> pair;

  /// The function that `function` has the gradients of, if that is known.
  const FunctionInfo *forward() const;
};

/// Finds the function, or makes it. A budget needs the extents.
Result<Choice> chooseFunction(const Module &module,
                              const ChoiceOptions &options,
                              const Extents &extents);

/// makeProblem, with saved states that forward, run on the CPU, has for its
/// inputs.
Result<HostProblem> makeProblem(const Choice &choice,
                                const InputOptions &options);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_CHOICE_H
