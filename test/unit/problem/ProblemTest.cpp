//===- ProblemTest.cpp - Memory that flags ask for ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which tensors of a function and of its gradients a flag speaks of.
//
//===----------------------------------------------------------------------===//

#include "tools/problem/Problem.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace mamba;

namespace {

FunctionInfo function(std::string name, std::vector<std::string> inputs,
                      std::vector<std::string> results) {
  FunctionInfo info;
  info.name = std::move(name);
  info.numInputs = static_cast<uint32_t>(inputs.size());
  info.numResults = static_cast<uint32_t>(results.size());
  for (auto *list : {&inputs, &results})
    for (const std::string &tensor : *list)
      info.tensors.push_back({tensor,
                              DType::F32,
                              {DimSpec{Axis::Batch}, DimSpec{Axis::Length},
                               DimSpec{Axis::Channel}},
                              false});
  return info;
}

// y = f(t, u), whose gradients need no u.
const FunctionInfo kForward = function("f", {"t", "u"}, {"y"});
const FunctionInfo kBackward =
    function("f_backward", {"t", "dy"}, {"dt", "du"});

ProblemOptions optionsOf(std::initializer_list<std::string_view> layouts) {
  ProblemOptions options;
  for (Flag &flag : options.flags())
    if (flag.name == "layout")
      for (std::string_view layout : layouts)
        EXPECT_TRUE(flag.take(layout).ok());
  return options;
}

/// "t:2 dy:1": the dimension of each tensor whose stride is 1; an error's text.
std::string unitStrides(const ProblemOptions &given, const FunctionInfo &info,
                        const FunctionInfo *partner = nullptr) {
  Result<ProblemOptions> options = given.forFunction(info, partner);
  if (!options.ok())
    return options.status().message();
  std::string text;
  for (const TensorSpec &spec : info.tensors) {
    std::vector<int64_t> strides =
        options->place(spec, std::vector<int64_t>{5, 6, 7})->strides;
    auto unit = std::find(strides.begin(), strides.end(), 1);
    text += (text.empty() ? "" : " ") + spec.name + ":" +
            std::to_string(unit - strides.begin());
  }
  return text;
}

TEST(Layouts, GradientsLieAsTheirInputs) {
  EXPECT_EQ(unitStrides(optionsOf({"t=bdl"}), kBackward), "t:1 dy:2 dt:1 du:2");
  EXPECT_EQ(unitStrides(optionsOf({"t=bdl", "dt=ldb"}), kBackward),
            "t:1 dy:2 dt:0 du:2");
  EXPECT_EQ(unitStrides(optionsOf({"dt=bdl"}), kBackward),
            "t:2 dy:2 dt:1 du:2");
  // What is said of one tensor goes before what is said of all.
  EXPECT_EQ(unitStrides(optionsOf({"ldb", "t=bdl"}), kBackward),
            "t:1 dy:0 dt:1 du:0");
}

TEST(Layouts, PairsShareWhatIsSaid) {
  ProblemOptions options = optionsOf({"u=bdl", "y=ldb", "dt=bdl"});
  EXPECT_EQ(unitStrides(options, kForward, &kBackward), "t:2 u:1 y:0");
  EXPECT_EQ(unitStrides(options, kBackward, &kForward), "t:2 dy:0 dt:1 du:1");
  // Nothing is left of the other's tensors.
  Result<ProblemOptions> own = options.forFunction(kBackward, &kForward);
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(unitStrides(*own, kBackward), "t:2 dy:0 dt:1 du:1");
  EXPECT_EQ(unitStrides(optionsOf({"q=bdl"}), kForward, &kBackward),
            "--layout=q=...: @f has no such tensor, it has t, u, y; nor has "
            "@f_backward, which has t, dy, dt, du");
  EXPECT_EQ(unitStrides(options, kBackward),
            "--layout=u=...: @f_backward has no such tensor, it has t, dy, dt, "
            "du");
}

TEST(Layouts, InputsAreNoGradients) {
  FunctionInfo info = function("f", {"t", "dt"}, {"y", "dq"});
  EXPECT_EQ(unitStrides(optionsOf({"t=bdl"}), info), "t:1 dt:2 y:2 dq:2");
}

TEST(Layouts, GradientsHaveNoPadding) {
  ProblemOptions options = optionsOf({});
  options.pads["t"] = "3";
  Result<ProblemOptions> own = options.forFunction(kBackward);
  ASSERT_TRUE(own.ok());
  EXPECT_TRUE(own->mentions(kBackward.tensors[0]));
  EXPECT_FALSE(own->mentions(kBackward.tensors[2]));
}

} // namespace
