//===- HostProblem.cpp - A run's tensors in host memory -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Files first, since they tell extents; then everything that is made.
//
//===----------------------------------------------------------------------===//

#include "tools/problem/HostProblem.h"

#include "runtime/DType.h"
#include "runtime/Validate.h"
#include "tools/io/Random.h"
#include "tools/problem/TensorFile.h"

#include <fmt/format.h>
#include <optional>

using namespace mamba;

std::vector<Flag> InputOptions::flags() {
  std::vector<Flag> all = {
      {"input", "NAME=FILE",
       ".npy, .safetensors:KEY, .wav, .raw, .f32 or .s16; repeatable",
       takePair(inputs)},
      {"random", "", "seeded random values for the inputs without a file",
       takeSwitch(random)},
      {"seed", "N", "of the random values (default 0)", takeNumber(seed, 0)}};
  for (Flag &flag : problem.flags())
    all.push_back(std::move(flag));
  return all;
}

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static Status checkNames(const FunctionInfo &info,
                         const InputOptions &options) {
  for (const auto &[name, path] : options.inputs) {
    std::string names;
    bool isKnown = false;
    for (uint32_t i = 0; i < info.numInputs; ++i) {
      isKnown |= info.tensors[i].name == name;
      names += (i ? ", " : "") + info.tensors[i].name;
    }
    if (!isKnown)
      return invalid(fmt::format("--input={}={}: @{} has no such input, it has "
                                 "{}",
                                 name, path, info.name, names));
  }
  return Status();
}

/// The view with dimensions of one element before its own, up to `rank`.
static TensorView withRank(const TensorView &view, int rank) {
  TensorView result = view;
  while (result.rank < rank) {
    std::vector<int64_t> shape = {1}, strides = {0};
    shape.insert(shape.end(), result.shape, result.shape + result.rank);
    strides.insert(strides.end(), result.strides, result.strides + result.rank);
    result = TensorView(result.data, result.dtype, shape, strides);
  }
  return result;
}

/// What a file has, as the input that it is for: a recording (length,
/// channels) is a batch of one.
static Result<TensorView> fitInput(const TensorView &found,
                                   const TensorSpec &spec) {
  auto rank = static_cast<int>(spec.dims.size());
  if (found.dtype != spec.dtype)
    return invalid(fmt::format("found {}, required are elements of type {}",
                               found.describe(), toString(spec.dtype)));
  if (found.rank > rank || rank - found.rank > 1)
    return invalid(fmt::format("found {}, required are {} dimensions {}",
                               found.describe(), rank, axesOf(spec)));
  return withRank(found, rank);
}

static Status addFileExtents(const TensorView &view, const TensorSpec &spec,
                             const ProblemOptions &options, Extents &extents) {
  for (int dim = 0; dim < view.rank; ++dim) {
    const DimSpec &dimSpec = spec.dims[dim];
    // What is stored once along an axis doesn't tell the axis' extent.
    if (view.shape[dim] == 1 && options.isBroadcast(spec, dimSpec.axis))
      continue;
    if (dimSpec.extent != kDynamic && dimSpec.extent != view.shape[dim])
      return invalid(fmt::format(
          "found {}, required is extent {} in dimension {} ({})",
          view.describe(), dimSpec.extent, dim, letterOf(dimSpec.axis)));
    if (dimSpec.tellsAxis())
      MAMBA_RETURN_IF_ERROR(extents.set(dimSpec.axis, view.shape[dim],
                                        fmt::format("input '{}'", spec.name)));
  }
  return Status();
}

/// A copy of `found` in the memory that the options ask for.
static Result<HostTensor> copyPlaced(const TensorView &found,
                                     const TensorSpec &spec,
                                     const ProblemOptions &options,
                                     const Extents &extents) {
  MAMBA_ASSIGN_OR_RETURN(std::vector<int64_t> shape, shapeOf(spec, extents));
  MAMBA_ASSIGN_OR_RETURN(Placement placement, options.place(spec, shape));
  MAMBA_ASSIGN_OR_RETURN(HostTensor tensor,
                         HostTensor::create(spec.dtype, shape,
                                            placement.strides,
                                            placement.offset));
  auto *base = static_cast<const std::byte *>(found.data);
  forEachIndex(shape, [&](std::span<const int64_t> index) {
    int64_t offset = 0;
    for (size_t dim = 0; dim < index.size(); ++dim)
      if (found.shape[dim] != 1)
        offset += index[dim] * found.strides[dim];
    tensor.set(index,
               readElement(base + offset * byteSize(spec.dtype), spec.dtype));
  });
  return tensor;
}

//===----------------------------------------------------------------------===//
// Everything
//===----------------------------------------------------------------------===//

static Result<HostTensor> makeEmpty(const TensorSpec &spec,
                                    const ProblemOptions &options,
                                    const Extents &extents) {
  MAMBA_ASSIGN_OR_RETURN(std::vector<int64_t> shape, shapeOf(spec, extents));
  MAMBA_ASSIGN_OR_RETURN(Placement placement, options.place(spec, shape));
  Result<HostTensor> tensor = HostTensor::create(
      spec.dtype, shape, placement.strides, placement.offset);
  if (!tensor.ok())
    return tensor.status().withContext(fmt::format("tensor '{}'", spec.name));
  return tensor;
}

