//===- TuneTest.cpp - Searching schedules ---------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On the CPU and on simt, whose times mean little: what counts is that the
// search ends, that what it finds is right, kept and used.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Tune.h"

#include "runtime/Buffer.h"
#include "runtime/Warning.h"
#include "runtime/jit/ModuleSource.h"
#include "runtime/jit/TunedSchedules.h"
#include "test/unit/jit/JitTesting.h"

#include <cmath>

#include <set>

using namespace mamba;
using namespace mamba::test;

namespace {

using Outcome = TuneCandidate::Outcome;

std::string scheduleOf(const Function &function,
                       const std::shared_ptr<Device> &device,
                       const std::vector<TensorView> &views) {
  Result<std::shared_ptr<Kernel>> kernel = function.kernel(device, views);
  EXPECT_TRUE(kernel.ok()) << kernel.status().message();
  return kernel.ok() ? (*kernel)->artifact().schedule : "";
}

TunedSchedules placeOf(const Function &function,
                       const std::shared_ptr<Device> &device,
                       const std::vector<TensorView> &views) {
  Result<VariantRequest> request = function.request(views);
  EXPECT_TRUE(request.ok());
  request->aimAt(*device);
  return {*function.source(), function.info().name, *request, *device};
}

TEST(Tune, TriesEachScheduleOnceAndKeepsTheFastest) {
  Function function = makeRecurrence("tuned once");
  std::shared_ptr<Device> device = cpuDevice();
  // Of a length and a width that GPU code would know.
  RecurrenceTensors tensors(2, 304, 32);
  std::vector<TensorView> views = tensors.views();
  placeOf(function, device, views).remove();
  std::string before = scheduleOf(function, device, views);
  size_t calls = 0;
  TuneOptions options;
  options.seconds = 30;
  options.onProgress = [&](const TuneProgress &progress) {
    EXPECT_EQ(progress.tried, ++calls);
    EXPECT_EQ(progress.budgetSeconds, 30);
    EXPECT_LE(progress.best->seconds, progress.last->outcome == Outcome::Timed
                                          ? progress.last->seconds / 0.995
                                          : 1e9);
  };
  Result<TuneReport> report = autotune(function, device, views, options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->isExhausted);
  EXPECT_FALSE(report->wasKnown);
  ASSERT_GT(report->candidates.size(), 4u);
  EXPECT_EQ(report->candidates.size(), calls);
  EXPECT_EQ(report->candidates.front().schedule, before);
  std::set<std::string> schedules;
  for (const TuneCandidate &candidate : report->candidates) {
    EXPECT_TRUE(schedules.insert(candidate.schedule).second);
    EXPECT_EQ(candidate.outcome, Outcome::Timed) << candidate.reason;
    EXPECT_LE(candidate.errorOverBound, 1);
  }
  EXPECT_LE(report->seconds, report->defaultSeconds);
  // The variant that was there is replaced, and another module's finds it.
  EXPECT_EQ(scheduleOf(function, device, views), report->schedule);
  EXPECT_EQ(scheduleOf(makeRecurrence("tuned once"), device, views),
            report->schedule);
  // Nobody's tensors were touched.
  EXPECT_TRUE(std::isnan(tensors.h.at(std::vector<int64_t>{0, 0, 0}).real()));

  Result<TuneReport> again = autotune(function, device, views, options);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->wasKnown);
  EXPECT_EQ(again->schedule, report->schedule);
  EXPECT_TRUE(again->candidates.empty());
}

