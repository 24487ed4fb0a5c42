//===- CommandLine.h - Flags of a tool --------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A few dozen lines instead of LLVM's CommandLine: that one brings the flags of
// everything linked in, and tools that end in milliseconds pay for it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_COMMANDLINE_H
#define MAMBA_TOOLS_PROBLEM_COMMANDLINE_H

#include "runtime/Status.h"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mamba {

/// `--name=value`, or `--name` where `value` is empty.
struct Flag {
  std::string_view name;
  /// How the value is called in the help, e.g. "FILE"; empty: a switch. In
  /// brackets, "[FILE]", it may be left out.
  std::string_view value;
  std::string_view help;
  /// Takes the value; an error says what was required.
  std::function<Status(std::string_view value)> take;
};

/// The flags and files that a tool takes.
struct CommandLine {
  std::string_view tool;
  /// One sentence on what it does, and how its files are called.
  std::string_view summary;
  /// Its files in the usage; empty if it takes none.
  std::string_view positionals;
  std::vector<Flag> flags;

  /// Hands each flag to its taker and returns the other arguments. An unknown
  /// flag, a missing value, one too many and a file where none is taken are
  /// InvalidArgument.
  Result<std::vector<std::string>> parse(int argc, char **argv) const;
  /// What --help prints.
  std::string help() const;
};

/// True if --help or -h is among the arguments.
bool wantsHelp(int argc, char **argv);

/// Takers for common kinds of values.
std::function<Status(std::string_view)> takeSwitch(bool &target);
std::function<Status(std::string_view)> takeText(std::string &target);
/// A number of at least `minimum`.
std::function<Status(std::string_view)> takeNumber(int64_t &target,
                                                   int64_t minimum);
/// KEY=VALUE into a map; a key may be given once.
std::function<Status(std::string_view)>
takePair(std::map<std::string, std::string> &target);

/// The number that all of `text` is, or InvalidArgument.
Result<int64_t> parseNumber(std::string_view text);

/// What main() of a tool that takes one file does: prints the help, or hands
/// the flags to their takers, sets `file` and calls `run`. The exit status.
int runOnFile(const CommandLine &line, int argc, char **argv, std::string &file,
              const std::function<Status()> &run);

/// What main() of a test program without files does: the same, where `run` says
/// whether all passed.
int runChecks(const CommandLine &line, int argc, char **argv,
              const std::function<Result<bool>()> &run);

/// Writes `text` as it stands to standard output, or error. A program goes on
/// where that fails, which fmt::print ends: flushPrinted() tells of the output.
void print(std::string_view text, std::FILE *to = stdout);

/// Writes out what was printed; an error where some of it could not be.
Status flushPrinted();

/// Prints "error: <message>" and returns the exit status of failed tools.
int reportError(const Status &status);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_COMMANDLINE_H
