//===- Execution.cpp - A problem on a device ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same code for the CPU and for CUDA.
//
//===----------------------------------------------------------------------===//

#include "tools/mamba-run/Execution.h"

#include "tools/problem/GuardedInput.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

using namespace mamba;

//===----------------------------------------------------------------------===//
// DeviceProblem
//===----------------------------------------------------------------------===//

Result<DeviceProblem>
DeviceProblem::create(const HostProblem &problem,
                      const std::shared_ptr<Device> &device) {
  DeviceProblem result;
  for (const HostTensor &input : problem.inputs) {
    MAMBA_ASSIGN_OR_RETURN(DeviceTensor copy, copyGuarded(input, device));
    result.inputs.push_back(std::move(copy));
  }
  for (const HostTensor &host : problem.results) {
    MAMBA_ASSIGN_OR_RETURN(GuardedResult guarded,
                           GuardedResult::create(host, device));
    result.results.push_back(std::move(guarded));
  }
  return result;
}

std::vector<TensorView> DeviceProblem::views() const {
  std::vector<TensorView> views;
  for (const DeviceTensor &input : inputs)
    views.push_back(input.view());
  for (const GuardedResult &result : results)
    views.push_back(result.view());
  return views;
}

Status mamba::runOnce(const Function &function,
                      const std::shared_ptr<Device> &device,
                      std::string_view schedule, const DeviceProblem &tensors,
                      HostProblem &problem) {
  LaunchOptions options;
  options.schedule = schedule;
  MAMBA_RETURN_IF_ERROR(function.launch(device, tensors.views(), options));
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  for (size_t i = 0; i < problem.results.size(); ++i)
    MAMBA_RETURN_IF_ERROR(tensors.results[i].fetch(
        problem.results[i],
        problem.info.tensors[problem.info.numInputs + i].name));
  return Status();
}

//===----------------------------------------------------------------------===//
// Timing
//===----------------------------------------------------------------------===//

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Launches that take turns with copies of a problem's tensors.
struct Rotation {
  std::shared_ptr<Kernel> kernel;
  std::shared_ptr<Device> device;
  std::vector<DeviceProblem> problems;
  std::vector<std::vector<TensorView>> views;
  size_t next = 0;

  Status launch(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      MAMBA_RETURN_IF_ERROR(kernel->launch(views[next]));
      next = (next + 1) % views.size();
    }
    return Status();
  }

  /// Seconds of one launch, from a measurement of `count`.
  Result<double> measure(int64_t count) {
    MAMBA_ASSIGN_OR_RETURN(double millis, device->timeMillis(nullptr, [&] {
      return launch(count);
    }));
    return millis * 1e-3 / static_cast<double>(count);
  }
};

} // namespace

/// Seconds of launches before measuring, so that clocks and caches settle.
static constexpr double kWarmUpSeconds = 0.1;
/// Seconds that one measurement takes at least: events tick in half
/// microseconds, and the first of a row of launches waits for its call.
static constexpr double kMeasureSeconds = 2e-3;

static Result<Rotation> makeRotation(const Function &function,
                                     const std::shared_ptr<Device> &device,
                                     std::string_view schedule,
                                     DeviceProblem tensors,
                                     const HostProblem &problem) {
  Rotation rotation;
  rotation.device = device;
  int64_t bytes = std::max<int64_t>(problem.bytes(), 1);
  int64_t copies =
      std::clamp<int64_t>(2 * device->info().l2Bytes / bytes + 1, 1, 256);
  rotation.problems.push_back(std::move(tensors));
  while (static_cast<int64_t>(rotation.problems.size()) < copies) {
    MAMBA_ASSIGN_OR_RETURN(DeviceProblem copy,
                           DeviceProblem::create(problem, device));
    rotation.problems.push_back(std::move(copy));
  }
  for (const DeviceProblem &one : rotation.problems)
    rotation.views.push_back(one.views());
  MAMBA_ASSIGN_OR_RETURN(
      rotation.kernel,
      function.kernel(device, rotation.views.front(), schedule));
  return rotation;
}

/// Host seconds of a launch call: the whole of Function::launch().
static Result<double> measureCalls(const Function &function,
                                   std::string_view schedule,
                                   Rotation &rotation) {
  constexpr int kCalls = 64; // Fewer than a stream's queue holds.
  LaunchOptions options;
  options.schedule = schedule;
  MAMBA_RETURN_IF_ERROR(rotation.device->synchronize());
  Clock::time_point start = Clock::now();
  for (int i = 0; i < kCalls; ++i)
    MAMBA_RETURN_IF_ERROR(
        function.launch(rotation.device, rotation.views.front(), options));
  double seconds = secondsSince(start) / kCalls;
  MAMBA_RETURN_IF_ERROR(rotation.device->synchronize());
  return seconds;
}

Result<Timing> mamba::timeLaunches(const Function &function,
                                   const std::shared_ptr<Device> &device,
                                   std::string_view schedule,
                                   DeviceProblem tensors,
                                   const HostProblem &problem,
                                   int64_t repeats) {
  MAMBA_ASSIGN_OR_RETURN(
      Rotation rotation,
      makeRotation(function, device, schedule, std::move(tensors), problem));
  MAMBA_ASSIGN_OR_RETURN(double estimate, rotation.measure(1));
  Clock::time_point start = Clock::now();
  do {
    MAMBA_ASSIGN_OR_RETURN(estimate, rotation.measure(1));
  } while (secondsSince(start) < kWarmUpSeconds);
  int64_t count = std::clamp<int64_t>(
      static_cast<int64_t>(kMeasureSeconds / std::max(estimate, 1e-9)), 1,
      1000);
  std::vector<double> seconds;
  for (int64_t i = 0; i < repeats; ++i) {
    MAMBA_ASSIGN_OR_RETURN(double one, rotation.measure(count));
    seconds.push_back(one);
  }
  Timing timing;
  timing.repeats = repeats;
  timing.copies = static_cast<int64_t>(rotation.views.size());
  std::sort(seconds.begin(), seconds.end());
  timing.minSeconds = seconds.front();
  timing.medianSeconds = seconds[seconds.size() / 2];
  if (device->isCuda()) {
    MAMBA_ASSIGN_OR_RETURN(timing.launchSeconds,
                           measureCalls(function, schedule, rotation));
  }
  return timing;
}
