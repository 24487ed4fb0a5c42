//===- Json.cpp - Values of JSON ------------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/problem/Json.h"

#include <cmath>
#include <fmt/format.h>

using namespace mamba;

std::string mamba::jsonText(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      quoted += fmt::format("\\u{:04x}", c);
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string mamba::jsonNumber(double value) {
  return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null";
}

std::string
mamba::jsonMembers(const std::vector<std::pair<char, int64_t>> &members) {
  std::string text;
  for (auto [name, value] : members)
    text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", name, value);
  return text;
}
