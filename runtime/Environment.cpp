//===- Environment.cpp - Every environment variable, typed ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading the variables: a value that makes no sense is reported, not guessed
// at.
//
//===----------------------------------------------------------------------===//

#include "runtime/Environment.h"

#include "runtime/Warning.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <string_view>

namespace mamba {

namespace {

/// The variable's value; an empty one counts as not set.
std::optional<std::string> variable(const char *name) {
  const char *value = std::getenv(name);
  if (!value || !*value)
    return std::nullopt;
  return value;
}

void warnIgnored(const char *name, std::string_view value,
                 std::string_view required) {
  warn(fmt::format("{}={} is ignored: required is {}", name, value, required));
}

std::optional<int64_t> parseNumber(std::string_view text) {
  int64_t number = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

std::optional<int64_t> parseBytes(std::string_view text) {
  int shift = 0;
  switch (text.back()) {
  case 'k':
  case 'K':
    shift = 10;
    break;
  case 'm':
  case 'M':
    shift = 20;
    break;
  case 'g':
  case 'G':
    shift = 30;
    break;
  }
  if (shift)
    text.remove_suffix(1);
  std::optional<int64_t> number = parseNumber(text);
  if (!number || *number > (INT64_MAX >> shift))
    return std::nullopt;
  return *number << shift;
}

/// XDG asks to ignore paths that are not absolute.
std::string defaultCacheDir() {
  auto xdg = variable("XDG_CACHE_HOME");
  if (xdg && xdg->front() == '/')
    return *xdg + "/mamba-mlir";
  auto home = variable("HOME");
  if (home && home->front() == '/')
    return *home + "/.cache/mamba-mlir";
  return "";
}

bool readSwitch(const char *name, bool otherwise) {
  auto value = variable(name);
  if (!value)
    return otherwise;
  if (*value == "off" || *value == "0" || *value == "false")
    return false;
  if (*value != "on" && *value != "1" && *value != "true")
    warnIgnored(name, *value, "on or off");
  return true;
}

constexpr std::pair<std::string_view, bool simt::Checks::*> kChecks[] = {
    {"bounds", &simt::Checks::bounds},
    {"alignment", &simt::Checks::alignment},
    {"uninitialized", &simt::Checks::uninitialized},
    {"races", &simt::Checks::races},
    {"barriers", &simt::Checks::barriers},
    {"shuffles", &simt::Checks::shuffles}};

/// "all", "none", or names with commas between them.
std::optional<simt::Checks> parseChecks(std::string_view text) {
  simt::Checks checks;
  if (text == "all")
    return checks;
  for (auto [name, check] : kChecks)
    checks.*check = false;
  if (text == "none")
    return checks;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    auto known = std::find_if(std::begin(kChecks), std::end(kChecks),
                              [&](const auto &entry) {
                                return entry.first == text.substr(at, end - at);
                              });
    if (known == std::end(kChecks))
      return std::nullopt;
    checks.*known->second = true;
    at = end + 1;
  }
  return checks;
}

/// Of those of the variables that are set.
std::vector<std::string> valuesOf(std::initializer_list<const char *> names) {
  std::vector<std::string> values;
  for (const char *name : names)
    if (auto value = variable(name))
      values.push_back(*value);
  return values;
}

simt::Options readSimtOptions() {
  simt::Options options;
  if (auto text = variable("MAMBA_SIMT_CHECKS")) {
    if (auto checks = parseChecks(*text))
      options.checks = *checks;
    else
      warnIgnored("MAMBA_SIMT_CHECKS", *text,
                  "all, none, or a list such as bounds,races; there are "
                  "bounds, alignment, uninitialized, races, barriers and "
                  "shuffles");
  }
  if (auto text = variable("MAMBA_SIMT_SEED")) {
    if (auto seed = parseNumber(*text))
      options.seed = static_cast<uint64_t>(*seed);
    else
      warnIgnored("MAMBA_SIMT_SEED", *text, "a number from 0 to 2^63 - 1");
  }
  return options;
}

} // namespace

Environment Environment::read() {
  Environment result;
  auto cacheDir = variable("MAMBA_CACHE_DIR");
  result.cacheDir = cacheDir ? *cacheDir : defaultCacheDir();
  result.diskCache = readSwitch("MAMBA_CACHE", true);
  if (auto text = variable("MAMBA_CACHE_BYTES")) {
    if (auto bytes = parseBytes(*text))
      result.cacheBytes = *bytes;
    else
      warnIgnored("MAMBA_CACHE_BYTES", *text,
                  "a number of bytes such as 500000000, 500M or 2G");
  }
  if (auto text = variable("MAMBA_NUM_THREADS")) {
    auto threads = parseNumber(*text);
    if (threads && *threads >= 1 && *threads <= 1024)
      result.numThreads = static_cast<int>(*threads);
    else
      warnIgnored("MAMBA_NUM_THREADS", *text, "a number from 1 to 1024");
  }
  result.libcuda = variable("MAMBA_LIBCUDA").value_or("");
  result.libnvrtc = variable("MAMBA_LIBNVRTC").value_or("");
  result.libnvjitlink = variable("MAMBA_LIBNVJITLINK").value_or("");
  result.ptxas = variable("MAMBA_PTXAS").value_or("");
  result.cudaHomes = valuesOf({"CUDA_HOME", "CUDA_PATH"});
  result.pythonPrefixes = valuesOf({"VIRTUAL_ENV", "CONDA_PREFIX"});
  result.simt = readSimtOptions();
  return result;
}

const Environment &Environment::get() {
  static const Environment *environment = new Environment(read());
  return *environment;
}

} // namespace mamba