static Result<HostTensor> makeInput(const TensorSpec &spec,
                                    std::optional<LoadedTensor> &loaded,
                                    const InputOptions &options,
                                    const HostProblem &problem) {
  if (loaded) {
    MAMBA_ASSIGN_OR_RETURN(TensorView view,
                           fitInput(loaded->tensor.view(), spec));
    bool isAsStored = view.rank == loaded->tensor.view().rank &&
                      !options.problem.mentions(spec);
    if (isAsStored)
      return std::move(loaded->tensor);
    return copyPlaced(view, spec, options.problem, problem.extents);
  }
  if (!options.random)
    return invalid(fmt::format("input '{}' of @{} has no value: give "
                               "--input={}=FILE, or --random for all without",
                               spec.name, problem.info.name, spec.name));
  MAMBA_ASSIGN_OR_RETURN(HostTensor tensor,
                         makeEmpty(spec, options.problem, problem.extents));
  auto rank = static_cast<int>(spec.dims.size());
  fillRandom(tensor, presetFor(spec.name, rank, problem.info.hasSoftplus),
             static_cast<uint64_t>(options.seed), spec.name);
  return tensor;
}

static Result<std::vector<std::optional<LoadedTensor>>>
loadInputs(const FunctionInfo &info, const InputOptions &options,
           HostProblem &problem) {
  std::vector<std::optional<LoadedTensor>> loaded(info.numInputs);
  for (uint32_t i = 0; i < info.numInputs; ++i) {
    const TensorSpec &spec = info.tensors[i];
    auto path = options.inputs.find(spec.name);
    if (path == options.inputs.end())
      continue;
    MAMBA_ASSIGN_OR_RETURN(loaded[i], readTensorFile(path->second));
    auto context = [&](Status status) {
      return std::move(status).withContext(
          fmt::format("--input={}={}", spec.name, path->second));
    };
    Result<TensorView> view = fitInput(loaded[i]->tensor.view(), spec);
    if (!view.ok())
      return context(view.status());
    MAMBA_RETURN_IF_ERROR(
        context(addFileExtents(*view, spec, options.problem, problem.extents)));
    if (problem.sampleRate == 0)
      problem.sampleRate = loaded[i]->sampleRate;
  }
  return loaded;
}

Result<HostProblem> mamba::makeProblem(const FunctionInfo &info,
                                       const InputOptions &given) {
  HostProblem problem;
  problem.info = info;
  problem.extents = given.problem.extents;
  InputOptions options = given;
  MAMBA_RETURN_IF_ERROR(checkNames(info, options));
  MAMBA_ASSIGN_OR_RETURN(options.problem, given.problem.forFunction(info));
  MAMBA_RETURN_IF_ERROR(addStaticExtents(info, problem.extents));
  MAMBA_ASSIGN_OR_RETURN(auto loaded, loadInputs(info, options, problem));
  for (uint32_t i = 0; i < info.numInputs; ++i) {
    MAMBA_ASSIGN_OR_RETURN(
        HostTensor input,
        makeInput(info.tensors[i], loaded[i], options, problem));
    problem.inputs.push_back(std::move(input));
  }
  for (uint32_t i = 0; i < info.numResults; ++i) {
    MAMBA_ASSIGN_OR_RETURN(HostTensor result,
                           makeEmpty(info.tensors[info.numInputs + i],
                                     options.problem, problem.extents));
    problem.results.push_back(std::move(result));
  }
  return problem;
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

std::vector<TensorView> HostProblem::inputViews() const {
  return viewsOf(inputs);
}

std::vector<TensorView> HostProblem::resultViews() const {
  return viewsOf(results);
}

std::vector<TensorView> HostProblem::views() const {
  std::vector<TensorView> all = inputViews();
  for (const HostTensor &result : results)
    all.push_back(result.view());
  return all;
}

static int64_t distinctBytes(const TensorView &view) {
  int64_t bytes = byteSize(view.dtype);
  for (int dim = 0; dim < view.rank; ++dim)
    if (view.strides[dim] != 0 || view.shape[dim] == 0)
      bytes *= view.shape[dim];
  return bytes;
}

int64_t HostProblem::bytes() const {
  int64_t bytes = 0;
  for (const HostTensor &input : inputs)
    bytes += distinctBytes(input.view());
  for (const HostTensor &result : results)
    bytes += distinctBytes(result.view());
  return bytes;
}

double HostProblem::exponentials() const {
  double count = 0;
  for (uint8_t axes : info.exponentials) {
    double points = 1;
    for (Axis axis :
         {Axis::Batch, Axis::Length, Axis::Channel, Axis::State, Axis::Group}) {
      bool runsOver = axes >> static_cast<unsigned>(axis) & 1;
      // A group's value is one of its channels' values.
      bool isCounted = axis != Axis::Group ||
                       !(axes >> static_cast<unsigned>(Axis::Channel) & 1);
      if (runsOver && isCounted)
        points *= static_cast<double>(extents.find(axis).value_or(1));
    }
    count += points;
  }
  return count;
}
