//===- RunProgram.h - Another program, from memory to memory ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Without a shell, which would read meaning into arguments, and without
// temporary files, which others could change or which would be left over.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_RUNPROGRAM_H
#define MAMBA_RUNTIME_RUNPROGRAM_H

#include "runtime/Status.h"

#include <span>
#include <string>
#include <string_view>

namespace mamba {

/// How a program ended, and what it wrote.
struct ProgramEnd {
  /// Empty for the exit status 0, else such as "exit status 3" or "signal 9
  /// (Killed)".
  std::string failure;
  std::string output; ///< Of standard output.
  std::string errors; ///< Of standard error.
};

/// Runs the program at `path`, which is not looked for in $PATH, with `input`
/// as its standard input, and waits for its end, however long that takes.
/// NotFound or IoError where it can't be started, or where the system does not
/// tell how it ended.
Result<ProgramEnd> runProgram(const std::string &path,
                              std::span<const std::string> arguments,
                              std::string_view input = {});

} // namespace mamba

#endif // MAMBA_RUNTIME_RUNPROGRAM_H
