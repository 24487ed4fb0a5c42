//===- CommandLine.cpp - Flags of a tool ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Flags are --name, --name=value or -o value for names of one letter.
//
//===----------------------------------------------------------------------===//

#include "tools/problem/CommandLine.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <optional>

using namespace mamba;

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

static std::string spelling(const Flag &flag) {
  std::string dashes = flag.name.size() == 1 ? "-" : "--";
  if (flag.value.empty())
    return dashes + std::string(flag.name);
  const char *separator = flag.name.size() == 1 ? " " : "=";
  if (flag.value.front() == '[')
    return fmt::format("{}{}[{}{}", dashes, flag.name, separator,
                       flag.value.substr(1));
  return fmt::format("{}{}{}{}", dashes, flag.name, separator, flag.value);
}

Result<std::vector<std::string>> CommandLine::parse(int argc,
                                                    char **argv) const {
  std::vector<std::string> others;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument.size() < 2 || argument[0] != '-') {
      if (positionals.empty())
        return invalid(fmt::format(
            "found argument '{}', required are flags; '{} --help' lists them",
            argument, tool));
      others.emplace_back(argument);
      continue;
    }
    std::string_view body = argument.substr(argument.starts_with("--") ? 2 : 1);
    size_t equals = body.find('=');
    std::string_view name = body.substr(0, equals);
    auto flag = std::find_if(flags.begin(), flags.end(),
                             [&](const Flag &f) { return f.name == name; });
    if (flag == flags.end())
      return invalid(fmt::format("unknown flag '{}'; '{} --help' lists them",
                                 argument.substr(0, argument.find('=')), tool));
    bool hasValue = equals != std::string_view::npos;
    std::string_view value = hasValue ? body.substr(equals + 1) : "";
    if (flag->value.empty() && hasValue)
      return invalid(fmt::format("flag '--{}' takes no value", name));
    if (!flag->value.empty() && !hasValue && flag->value.front() != '[') {
      if (name.size() > 1 || i + 1 == argc)
        return invalid(fmt::format("flag '{}' needs a value: {}", argument,
                                   spelling(*flag)));
      value = argv[++i];
    }
    Status status = flag->take(value);
    if (!status.ok())
      return std::move(status).withContext(argument);
  }
  return others;
}

std::string CommandLine::help() const {
  std::string text =
      fmt::format("{}\n\nusage: {} {} [flags]\n\n", summary, tool, positionals);
  for (const Flag &flag : flags)
    text += fmt::format("  {:<30} {}\n", spelling(flag), flag.help);
  return text;
}

bool mamba::wantsHelp(int argc, char **argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
    return argument == "--help" || argument == "-h";
  });
}

std::function<Status(std::string_view)> mamba::takeSwitch(bool &target) {
  return [&target](std::string_view) {
    target = true;
    return Status();
  };
}

std::function<Status(std::string_view)> mamba::takeText(std::string &target) {
  return [&target](std::string_view value) {
    if (value.empty())
      return invalid("the value is empty");
    target = value;
    return Status();
  };
}

std::function<Status(std::string_view)> mamba::takeNumber(int64_t &target,
                                                          int64_t minimum) {
  return [&target, minimum](std::string_view value) -> Status {
    MAMBA_ASSIGN_OR_RETURN(target, parseNumber(value));
    if (target < minimum)
      return invalid(fmt::format("found {}, required a number of at least {}",
                                 target, minimum));
    return Status();
  };
}

std::function<Status(std::string_view)>
mamba::takePair(std::map<std::string, std::string> &target) {
  return [&target](std::string_view value) {
    size_t equals = value.find('=');
    if (equals == 0 || equals >= value.size() - 1)
      return invalid(fmt::format("found '{}', required NAME=VALUE", value));
    std::string key(value.substr(0, equals));
    if (!target.try_emplace(key, value.substr(equals + 1)).second)
      return invalid(fmt::format("'{}' is given twice", key));
    return Status();
  };
}

Result<int64_t> mamba::parseNumber(std::string_view text) {
  int64_t number = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return invalid(
        fmt::format("found '{}', required a whole number of 64 bits", text));
  return number;
}

int mamba::reportError(const Status &status) {
  std::string line = fmt::format("error: {}\n", status.message());
  std::fputs(line.c_str(), stderr);
  return 1;
}

void mamba::print(std::string_view text, std::FILE *to) {
  std::fwrite(text.data(), 1, text.size(), to);
}

Status mamba::flushPrinted() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return Status();
  return Status(StatusCode::IoError,
                fmt::format("standard output can't be written: {}",
                            std::strerror(errno)));
}

/// The exit status of a tool that has printed what it had to say.
static int endAs(const CommandLine &line, const Status &status) {
  if (!status.ok())
    return reportError(status);
  Status printed = flushPrinted().withContext(line.tool);
  return printed.ok() ? 0 : reportError(printed);
}

/// Prints the help, or hands the flags to their takers and gives the other
/// arguments. The exit status, if the program ends with that.
static std::optional<int> begin(const CommandLine &line, int argc, char **argv,
                                std::vector<std::string> &others) {
  // Who starts us may ignore it, and we would never learn how ptxas ended.
  std::signal(SIGCHLD, SIG_DFL);
  if (wantsHelp(argc, argv)) {
    std::fputs(line.help().c_str(), stdout);
    return endAs(line, Status());
  }
  Result<std::vector<std::string>> parsed = line.parse(argc, argv);
  if (!parsed.ok())
    return reportError(parsed.status());
  others = std::move(*parsed);
  return std::nullopt;
}

int mamba::runOnFile(const CommandLine &line, int argc, char **argv,
                     std::string &file, const std::function<Status()> &run) {
  std::vector<std::string> files;
  if (std::optional<int> status = begin(line, argc, argv, files))
    return *status;
  if (files.size() != 1)
    return reportError(
        Status(StatusCode::InvalidArgument,
               fmt::format("{} files given, required is one; '{} --help' shows "
                           "how",
                           files.size(), line.tool)));
  file = files.front();
  return endAs(line, run());
}

int mamba::runChecks(const CommandLine &line, int argc, char **argv,
                     const std::function<Result<bool>()> &run) {
  std::vector<std::string> others;
  if (std::optional<int> status = begin(line, argc, argv, others))
    return *status;
  Result<bool> passed = run();
  if (!passed.ok())
    return reportError(passed.status());
  return *passed ? endAs(line, Status()) : 1;
}
