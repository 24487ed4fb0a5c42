//===- FunctionTest.cpp - Compile and launch ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a program that embeds the compiler does, and does wrong.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"
#include "runtime/Cache.h"
#include "test/unit/jit/JitTesting.h"

#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace mamba;
using namespace mamba::test;

namespace {

TEST(Module, MalformedTextIsLocated) {
  Result<Module> module =
      Module::parse("func.func @f() {\n  %x = ssm.nothing\n}", "bad.mlir");
  ASSERT_FALSE(module.ok());
  EXPECT_EQ(module.code(), StatusCode::CompileError);
  EXPECT_EQ(module.status().message().find("bad.mlir:2:"), 0u)
      << module.status().message();
}

TEST(Module, MissingFileIsNotFound) {
  EXPECT_EQ(Module::load("/nonexistent/f.mlir").code(), StatusCode::NotFound);
}

TEST(Module, NamesItsFunctions) {
  Result<Module> module = Module::parse(recurrenceText(), "test.mlir");
  ASSERT_TRUE(module.ok());
  EXPECT_EQ(module->functionNames(), std::vector<std::string>{"recurrence"});
  EXPECT_TRUE(module->function().ok());
  Result<Function> missing = module->function("nope");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.code(), StatusCode::NotFound);
  EXPECT_NE(missing.status().message().find("it has @recurrence"),
            std::string::npos)
      << missing.status().message();
}

TEST(Module, DifferentiatesAFunction) {
  Result<Module> module = Module::parse(
      "func.func @f(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)\n"
      "    -> tensor<?x?x?xf32> {\n"
      "  %h, %last = ssm.scan %a, %b : tensor<?x?x?xf32>\n"
      "  return %h : tensor<?x?x?xf32>\n}\n",
      "f.mlir");
  ASSERT_TRUE(module.ok()) << module.status().message();
  Result<Module> both = module->differentiate();
  ASSERT_TRUE(both.ok()) << both.status().message();
  EXPECT_EQ(both->functionNames(),
            (std::vector<std::string>{"f", "f_backward"}));
  Result<Function> backward = both->function("f_backward");
  ASSERT_TRUE(backward.ok()) << backward.status().message();
  std::vector<std::string> names;
  for (const TensorSpec &tensor : backward->info().tensors)
    names.push_back(tensor.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"a", "b", "dresult0", "da", "db"}));

  const std::vector<int64_t> shape = {1, 3, 1};
  HostTensor a(DType::F32, shape), b(DType::F32, shape), dh(DType::F32, shape),
      da(DType::F32, shape), db(DType::F32, shape);
  a.fill(0.5);
  b.fill(1);
  dh.fill(1);
  Status status = backward->launch(
      cpuDevice(), {a.view(), b.view(), dh.view(), da.view(), db.view()});
  ASSERT_TRUE(status.ok()) << status.message();
  // h = 1, 1.5, 1.75; db_t = 1 + a db_(t+1); da_t = db_t h_(t-1).
  const double expected[][2] = {{0, 1.75}, {1.5, 1.5}, {1.5, 1}};
  for (int64_t t = 0; t < 3; ++t) {
    const int64_t index[] = {0, t, 0};
    EXPECT_NEAR(da.at(index).real(), expected[t][0], 1e-6);
    EXPECT_NEAR(db.at(index).real(), expected[t][1], 1e-6);
  }
}

TEST(Module, RefusesWhatHasNoDerivativeWhereItStands) {
  Result<Module> module = Module::parse(
      "func.func @f(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {\n"
      "  %r = arith.remf %a, %a : tensor<?x?x?xf32>\n"
      "  return %r : tensor<?x?x?xf32>\n}\n",
      "f.mlir");
  ASSERT_TRUE(module.ok()) << module.status().message();
  Result<Module> both = module->differentiate("f");
  ASSERT_FALSE(both.ok());
  EXPECT_EQ(both.code(), StatusCode::CompileError);
  EXPECT_EQ(both.status().message().find("f.mlir:2:"), 0u)
      << both.status().message();
  EXPECT_EQ(module->differentiate("g").code(), StatusCode::NotFound);
}

TEST(Function, KnowsItsTensors) {
  FunctionInfo info = makeRecurrence().info();
  EXPECT_EQ(info.name, "recurrence");
  EXPECT_EQ(info.numInputs, 2u);
  EXPECT_EQ(info.numResults, 2u);
  ASSERT_EQ(info.tensors.size(), 4u);
  EXPECT_EQ(info.tensors[0].name, "u");
  ASSERT_EQ(info.tensors[0].dims.size(), 3u);
  EXPECT_EQ(info.tensors[0].dims[1].axis, Axis::Length);
  EXPECT_EQ(info.tensors[0].dims[1].extent, kDynamic);
  EXPECT_EQ(info.tensors[1].name, "a");
  EXPECT_EQ(info.tensors[1].dims[0].axis, Axis::Channel);
  EXPECT_EQ(info.tensors[3].dims[0].axis, Axis::Batch);
}

TEST(Function, LaunchesOnTheCpu) {
  RecurrenceTensors tensors(2, 50, 7);
  Status status = makeRecurrence().launch(cpuDevice(), tensors.views());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_LT(tensors.maxError(), 1e-6);
  EXPECT_TRUE(tensors.h.guardsIntact());
}

TEST(Function, OneKernelTakesAllLengthsOfABucketOnTheCpu) {
  Function function = makeRecurrence();
  std::shared_ptr<Kernel> first;
  // Multiples of 1, 16 and 256.
  for (int64_t length : {129, 144, 256}) {
    RecurrenceTensors tensors(2, length, 7);
    Result<std::shared_ptr<Kernel>> kernel =
        function.kernel(cpuDevice(), tensors.views());
    ASSERT_TRUE(kernel.ok()) << kernel.status().message();
    EXPECT_TRUE(!first || first == *kernel) << length;
    first = *kernel;
  }
}

