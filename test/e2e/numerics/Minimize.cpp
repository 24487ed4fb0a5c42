//===- Minimize.cpp - The smallest case that still fails ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Greedy: cases are short, so that trying every single step again after each
// success costs less than being clever.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Minimize.h"

#include "test/e2e/numerics/RandomBody.h"

#include <algorithm>

using namespace mamba;
using namespace mamba::numerics;

/// What a case is about; without them it is another one.
static constexpr std::string_view kKept[] = {"kind",     "body", "op",
                                             "bodyseed", "drop", "far"};

static constexpr std::string_view kExtents[] = {"L", "D", "N", "B"};

static void addDrops(const Case &test, std::vector<Case> &cases) {
  if (!test.is("body", "random"))
    return;
  std::vector<int64_t> dropped = droppedStatements(test);
  int64_t statements = randomBody(test).statements;
  // Later statements first: what they read may go after them.
  for (int64_t i = statements; i-- > 0;) {
    if (std::find(dropped.begin(), dropped.end(), i) != dropped.end())
      continue;
    Case simpler = test;
    std::string list(test.get("drop"));
    simpler.set("drop", list + (list.empty() ? "" : ".") + std::to_string(i));
    cases.push_back(simpler);
  }
}

/// Extents of 1, a half, and one less.
static void addExtents(const Case &test, std::vector<Case> &cases) {
  for (std::string_view key : kExtents) {
    int64_t extent = test.number(key);
    for (int64_t smaller : {int64_t(1), extent / 2, extent - 1})
      if (smaller > 0 && smaller < extent) {
        cases.push_back(test);
        cases.back().set(key, std::to_string(smaller));
      }
  }
}

std::vector<Case> numerics::simplerCases(const Case &test) {
  std::vector<Case> cases;
  addDrops(test, cases);
  addExtents(test, cases);
  for (std::string_view key : test.keysGiven()) {
    bool isKept =
        std::find(std::begin(kKept), std::end(kKept), key) != std::end(kKept) ||
        std::find(std::begin(kExtents), std::end(kExtents), key) !=
            std::end(kExtents);
    if (isKept)
      continue;
    cases.push_back(test);
    cases.back().reset(key);
  }
  return cases;
}

Case numerics::minimize(const Case &test, int64_t budget,
                        const std::function<bool(const Case &)> &fails) {
  Case smallest = test;
  bool isSmaller = true;
  while (isSmaller) {
    isSmaller = false;
    for (const Case &simpler : simplerCases(smallest)) {
      if (budget-- <= 0)
        return smallest;
      if (!fails(simpler))
        continue;
      smallest = simpler;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}