TEST(Tune, StopsWhenTheTimeIsOver) {
  Function function = makeRecurrence("tuned in no time");
  RecurrenceTensors tensors(1, 64, 8);
  TuneOptions options;
  options.seconds = 0;
  options.searchesAgain = true;
  Result<TuneReport> report =
      autotune(function, cpuDevice(), tensors.views(), options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_FALSE(report->isExhausted);
  EXPECT_EQ(report->candidates.size(), 1u);
  EXPECT_EQ(report->schedule, report->candidates.front().schedule);
}

TEST(Tune, GpuSchedulesOnSimtAreRight) {
  Result<std::shared_ptr<Device>> simt = Device::open("simt");
  ASSERT_TRUE(simt.ok()) << simt.status().message();
  Function function = makeRecurrence("tuned on simt");
  RecurrenceTensors host(1, 37, 5);
  std::vector<DeviceTensor> tensors;
  std::vector<TensorView> views;
  for (const HostTensor *tensor : {&host.u, &host.a, &host.h, &host.last}) {
    Result<DeviceTensor> copy = DeviceTensor::copyOf(*tensor, *simt);
    ASSERT_TRUE(copy.ok());
    views.push_back(copy->view());
    tensors.push_back(std::move(*copy));
  }
  TuneOptions options;
  options.seconds = 2;
  options.searchesAgain = true;
  Result<TuneReport> report = autotune(function, *simt, views, options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_GT(report->candidates.size(), 5u);
  for (const TuneCandidate &candidate : report->candidates)
    EXPECT_EQ(candidate.outcome, Outcome::Timed)
        << candidate.schedule << ": " << candidate.reason;
}

TEST(Tune, NegativeStridesAreRefused) {
  Function function = makeRecurrence("tuned backwards");
  RecurrenceTensors tensors(1, 8, 4);
  std::vector<TensorView> views = tensors.views();
  views[0].data = static_cast<float *>(views[0].data) + 7 * 4;
  views[0].strides[1] = -4;
  Result<TuneReport> report = autotune(function, cpuDevice(), views);
  ASSERT_EQ(report.code(), StatusCode::InvalidArgument);
  EXPECT_NE(report.status().message().find("tensor 'u'"), std::string::npos)
      << report.status().message();
}

TEST(Tune, WrongTensorsAreRefusedAsByLaunch) {
  Function function = makeRecurrence("tuned with wrong tensors");
  std::vector<TensorView> views = RecurrenceTensors(1, 8, 4).views();
  views.pop_back();
  EXPECT_EQ(autotune(function, cpuDevice(), views).code(),
            function.launch(cpuDevice(), views).code());
}

TEST(TunedSchedules, ServeTheVariantTheyWereFoundFor) {
  Function function = makeRecurrence("tuned by hand");
  std::shared_ptr<Device> device = cpuDevice();
  RecurrenceTensors small(1, 64, 8), large(1, 4096, 8);
  placeOf(function, device, small.views())
      .store({"#ssm.cpu_schedule<items = 3>", 1e-6});
  EXPECT_EQ(scheduleOf(function, device, small.views()),
            "#ssm.cpu_schedule<items = 3>");
  EXPECT_EQ(scheduleOf(function, device, large.views()).find("items = 3"),
            std::string::npos);
  std::optional<TunedSchedule> found =
      placeOf(function, device, small.views()).find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->seconds, 1e-6);
  placeOf(function, device, small.views()).remove();
  EXPECT_FALSE(placeOf(function, device, small.views()).find());
}

/// The gated scan of Mamba's layer, to whose problems the table that comes with
/// the compiler has rows.
constexpr std::string_view kGatedScan = R"(
func.func @gated(%u: tensor<?x?x?xbf16>, %delta: tensor<?x?x?xbf16>,
                 %z: tensor<?x?x?xbf16>, %A: tensor<?x16xf32>,
                 %B: tensor<?x?x1x16xbf16>, %C: tensor<?x?x1x16xbf16>)
    -> tensor<?x?x?xbf16> {
  %u32 = arith.extf %u : tensor<?x?x?xbf16> to tensor<?x?x?xf32>
  %dt = arith.extf %delta : tensor<?x?x?xbf16> to tensor<?x?x?xf32>
  %z32 = arith.extf %z : tensor<?x?x?xbf16> to tensor<?x?x?xf32>
  %B32 = arith.extf %B : tensor<?x?x1x16xbf16> to tensor<?x?x1x16xf32>
  %C32 = arith.extf %C : tensor<?x?x1x16xbf16> to tensor<?x?x1x16xf32>
  %a, %b = ssm.discretize mamba %dt, %A, %B32, %u32
    : tensor<?x?x?xf32>, tensor<?x16xf32>, tensor<?x?x1x16xf32>,
      tensor<?x?x?xf32> -> tensor<?x?x?x16xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x16xf32>
  %y = ssm.readout %h, %C32
    : tensor<?x?x?x16xf32>, tensor<?x?x1x16xf32> -> tensor<?x?x?xf32>
  %o = ssm.gate silu %y, %z32 : tensor<?x?x?xf32>
  %r = arith.truncf %o : tensor<?x?x?xf32> to tensor<?x?x?xbf16>
  return %r : tensor<?x?x?xbf16>
})";

