//===- Json.h - Values of JSON ----------------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_JSON_H
#define MAMBA_TOOLS_PROBLEM_JSON_H

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mamba {

/// In quotes, with what needs escaping escaped.
std::string jsonText(std::string_view text);
/// Nine digits; null for an infinity or NaN, which JSON has not.
std::string jsonNumber(double value);

/// The members of an object: "b": 2, "l": 64.
std::string jsonMembers(const std::vector<std::pair<char, int64_t>> &members);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_JSON_H
