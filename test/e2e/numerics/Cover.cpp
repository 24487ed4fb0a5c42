//===- Cover.cpp - Cases in which every pair of values meets --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Greedy: a case starts from a pair that is missing; of some random ways to
// fill in the rest, the one is taken that brings the most missing pairs.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Cover.h"

#include "test/e2e/numerics/Random.h"

#include <cmath>
#include <optional>
#include <set>

using namespace mamba;
using namespace mamba::numerics;

namespace {

/// The number of a value of each factor.
using Choice = std::vector<size_t>;

/// A value of a factor, with one of a later factor.
struct Pair {
  size_t factor, value, otherFactor, otherValue;
  auto operator<=>(const Pair &) const = default;
};

} // namespace

/// Tries to find one valid case at random.
static constexpr int kTries = 400;
/// Valid cases to choose from.
static constexpr int kCandidates = 24;

static Case caseOf(const Design &design, const Choice &choice) {
  Case result = design.base;
  for (size_t i = 0; i < choice.size(); ++i)
    result.set(design.factors[i].key, design.factors[i].values[choice[i]]);
  return result;
}

static Choice draw(const Design &design, Random &random) {
  Choice choice;
  for (const Factor &factor : design.factors)
    choice.push_back(random.below(factor.values.size()));
  return choice;
}

template <typename Visit>
static void forEachPair(const Choice &choice, const Visit &visit) {
  for (size_t i = 0; i < choice.size(); ++i)
    for (size_t j = i + 1; j < choice.size(); ++j)
      visit(Pair{i, choice[i], j, choice[j]});
}

static std::set<Pair> allPairs(const Design &design) {
  std::set<Pair> pairs;
  for (size_t i = 0; i < design.factors.size(); ++i)
    for (size_t j = i + 1; j < design.factors.size(); ++j)
      for (size_t a = 0; a < design.factors[i].values.size(); ++a)
        for (size_t b = 0; b < design.factors[j].values.size(); ++b)
          pairs.insert({i, a, j, b});
  return pairs;
}

/// A case with `pair` and as many of `missing` as luck gives; nothing if no
/// valid case was found.
static std::optional<Choice> extend(const Design &design, const Pair &pair,
                                    const std::set<Pair> &missing,
                                    Random &random) {
  std::optional<Choice> best;
  double bestScore = 0;
  for (int tries = 0, found = 0; tries < kTries && found < kCandidates;
       ++tries) {
    Choice choice = draw(design, random);
    choice[pair.factor] = pair.value;
    choice[pair.otherFactor] = pair.otherValue;
    Case candidate = caseOf(design, choice);
    if (!design.isValid(candidate))
      continue;
    ++found;
    double score = 0;
    forEachPair(choice, [&](const Pair &p) { score += missing.contains(p); });
    // Large cases only where they bring much.
    score -= 2 * std::log2(1 + double(candidate.points()) / 1e6);
    if (!best || score > bestScore) {
      best = choice;
      bestScore = score;
    }
  }
  return best;
}

std::vector<Case> numerics::cover(const Design &design, uint64_t seed) {
  Random random(seed);
  std::set<Pair> missing = allPairs(design);
  std::vector<Case> cases;
  while (!missing.empty()) {
    auto pair = missing.begin();
    std::advance(pair, random.below(missing.size()));
    std::optional<Choice> choice = extend(design, *pair, missing, random);
    if (!choice) {
      missing.erase(pair);
      continue;
    }
    forEachPair(*choice, [&](const Pair &p) { missing.erase(p); });
    cases.push_back(caseOf(design, *choice));
    cases.back().set("seed", std::to_string(cases.size()));
  }
  return cases;
}

std::vector<Case> numerics::sample(const Design &design, uint64_t seed,
                                   int64_t count) {
  Random random(seed);
  std::vector<Case> cases;
  for (int64_t tries = 0; tries < count * kTries && std::ssize(cases) < count;
       ++tries) {
    Case candidate = caseOf(design, draw(design, random));
    if (!design.isValid(candidate))
      continue;
    candidate.set("seed", std::to_string(tries));
    cases.push_back(candidate);
  }
  return cases;
}
