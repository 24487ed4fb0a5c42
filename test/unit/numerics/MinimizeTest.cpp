//===- MinimizeTest.cpp - Tests of shrinking and of random bodies ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Minimize.h"

#include "test/e2e/numerics/RandomBody.h"
#include "gtest/gtest.h"

#include <algorithm>

using namespace mamba;
using namespace mamba::numerics;

static Case caseOf(std::string_view text) { return *Case::parse(text); }

TEST(Minimize, KeepsWhatTheFailureNeedsAndNothingElse) {
  Case test = caseOf("type=bf16 B=5 L=257 D=100 N=16 order=bdl pad=3 lanes=4 "
                     "items=8 gate=gelu seed=7");
  auto fails = [](const Case &c) {
    return c.number("L") >= 5 && c.is("order", "bdl") && c.is("lanes", "4");
  };
  Case smallest = minimize(test, 1000, fails);
  EXPECT_EQ(smallest.text(), "B=1 L=5 D=1 N=1 order=bdl lanes=4");
}

TEST(Minimize, StopsWithinItsBudget) {
  int64_t tries = 0;
  minimize(caseOf("L=1025"), 5, [&](const Case &) {
    ++tries;
    return false;
  });
  EXPECT_EQ(tries, 5);
}

TEST(Minimize, DropsStatementsOfRandomBodies) {
  Case test = caseOf("body=random bodyseed=5");
  int64_t statements = randomBody(test).statements;
  ASSERT_GT(statements, 3);
  auto fails = [](const Case &c) {
    std::vector<int64_t> dropped = droppedStatements(c);
    return std::find(dropped.begin(), dropped.end(), 2) == dropped.end();
  };
  Case smallest = minimize(test, 1000, fails);
  EXPECT_EQ(std::ssize(droppedStatements(smallest)), statements - 1);
}

TEST(RandomBody, IsAFunctionOfItsCase) {
  for (const char *text : {"body=random bodyseed=1", "body=random bodyseed=2"})
    EXPECT_EQ(randomBody(caseOf(text)).body, randomBody(caseOf(text)).body);
  EXPECT_NE(randomBody(caseOf("body=random bodyseed=1")).body,
            randomBody(caseOf("body=random bodyseed=2")).body);
}

/// Many seeds give every form: without, the generator tests less than it says.
TEST(RandomBody, SeedsReachEveryForm) {
  std::string all;
  for (int seed = 0; seed < 200; ++seed) {
    FusedText text = randomBody(
        caseOf("body=random type=bf16 bodyseed=" + std::to_string(seed)));
    all += text.body;
    for (const FusedText::Tensor &tensor : text.results)
      all += " result " + tensor.axes + " ";
    for (const FusedText::Tensor &tensor : text.inputs)
      all += " input " + tensor.axes + " ";
  }
  for (const char *part :
       {"ssm.sum", "init(", "complex.create", "math.exp", "math.log1p",
        "arith.divf", "math.erf", "result bldn ", "result bdn ", "result bld ",
        "result d ", "input blgn ", "input l ", "input gn ", "truncf", "l, %"})
    EXPECT_NE(all.find(part), std::string::npos) << part;
}
