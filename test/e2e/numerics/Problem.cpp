//===- Problem.cpp - The tensors of a case --------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A case's memory is said in the words of mamba-run's flags: --layout, --pad,
// --offset and --broadcast.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Problem.h"

#include "tools/io/Random.h"
#include "tools/problem/GuardedInput.h"
#include "tools/problem/Problem.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

using namespace mamba;
using namespace mamba::numerics;

//===----------------------------------------------------------------------===//
// Extents and memory
//===----------------------------------------------------------------------===//

static Status setExtents(const Case &test, Extents &extents) {
  for (auto [axis, key] :
       {std::pair(Axis::Batch, "B"), std::pair(Axis::Length, "L"),
        std::pair(Axis::Channel, "D")})
    MAMBA_RETURN_IF_ERROR(extents.set(axis, test.number(key), "the case"));
  return Status();
}

/// True for inputs of the layer that change with (b, l, d).
static bool isActivation(const TensorSpec &spec) {
  return spec.dims.size() == 3 && spec.dims[1].axis == Axis::Length &&
         spec.dims[1].tellsAxis();
}

static ProblemOptions memoryOf(const Case &test, const FunctionInfo &info) {
  ProblemOptions options;
  options.orders = {std::string(test.get("order")),
                    std::string(test.is("bc", "bgnl") ? "bgnl" : "blgn")};
  std::string axis(test.get("broadcast"));
  for (size_t i = 0; i < info.tensors.size(); ++i) {
    const TensorSpec &spec = info.tensors[i];
    options.pads[spec.name] = test.get("pad");
    options.offsets[spec.name] = test.get("offset");
    bool isInput = i < info.numInputs;
    // One of the inputs stays whole: all sequences alike would hide mistakes.
    if (isInput && axis != "none" && isActivation(spec) && spec.name != "u")
      options.broadcasts[spec.name] = axis;
  }
  return options;
}

/// A tensor of `spec`, NaN throughout.
static Result<HostTensor> makeTensor(const Case &test, const TensorSpec &spec,
                                     const ProblemOptions &options,
                                     const Extents &extents) {
  MAMBA_ASSIGN_OR_RETURN(std::vector<int64_t> shape, shapeOf(spec, extents));
  MAMBA_ASSIGN_OR_RETURN(Placement placement, options.place(spec, shape));
  for (int64_t &stride : placement.strides)
    stride *= test.number("spacing");
  MAMBA_ASSIGN_OR_RETURN(HostTensor tensor,
                         HostTensor::create(spec.dtype, shape,
                                            placement.strides,
                                            placement.offset));
  tensor.fillNaN();
  return tensor;
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static RandomFill fillFor(const Case &test, const FunctionInfo &info,
                          const TensorSpec &spec) {
  using Kind = RandomFill::Kind;
  std::string_view name = spec.name;
  if (name == "delta" && test.is("fill", "large"))
    return {Kind::Uniform, 15, 60}; // Beyond softplus' 20; decays underflow.
  if (name == "delta" && test.is("fill", "small"))
    return {Kind::Uniform, -16, -6};
  // A constant decay near 1 gathers its rounding over 1 / (1 - a) steps; in
  // fp32 these are the slowest that keep the bound.
  bool isConstant = test.is("body", "lti") || test.is("broadcast", "l");
  if (name == "delta" && isConstant && !info.hasSoftplus)
    return {Kind::Uniform, 0.02, 0.1};
  // 1 + delta A must stay within the unit circle.
  if ((name == "A" || name == "A2") && test.is("rule", "euler"))
    return {Kind::Uniform, isConstant ? -2.0 : -1.0, isConstant ? -1.0 : -0.1};
  if (name == "A2")
    return {Kind::Decay};
  return presetFor(name, static_cast<int>(spec.dims.size()), info.hasSoftplus);
}

Result<HostProblem> numerics::makeProblem(const Case &test,
                                          const FunctionInfo &info) {
  HostProblem problem;
  problem.info = info;
  Extents extents;
  MAMBA_RETURN_IF_ERROR(setExtents(test, extents));
  MAMBA_RETURN_IF_ERROR(addStaticExtents(info, extents));
  ProblemOptions options = memoryOf(test, info);
  for (size_t i = 0; i < info.tensors.size(); ++i) {
    const TensorSpec &spec = info.tensors[i];
    MAMBA_ASSIGN_OR_RETURN(HostTensor tensor,
                           makeTensor(test, spec, options, extents));
    if (i >= info.numInputs) {
      problem.results.push_back(std::move(tensor));
      continue;
    }
    fillRandom(tensor, fillFor(test, info, spec),
               static_cast<uint64_t>(test.number("seed")), spec.name);
    problem.inputs.push_back(std::move(tensor));
  }
  return problem;
}

std::vector<TensorView> HostProblem::inputViews() const {
  return viewsOf(inputs);
}

std::vector<TensorView> HostProblem::resultViews() const {
  return viewsOf(results);
}

HostTensor *HostProblem::find(std::string_view name) {
  for (size_t i = 0; i < info.tensors.size(); ++i)
    if (info.tensors[i].name == name)
      return i < inputs.size() ? &inputs[i] : &results[i - inputs.size()];
  return nullptr;
}

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

/// Fails if the device's copy of an input is no longer what it was.
static Status checkUnchanged(const DeviceTensor &copy, const HostTensor &input,
                             const std::string &name) {
  HostTensor found = input.clone();
  MAMBA_RETURN_IF_ERROR(copy.copyTo(found));
  std::span<const std::byte> before = input.bytes();
  std::span<const std::byte> after = std::as_const(found).bytes();
  if (std::equal(before.begin(), before.end(), after.begin(), after.end()))
    return Status();
  return Status(StatusCode::Internal,
                fmt::format("the kernel changed input '{}'", name));
}

Status DeviceProblem::fetch(HostProblem &problem) const {
  const std::vector<TensorSpec> &specs = problem.info.tensors;
  for (size_t i = 0; i < inputs.size(); ++i)
    MAMBA_RETURN_IF_ERROR(
        checkUnchanged(inputs[i], problem.inputs[i], specs[i].name));
  for (size_t i = 0; i < results.size(); ++i)
    MAMBA_RETURN_IF_ERROR(
        results[i].fetch(problem.results[i], specs[inputs.size() + i].name));
  return Status();
}
