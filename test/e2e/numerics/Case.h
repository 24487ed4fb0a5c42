//===- Case.h - One case of the numerics suite ------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A case is a line of KEY=VALUE pairs, so that a failing one can be run again
// from its name alone, and a covering design needs to know nothing about it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_CASE_H
#define MAMBA_TEST_E2E_NUMERICS_CASE_H

#include "runtime/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mamba::numerics {

/// What a case may say, and what holds where it says nothing.
struct Key {
  std::string_view name;
  /// Empty where the compiler or the library chooses.
  std::string_view preset;
  std::string_view help;
};

/// All keys, in the order in which a case prints them.
std::string keysHelp();

class Case {
public:
  /// "L=33 D=100 type=bf16". Unknown keys are InvalidArgument.
  static Result<Case> parse(std::string_view text);

  void set(std::string_view key, std::string_view value);
  /// Takes the fields of the schedule from `other`, all of them.
  void setSchedule(const Case &other);
  /// Gives `key` its preset.
  void reset(std::string_view key) { values_.erase(std::string(key)); }
  /// The keys whose values are not the presets.
  std::vector<std::string_view> keysGiven() const;
  /// The value of `key`, which is one of the keys.
  std::string_view get(std::string_view key) const;
  bool is(std::string_view key, std::string_view value) const {
    return get(key) == value;
  }
  /// True if `key` has the value 1.
  bool has(std::string_view key) const { return get(key) == "1"; }
  /// The value as a number; 0 if it is none.
  int64_t number(std::string_view key) const;

  /// Groups of channels: G=D stands for one a channel.
  int64_t groups() const;
  /// Points (b, l, d) and (b, l, d, n) of the iteration space.
  int64_t elements() const;
  int64_t points() const;
  /// True for bodies with an axis of states.
  bool hasStates() const;
  /// The schedule as an attribute's text; empty: the default one.
  std::string schedule() const;

  /// The keys whose values are not the presets, as parse() reads them.
  std::string text() const;

  bool operator==(const Case &) const = default;

private:
  std::map<std::string, std::string, std::less<>> values_;
};

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_CASE_H
