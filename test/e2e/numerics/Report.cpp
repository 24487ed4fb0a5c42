//===- Report.cpp - What a run of the suite found -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A case's text is its name: it says how to run the case again.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Report.h"

#include "test/e2e/numerics/Difference.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

using namespace mamba;
using namespace mamba::numerics;

std::string_view numerics::toString(Outcome::Kind kind) {
  switch (kind) {
  case Outcome::Kind::Passed:
    return "passed";
  case Outcome::Kind::Failed:
    return "failed";
  case Outcome::Kind::Refused:
    return "refused";
  }
  return "";
}

void Report::add(size_t index, const Finished &finished) {
  finished_[index] = finished;
  isFinished_[index] = true;
  ++counts_[static_cast<size_t>(finished.outcome.kind)];
}

std::string Report::summary() const {
  std::map<std::string, std::array<int64_t, 3>> groups;
  for (size_t i = 0; i < cases_.size(); ++i)
    if (isFinished_[i]) {
      const Case &test = cases_[i];
      std::string name =
          fmt::format("{} {}{}", test.get("kind"), test.get("body"),
                      test.schedule().empty() ? "" : ", given schedules");
      ++groups[name][static_cast<size_t>(finished_[i].outcome.kind)];
    }
  std::string text;
  for (const auto &[name, counts] : groups)
    text += fmt::format("  {:<36} {:>4} passed {:>3} failed {:>3} refused\n",
                        name, counts[0], counts[1], counts[2]);
  return text;
}

/// Up to five cases with the largest `value`.
template <typename Value>
static std::string largest(const std::vector<Case> &cases,
                           std::string_view title, const Value &value) {
  std::vector<size_t> order;
  for (size_t i = 0; i < cases.size(); ++i)
    order.push_back(i);
  size_t count = std::min<size_t>(order.size(), 5);
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](size_t x, size_t y) { return value(x) > value(y); });
  std::string text = fmt::format("{}\n", title);
  for (size_t i = 0; i < count; ++i)
    text +=
        fmt::format("  {:8.3f}  {}\n", value(order[i]), cases[order[i]].text());
  return text;
}

std::string Report::extremes() const {
  return largest(cases_, "slowest, in seconds:",
                 [&](size_t i) { return finished_[i].seconds; }) +
         largest(cases_, "nearest to their bound, error / bound:",
                 [&](size_t i) { return finished_[i].outcome.worst; });
}

std::string Report::differences() const {
  int64_t compared = 0, near = 0, same = 0;
  std::string others;
  for (size_t i = 0; i < cases_.size(); ++i) {
    double ulps = finished_[i].outcome.ulps;
    if (ulps < 0)
      continue;
    ++compared;
    near += ulps <= kMaxUlps;
    same += ulps == 0;
    if (ulps > 0)
      others += fmt::format("  {:8.1f} ulp  {}\n", ulps, cases_[i].text());
  }
  if (compared == 0)
    return "";
  return fmt::format("{}{} of {} cases agree within {} ulp, {} in every bit\n",
                     others, near, compared, kMaxUlps, same);
}

static std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (unsigned char c : text) {
    if (c < 0x20) {
      quoted += fmt::format("\\u{:04x}", c);
      continue;
    }
    if (c == '"' || c == '\\')
      quoted += '\\';
    quoted += static_cast<char>(c);
  }
  return quoted + '"';
}

std::string Report::json(const DeviceInfo &info, double seconds) const {
  std::string text = fmt::format(
      "{{\"device\": {}, \"model\": {}, \"target\": {}, \"driver\": {},\n"
      " \"passed\": {}, \"failed\": {}, \"refused\": {}, \"seconds\": {:.1f},\n"
      " \"cases\": [",
      quote(device_), quote(info.model), quote(info.target), info.driverVersion,
      count(Outcome::Kind::Passed), count(Outcome::Kind::Failed),
      count(Outcome::Kind::Refused), seconds);
  bool isFirst = true;
  for (size_t i = 0; i < cases_.size(); ++i) {
    if (!isFinished_[i])
      continue;
    const Outcome &outcome = finished_[i].outcome;
    text += fmt::format("{}\n  {{\"name\": {}, \"outcome\": {}, "
                        "\"seconds\": {:.3f}, \"error_over_bound\": {:.4f}",
                        isFirst ? "" : ",", quote(cases_[i].text()),
                        quote(toString(outcome.kind)), finished_[i].seconds,
                        std::min(outcome.worst, 1e9));
    if (outcome.ulps >= 0)
      text += fmt::format(", \"ulps\": {:.3g}", std::min(outcome.ulps, 1e30));
    if (!outcome.message.empty())
      text += fmt::format(", \"message\": {}", quote(outcome.message));
    text += "}";
    isFirst = false;
  }
  return text + "\n ]}\n";
}
