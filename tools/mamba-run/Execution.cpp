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
#include <limits>

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

static Status fetchResults(const std::shared_ptr<Device> &device,
                           const DeviceProblem &tensors, HostProblem &problem) {
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  for (size_t i = 0; i < problem.results.size(); ++i)
    MAMBA_RETURN_IF_ERROR(tensors.results[i].fetch(
        problem.results[i],
        problem.info.tensors[problem.info.numInputs + i].name));
  return Status();
}

Status mamba::runOnce(const Function &function,
                      const std::shared_ptr<Device> &device,
                      const LaunchOptions &options,
                      const DeviceProblem &tensors, HostProblem &problem) {
  MAMBA_RETURN_IF_ERROR(function.launch(device, tensors.views(), options));
  return fetchResults(device, tensors, problem);
}

/// Inputs of the part, with the strides that the whole problem has within a
/// sequence: they may be constants of the kernel.
static Result<InputOptions> optionsFor(const ProblemPart &part,
                                       const Extents &whole,
                                       const InputOptions &options) {
  constexpr const char *kSource = "the part to verify";
  InputOptions smaller = options;
  Extents &extents = smaller.problem.extents = {};
  MAMBA_RETURN_IF_ERROR(extents.set(Axis::Batch, part.batch, kSource));
  MAMBA_RETURN_IF_ERROR(extents.set(Axis::Length, part.length, kSource));
  MAMBA_RETURN_IF_ERROR(extents.set(Axis::Channel, part.channels, kSource));
  Extents &room = smaller.problem.room.emplace();
  for (Axis axis : {Axis::Batch, Axis::Channel, Axis::State, Axis::Group})
    if (std::optional<int64_t> extent = whole.find(axis))
      MAMBA_RETURN_IF_ERROR(room.set(axis, *extent, kSource));
  MAMBA_RETURN_IF_ERROR(room.set(Axis::Length, part.length, kSource));
  return smaller;
}

Result<Verification> mamba::verifyPart(const Choice &choice,
                                       const std::shared_ptr<Device> &device,
                                       Kernel &kernel, const ProblemPart &part,
                                       const Extents &whole,
                                       const InputOptions &options) {
  MAMBA_ASSIGN_OR_RETURN(InputOptions smaller,
                         optionsFor(part, whole, options));
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem, makeProblem(choice, smaller));
  MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                         DeviceProblem::create(problem, device));
  MAMBA_RETURN_IF_ERROR(kernel.launch(tensors.views()));
  MAMBA_RETURN_IF_ERROR(fetchResults(device, tensors, problem));
  VerifyOptions everything;
  everything.maxPoints = std::numeric_limits<int64_t>::max();
  MAMBA_ASSIGN_OR_RETURN(Verification verification,
                         verify(choice.function, problem.inputViews(),
                                problem.resultViews(), everything));
  verification.part = part;
  return verification;
}

//===----------------------------------------------------------------------===//
// Timing
//===----------------------------------------------------------------------===//

namespace {

/// A problem's tensors, and copies of them.
struct Rotation {
  std::vector<DeviceProblem> problems;
  std::vector<std::vector<TensorView>> views;
};

} // namespace

static Result<Rotation> makeRotation(const std::shared_ptr<Device> &device,
                                     DeviceProblem tensors,
                                     const HostProblem &problem) {
  Rotation rotation;
  auto copies = static_cast<size_t>(
      LaunchTimer::setsFor(device->info(), problem.bytes()));
  rotation.problems.push_back(std::move(tensors));
  while (rotation.problems.size() < copies) {
    MAMBA_ASSIGN_OR_RETURN(DeviceProblem copy,
                           DeviceProblem::create(problem, device));
    rotation.problems.push_back(std::move(copy));
  }
  for (const DeviceProblem &one : rotation.problems)
    rotation.views.push_back(one.views());
  return rotation;
}

/// Host seconds of a launch call: the whole of Function::launch().
static Result<double> measureCalls(const Function &function,
                                   const std::shared_ptr<Device> &device,
                                   const LaunchOptions &options,
                                   std::span<const TensorView> tensors) {
  using Clock = std::chrono::steady_clock;
  constexpr int kCalls = 64; // Fewer than a stream's queue holds.
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  Clock::time_point start = Clock::now();
  for (int i = 0; i < kCalls; ++i)
    MAMBA_RETURN_IF_ERROR(function.launch(device, tensors, options));
  std::chrono::duration<double> spent = Clock::now() - start;
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  return spent.count() / kCalls;
}

Result<Timing> mamba::timeLaunches(const Function &function,
                                   const std::shared_ptr<Device> &device,
                                   const LaunchOptions &options,
                                   DeviceProblem tensors,
                                   const HostProblem &problem, int64_t repeats,
                                   bool inGraph) {
  MAMBA_ASSIGN_OR_RETURN(Rotation rotation,
                         makeRotation(device, std::move(tensors), problem));
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<Kernel> kernel,
      function.kernel(device, rotation.views.front(), options));
  LaunchTimer timer(std::move(kernel), rotation.views);
  if (inGraph)
    MAMBA_RETURN_IF_ERROR(timer.useGraphs().withContext("--graph"));
  MAMBA_ASSIGN_OR_RETURN(Timing timing, timer.time(repeats));
  if (device->isCuda()) {
    MAMBA_ASSIGN_OR_RETURN(
        timing.launchSeconds,
        measureCalls(function, device, options, rotation.views.front()));
  }
  return timing;
}
