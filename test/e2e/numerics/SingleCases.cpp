//===- SingleCases.cpp - Cases that no design draws -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/SingleCases.h"

#include <cassert>

using namespace mamba;
using namespace mamba::numerics;

Case numerics::caseOf(std::string_view text) {
  Result<Case> parsed = Case::parse(text);
  assert(parsed.ok() && "the suite's own text");
  return *parsed;
}

std::vector<Case> numerics::emptyCases(bool isGpu) {
  std::vector<Case> cases;
  for (const char *body : {"s6", "lti", "mingru", "bidirectional", "stacked"})
    for (const char *extents : {"L=0", "B=0", "D=0", "B=0 L=0"})
      for (const char *init : {"none", "bdn"})
        cases.push_back(caseOf("body=" + std::string(body) + " " + extents +
                               " init=" + init));
  cases.push_back(caseOf("L=0 init=bdn out=both order=bdl type=bf16"));
  cases.push_back(caseOf("L=0 init=dn out=both complex=1 static=all"));
  cases.push_back(caseOf("B=0 static=all"));
  cases.push_back(caseOf("B=0 L=33 D=64 N=256 grad=1"));
  // No saved state tells what such a sequence starts from.
  for (const char *body : {"s6", "mingru"})
    for (const char *saving : {"grad=1 save=32", "grad=1 save=8", "grad=1"})
      cases.push_back(
          caseOf("body=" + std::string(body) + " L=0 N=3 " + saving));
  // One of the chunks, none of which has a step, writes the last states.
  if (isGpu) {
    cases.push_back(caseOf("L=0 init=bdn chunks=3"));
    cases.push_back(
        caseOf("L=0 init=bdn chunks=3 handoff=0 carry_parts=2 last_chunk=2"));
    cases.push_back(caseOf("L=0 grad=1 save=8 lanes=4 items=2 chunks=3 "
                           "handoff=0 carry_parts=2 last_chunk=2"));
    cases.push_back(caseOf("L=0 init=bdn warps_l=4 warps_d=1 relay=1"));
  }
  return cases;
}

std::vector<Case> numerics::largeStepCases() {
  std::vector<Case> cases;
  for (const char *rule : {"zoh", "bilinear"})
    for (const char *numbers : {"", " complex=1"})
      cases.push_back(caseOf("B=1 L=1 D=2 N=1 grad=1 fill=large rule=" +
                             std::string(rule) + numbers));
  return cases;
}

std::vector<Case> numerics::groupCases() {
  std::vector<Case> cases;
  for (const char *chunks :
       {"1 handoff=0", "3 handoff=1", "3 handoff=0 carry_parts=2 last_chunk=2"})
    for (const char *memory : {"", " type=bf16 order=bdl save=32"})
      cases.push_back(caseOf("L=64 D=64 G=2 N=4 grad=1 lanes=8 items=4 "
                             "warps_d=2 atomics=1 chunks=" +
                             std::string(chunks) + memory));
  return cases;
}

std::vector<Case> numerics::repeatCases() {
  std::vector<Case> cases;
  for (const char *text :
       {"L=129 D=20 grad=1", "L=129 D=20 grad=1 type=bf16 order=bdl G=2",
        "L=1025 D=100", "L=1025 D=100 type=bf16 order=bdl", "L=4097 D=3 B=1",
        "body=two L=257 D=64 reverse=1", "body=lti complex=1 L=1025 D=3",
        "body=mingru L=4097 D=100", "body=bidirectional L=257",
        "body=stacked L=257 D=100"})
    cases.push_back(caseOf("kind=repeat " + std::string(text)));
  return cases;
}

std::vector<Case> numerics::largeCases(bool isCuda) {
  std::vector<Case> cases;
  for (const char *text :
       {"B=1 L=65537 D=100 N=1", "B=1 L=4097 D=1536 N=1",
        "B=1 L=65537 D=1 N=64 order=bdl type=bf16", "B=65537 L=2 D=3 N=1",
        "B=1 L=2 D=2100000 N=1", "B=65537 L=2 D=3 N=1 grad=1"})
    cases.push_back(caseOf(text));
  if (isCuda)
    for (const char *text :
         {"B=1 L=65537 D=1 N=256 type=bf16",
          "B=1 L=65537 D=1536 N=1 type=bf16 gate=none skip=0 order=bdl"})
      cases.push_back(caseOf(text));
  return cases;
}
