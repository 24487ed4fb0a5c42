//===- TrainingTest.cpp - A function and its gradients --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Training.h"

#include "test/unit/jit/JitTesting.h"

using namespace mamba;
using namespace mamba::test;

namespace {

/// h_t = a_t h_(t-1) + b_t from h0, and nothing but h.
Module recurrence() {
  Result<Module> module = Module::parse(
      "func.func @f(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>,\n"
      "             %h0: tensor<?x?xf32>) -> tensor<?x?x?xf32> {\n"
      "  %h, %last = ssm.scan %a, %b init(%h0)\n"
      "    : tensor<?x?x?xf32>, tensor<?x?xf32>\n"
      "  return %h : tensor<?x?x?xf32>\n}\n",
      "f.mlir");
  EXPECT_TRUE(module.ok()) << module.status().message();
  return *module;
}

HostTensor filled(std::vector<int64_t> shape, double value) {
  HostTensor tensor = *HostTensor::create(DType::F32, shape);
  tensor.fill([&](int64_t) { return value; });
  return tensor;
}

std::vector<std::string> inputNames(const Function &function) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < function.info().numInputs; ++i)
    names.push_back(function.info().tensors[i].name);
  return names;
}

TEST(Training, SaysWhatIsSaved) {
  Result<TrainingPair> pair = makeTrainingPair(recurrence(), "f", 64);
  ASSERT_TRUE(pair.ok()) << pair.status().message();
  EXPECT_EQ(pair->saveEvery, 64);
  ASSERT_EQ(pair->saved().size(), 1u);
  EXPECT_EQ(pair->saved()[0].name, "saved0");
  // 130 steps begin 3 segments.
  EXPECT_EQ(pair->savedBytes(2, 130, 5), 2 * 3 * 5 * 4);
  // h0 is among what is saved.
  EXPECT_EQ(inputNames(pair->backward),
            (std::vector<std::string>{"a", "b", "dresult0", "saved0"}));
}

TEST(Training, EveryStateMayBeSaved) {
  Result<TrainingPair> pair = makeTrainingPair(recurrence(), "f", 1);
  ASSERT_TRUE(pair.ok()) << pair.status().message();
  EXPECT_EQ(pair->saveEvery, 1);
  ASSERT_EQ(pair->saved().size(), 1u);
  EXPECT_EQ(pair->saved()[0].name, "saved0");
  EXPECT_EQ(pair->savedBytes(2, 130, 5), 2 * 130 * 5 * 4);
}

TEST(Training, GradientsStartFromWhatForwardSaved) {
  Result<TrainingPair> pair = makeTrainingPair(recurrence(), "", 64);
  ASSERT_TRUE(pair.ok()) << pair.status().message();
  constexpr int64_t kSteps = 130;
  HostTensor a = filled({1, kSteps, 2}, 1), b = filled({1, kSteps, 2}, 1),
             h0 = filled({1, 2}, 5), h = filled({1, kSteps, 2}, NAN),
             saved = filled({1, 3, 2}, NAN), dh = filled({1, kSteps, 2}, 1),
             da = filled({1, kSteps, 2}, NAN), db = filled({1, kSteps, 2}, NAN),
             dh0 = filled({1, 2}, NAN);
  Status status = pair->forward.launch(
      cpuDevice(), {a.view(), b.view(), h0.view(), h.view(), saved.view()});
  ASSERT_TRUE(status.ok()) << status.message();
  for (int64_t k : {0, 1, 2})
    EXPECT_EQ(saved.at(std::vector<int64_t>{0, k, 1}).real(), 5 + 64.0 * k);
  status = pair->backward.launch(cpuDevice(),
                                 {a.view(), b.view(), dh.view(), saved.view(),
                                  da.view(), db.view(), dh0.view()});
  ASSERT_TRUE(status.ok()) << status.message();
  // dL/dh_t sums over the steps from t on; dL/da_t is that times h_(t-1).
  for (int64_t t : {int64_t(0), int64_t(63), int64_t(64), kSteps - 1}) {
    std::vector<int64_t> at{0, t, 1};
    EXPECT_EQ(db.at(at).real(), double(kSteps - t));
    EXPECT_EQ(da.at(at).real(), double(kSteps - t) * double(5 + t));
  }
  EXPECT_EQ(dh0.at(std::vector<int64_t>{0, 0}).real(), double(kSteps));
}

TEST(Training, NothingIsSavedOnRequest) {
  Result<TrainingPair> pair = makeTrainingPair(recurrence(), "f", 0);
  ASSERT_TRUE(pair.ok()) << pair.status().message();
  EXPECT_EQ(pair->numSaved, 0u);
  EXPECT_EQ(pair->savedBytes(2, 130, 5), 0);
  EXPECT_EQ(pair->forward.info().numResults, 1u);
}

TEST(Training, ABudgetChoosesHowOften) {
  auto within = [](int64_t bytes) {
    Result<int64_t> every =
        savingWithin(recurrence(), "f", bytes, /*batch=*/2, /*length=*/1000,
                     /*channels=*/5);
    EXPECT_TRUE(every.ok()) << every.status().message();
    return every.ok() ? *every : -1;
  };
  // 40 bytes a segment, of which there are 16, 8, 4 and 2.
  EXPECT_EQ(within(640), 64);
  EXPECT_EQ(within(639), 128);
  EXPECT_EQ(within(160), 256);
  EXPECT_EQ(within(80), 512);
  EXPECT_EQ(within(79), 0);
}

TEST(Training, RefusesNegativeNumbers) {
  Result<TrainingPair> pair = makeTrainingPair(recurrence(), "f", -1);
  ASSERT_FALSE(pair.ok());
  EXPECT_EQ(pair.code(), StatusCode::InvalidArgument);
}

} // namespace