TEST(Function, TakesOtherMemoryOrders) {
  RecurrenceTensors tensors(2, 50, 7);
  std::vector<TensorView> views = tensors.views();
  // (b, l, d) values in (B, D, L) memory.
  HostTensor u(DType::F32, {2, 7, 50}), h(DType::F32, {2, 7, 50});
  u.fill(1);
  const int order[] = {0, 2, 1};
  views[0] = u.view().permuted(order);
  views[2] = h.view().permuted(order);
  Status status = makeRecurrence().launch(cpuDevice(), views);
  ASSERT_TRUE(status.ok()) << status.message();
  const int64_t index[] = {1, 6, 49};
  EXPECT_NEAR(h.at(index).real(), 2, 1e-6);
}

TEST(Function, RefusesWrongTensorsBeforeCompiling) {
  Function function = makeRecurrence();
  RecurrenceTensors tensors(2, 50, 7), other(2, 50, 8);
  std::vector<TensorView> views = tensors.views();
  int64_t computed = Cache::global().statistics().computed;
  EXPECT_EQ(function.launch(cpuDevice(), std::span(views).first(3)).code(),
            StatusCode::InvalidArgument);
  views[1] = other.a.view();
  Status status = function.launch(cpuDevice(), views);
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_NE(status.message().find("has extent 8; required is 7"),
            std::string::npos)
      << status.message();
  EXPECT_EQ(Cache::global().statistics().computed, computed);
}

TEST(Function, RefusesAForeignSchedule) {
  RecurrenceTensors tensors(1, 4, 4);
  LaunchOptions options;
  options.schedule = "#ssm.schedule<lanes = 4>";
  Status status =
      makeRecurrence().launch(cpuDevice(), tensors.views(), options);
  EXPECT_EQ(status.code(), StatusCode::CompileError);
  options.schedule = "#ssm.cpu_schedule<vector = 4, items = 2>";
  status = makeRecurrence().launch(cpuDevice(), tensors.views(), options);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_LT(tensors.maxError(), 1e-6);
}

TEST(Function, CompilesForAbsentDevices) {
  VariantRequest request;
  request.target = "sm_90";
  std::vector<std::string> stages;
  Result<Artifact> artifact = makeRecurrence().compile(
      request, [&](std::string_view stage, std::string_view text) {
        EXPECT_FALSE(text.empty());
        stages.emplace_back(stage);
      });
  ASSERT_TRUE(artifact.ok()) << artifact.status().message();
  EXPECT_EQ(artifact->kind, ImageKind::Ptx);
  EXPECT_NE(artifact->image.find(".target sm_90"), std::string::npos);
  EXPECT_FALSE(artifact->launches.empty());
  EXPECT_FALSE(artifact->schedule.empty());
  EXPECT_EQ(stages, (std::vector<std::string>{"model", "fused", "schedule",
                                              "gpu", "llvm", "ptx"}));
  Result<Artifact> again = deserializeArtifact(serialize(*artifact));
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->image, artifact->image);
}

TEST(Function, UnknownTargetListsTheKnown) {
  VariantRequest request;
  request.target = "sm_12345";
  Status status = makeRecurrence().compile(request).status();
  EXPECT_EQ(status.code(), StatusCode::CompileError);
  EXPECT_NE(status.message().find("sm_90"), std::string::npos)
      << status.message();
}

/// Whether `body` is true in a forked child, within 10 seconds.
template <typename Body> bool holdsInAChild(Body body) {
  pid_t child = fork();
  if (child == 0) {
    alarm(10);
    _exit(body() ? 0 : 1);
  }
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

TEST(Function, WorksInAForkedChild) {
  Function function = makeRecurrence("fork");
  std::shared_ptr<Device> device = cpuDevice();
  RecurrenceTensors tensors(1, 30, 5);
  ASSERT_TRUE(function.launch(device, tensors.views()).ok());
  EXPECT_TRUE(holdsInAChild([&] {
    RecurrenceTensors own(3, 300, 50);
    return function.launch(device, own.views()).ok() && own.maxError() < 1e-6;
  }));
  // For a device that the child can't open.
  EXPECT_TRUE(holdsInAChild([&] {
    VariantRequest request;
    request.target = "sm_90";
    return function.compile(request).ok();
  }));
}

/// A function that takes some time to fuse.
std::string longText(int number) {
  std::string text = "// " + std::to_string(number) +
                     "\nfunc.func @f(%v0: tensor<?x?x?xf32>)"
                     " -> tensor<?x?x?xf32> {\n";
  constexpr int kOps = 300;
  for (int i = 0; i < kOps; ++i)
    text += "  %v" + std::to_string(i + 1) + " = arith.addf %v0, %v" +
            std::to_string(i) + " : tensor<?x?x?xf32>\n";
  std::string last = "%v" + std::to_string(kOps);
  return text + "  %h, %last = ssm.scan " + last + ", " + last +
         " : tensor<?x?x?xf32>\n  return %h : tensor<?x?x?xf32>\n}\n";
}

TEST(Module, WorksInAChildForkedWhileItIsAsked) {
  for (int i = 0; i < 3; ++i) {
    Result<Module> module = Module::parse(longText(i), "test.mlir");
    ASSERT_TRUE(module.ok()) << module.status().message();
    std::atomic<bool> asking = false;
    std::jthread busy([&] {
      asking = true;
      asking.notify_all();
      EXPECT_TRUE(module->function().ok());
    });
    asking.wait(false);
    usleep(1000);
    EXPECT_TRUE(holdsInAChild([&] { return module->function().ok(); }));
  }
}

} // namespace
