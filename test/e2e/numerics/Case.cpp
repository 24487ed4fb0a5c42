//===- Case.cpp - One case of the numerics suite --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The table of keys is the suite's vocabulary; ModuleText and RunCase give the
// keys their meaning.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Case.h"

#include "tools/problem/CommandLine.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>

using namespace mamba;
using namespace mamba::numerics;

static constexpr Key kKeys[] = {
    {"kind", "verify",
     "verify against the reference, repeat (bit-identical), locality (of NaN "
     "and infinity), far (strides past 2^31), malformed (a changed module is "
     "refused or runs), translate (NVRTC takes its CUDA C++)"},
    {"body", "s6",
     "s6, lti, mingru, rglru, bidirectional, two, chained, stacked, math, "
     "random (an ssm.fused op that no one wrote)"},
    {"bodyseed", "0", "of body=random: which one"},
    {"drop", "", "of body=random: statements to leave out, as 3.7"},
    {"op", "math.exp",
     "of body=math: OP, or OP:RANGE with positive, above1, inner or wide"},
    {"type", "f32", "f32, f16, bf16: of the activations"},
    {"B", "2", "sequences"},
    {"L", "33", "steps"},
    {"D", "64", "channels"},
    {"N", "16", "states"},
    {"G", "1", "groups; D: one a channel"},
    {"static", "none", "extents in the types: none, d, all"},
    {"rule", "mamba", "mamba, zoh, bilinear, euler"},
    {"complex", "0", "A and the states are complex"},
    {"reverse", "0", "the scan runs backwards"},
    {"step", "bias", "raw, softplus, bias (softplus with bias)"},
    {"skip", "1", "D u is added"},
    {"gate", "silu", "none, identity, silu, sigmoid, gelu"},
    {"init", "none", "initial state: none, bdn, dn (one for all sequences)"},
    {"last", "1", "the last state is a result"},
    {"out", "y", "y, states, both"},
    {"grad", "0", "the function that computes the gradients"},
    {"save", "0",
     "forward saves the states before so many steps each, and gradients start "
     "from what it saved on the device"},
    {"store", "f32", "type of states in memory: f32, act"},
    {"order", "bld", "memory of (b, l, d) tensors: bld, bdl, lbd"},
    {"bc", "blgn", "memory of B and C: blgn, bgnl"},
    {"pad", "0", "elements that the parent is wider than the view"},
    {"spacing", "1", "elements from one to the next"},
    {"offset", "0", "elements before the first one"},
    {"broadcast", "none", "inputs are stored once along: none, b, l, d"},
    {"fill", "usual", "steps delta: usual, large, small"},
    {"far", "", "TENSOR.DIM.ELEMENTS: a stride that reaches so far"},
    {"lanes", "", "#ssm.schedule"},
    {"split", "", "#ssm.schedule"},
    {"items", "", "#ssm.schedule, #ssm.cpu_schedule"},
    {"channels", "", "#ssm.schedule"},
    {"warps_l", "", "#ssm.schedule"},
    {"warps_d", "", "#ssm.schedule"},
    {"handoff", "", "#ssm.schedule"},
    {"carry_parts", "", "#ssm.schedule"},
    {"last_chunk", "", "#ssm.schedule"},
    {"relay", "", "#ssm.schedule"},
    {"unroll", "", "#ssm.schedule"},
    {"stages", "", "#ssm.schedule"},
    {"prefetch", "", "#ssm.schedule"},
    {"packed", "", "#ssm.schedule"},
    {"apart", "", "#ssm.schedule"},
    {"atomics", "", "#ssm.schedule"},
    {"fma_exps", "", "#ssm.schedule"},
    {"min_blocks", "", "#ssm.schedule"},
    {"vector", "", "#ssm.cpu_schedule"},
    {"chunks", "", "#ssm.schedule, #ssm.cpu_schedule"},
    {"seed", "0", "of the inputs"},
};

static const Key *findKey(std::string_view name) {
  auto key = std::find_if(std::begin(kKeys), std::end(kKeys),
                          [&](const Key &k) { return k.name == name; });
  return key == std::end(kKeys) ? nullptr : key;
}

std::string numerics::keysHelp() {
  std::string text;
  for (const Key &key : kKeys)
    text += fmt::format("  {:<10} {} [{}]\n", key.name, key.help,
                        key.preset.empty() ? "default" : key.preset);
  return text;
}

Result<Case> Case::parse(std::string_view text) {
  Case result;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    if (item.empty())
      continue;
    size_t equals = item.find('=');
    if (equals == std::string_view::npos || !findKey(item.substr(0, equals)))
      return Status(StatusCode::InvalidArgument,
                    fmt::format("found '{}', required KEY=VALUE with a key "
                                "that --help lists",
                                item));
    result.set(item.substr(0, equals), item.substr(equals + 1));
  }
  return result;
}

void Case::set(std::string_view key, std::string_view value) {
  assert(findKey(key) && "a key of the table");
  if (value == findKey(key)->preset)
    values_.erase(std::string(key));
  else
    values_[std::string(key)] = value;
}

std::vector<std::string_view> Case::keysGiven() const {
  std::vector<std::string_view> keys;
  for (const auto &[key, value] : values_)
    keys.push_back(key);
  return keys;
}

std::string_view Case::get(std::string_view key) const {
  assert(findKey(key) && "a key of the table");
  auto value = values_.find(key);
  return value == values_.end() ? findKey(key)->preset
                                : std::string_view(value->second);
}

int64_t Case::number(std::string_view key) const {
  Result<int64_t> number = parseNumber(get(key));
  return number.ok() ? *number : 0;
}

int64_t Case::groups() const { return number(is("G", "D") ? "D" : "G"); }

bool Case::hasStates() const {
  return !is("body", "mingru") && !is("body", "rglru") && !is("body", "math");
}

int64_t Case::elements() const {
  return number("B") * number("L") * number("D");
}

int64_t Case::points() const {
  return elements() * (hasStates() ? number("N") : 1);
}

static constexpr std::string_view kScheduleKeys[] = {
    "lanes",      "split",   "vector",  "items",    "channels",
    "warps_l",    "warps_d", "chunks",  "handoff",  "carry_parts",
    "last_chunk", "relay",   "unroll",  "stages",   "prefetch",
    "packed",     "apart",   "atomics", "fma_exps", "min_blocks"};

void Case::setSchedule(const Case &other) {
  for (std::string_view key : kScheduleKeys)
    set(key, other.get(key));
}

std::string Case::schedule() const {
  bool isCpu = !get("vector").empty();
  std::string fields;
  for (std::string_view key : kScheduleKeys)
    if (!get(key).empty())
      fields +=
          fmt::format("{}{} = {}", fields.empty() ? "" : ", ", key, get(key));
  if (fields.empty())
    return "";
  return fmt::format("#ssm.{}schedule<{}>", isCpu ? "cpu_" : "", fields);
}

std::string Case::text() const {
  std::string text;
  for (const Key &key : kKeys)
    if (auto value = values_.find(key.name); value != values_.end())
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", key.name,
                          value->second);
  return text.empty() ? "kind=verify" : text;
}