TEST(Tune, TheTableLeadsUnlessASearchLeavesItOut) {
  ModuleSource source(std::string(kGatedScan), "gated.mlir");
  VariantRequest request;
  request.target = "sm_90";
  request.batch = 8;
  request.length = request.channels = 2048;
  Result<std::vector<std::string>> with =
      source.proposeSchedules("gated", request, true);
  ASSERT_TRUE(with.ok()) << with.status().message();
  Result<std::vector<std::string>> without =
      source.proposeSchedules("gated", request, false);
  ASSERT_TRUE(without.ok()) << without.status().message();
  EXPECT_EQ(std::vector(with->begin() + 1, with->end()), *without);
  // What the compiler takes where no one says anything.
  Result<Artifact> compiled = source.compile("gated", request, {}, {});
  ASSERT_TRUE(compiled.ok()) << compiled.status().message();
  EXPECT_EQ(compiled->schedule, with->front());
  EXPECT_NE(compiled->schedule, without->front());
}

TEST(TunedSchedules, ServeAllWidthsOfRows) {
  Function function = makeRecurrence("tuned rows");
  Result<std::shared_ptr<Device>> simt = Device::open("simt");
  ASSERT_TRUE(simt.ok()) << simt.status().message();
  RecurrenceTensors tensors(2, 64, 64), parent(2, 64, 128);
  std::vector<TensorView> wide = firstColumns(parent, tensors);
  EXPECT_NE(scheduleOf(function, *simt, wide), "#ssm.schedule<items = 5>");
  placeOf(function, *simt, tensors.views())
      .store({"#ssm.schedule<items = 5>", 1e-6});
  function.forget(*simt, tensors.views());
  EXPECT_EQ(scheduleOf(function, *simt, tensors.views()),
            "#ssm.schedule<items = 5>");
  EXPECT_EQ(scheduleOf(function, *simt, wide), "#ssm.schedule<items = 5>");
  placeOf(function, *simt, tensors.views()).remove();
}

TEST(TunedSchedules, ThatFailAreOneWarningAndTheDefault) {
  static int warnings;
  warnings = 0;
  Function function = makeRecurrence("tuned to nothing");
  std::shared_ptr<Device> device = cpuDevice();
  RecurrenceTensors tensors(1, 64, 8);
  TunedSchedules place = placeOf(function, device, tensors.views());
  place.store({"#ssm.cpu_schedule<items = 0>", 1e-6});
  WarningHandler outer = setWarningHandler([](std::string_view message) {
    ++warnings;
    EXPECT_NE(message.find("the tuned one #ssm.cpu_schedule<items = 0>"),
              std::string::npos)
        << message;
  });
  EXPECT_EQ(scheduleOf(function, device, tensors.views()).find("items"),
            std::string::npos);
  EXPECT_TRUE(function.launch(device, tensors.views()).ok());
  setWarningHandler(outer);
  EXPECT_EQ(warnings, 1);
  EXPECT_LT(tensors.maxError(), 1e-6);
  EXPECT_FALSE(place.find());
}

} // namespace
