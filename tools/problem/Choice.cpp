//===- Choice.cpp - The function that a tool works on ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/problem/Choice.h"

#include "runtime/Validate.h"
#include <fmt/format.h>

#include <algorithm>

using namespace mamba;

std::vector<Flag> ChoiceOptions::flags() {
  return {
      {"function", "NAME", "the function, if the file has several",
       takeText(function)},
      {"grad", "",
       "the gradients of the function: its arguments and the gradients of "
       "its results (dNAME) in, those of its arguments out",
       takeSwitch(grad)},
      {"save", "WHAT",
       "what forward saves for its gradients: none, all (that kernels start "
       "from: the states 32 steps apart), every=STEPS, or a budget such as "
       "64M; without --grad: forward, saving",
       takeText(save)}};
}

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

Flag mamba::backendFlag(Backend &backend) {
  return {"backend", "NAME",
          "nvptx, nvrtc (CUDA C++ by NVIDIA's library), or auto (default: the "
          "one that was tuned, or nvptx)",
          [&backend](std::string_view name) {
            std::optional<Backend> parsed = parseBackend(name);
            if (!parsed)
              return invalid(fmt::format(
                  "found '{}', required nvptx, nvrtc or auto", name));
            backend = *parsed;
            return Status();
          }};
}

/// "64", "64K", "64M", "64G" of bytes.
static Result<int64_t> parseBytes(std::string_view text) {
  int shift = 0;
  for (auto [letter, bits] : {std::pair('K', 10), {'M', 20}, {'G', 30}})
    if (text.ends_with(letter))
      shift = bits;
  Result<int64_t> parsed =
      parseNumber(text.substr(0, text.size() - (shift != 0)));
  if (!parsed.ok())
    return invalid(fmt::format("found '{}', required none, all, every=STEPS or "
                               "a number of bytes",
                               text));
  int64_t number = *parsed;
  if (number < 0 || number > std::numeric_limits<int64_t>::max() >> shift)
    return invalid(fmt::format("found {} bytes, required are 0 to 2^63", text));
  return number << shift;
}

static Result<int64_t> withinBudget(const Module &module,
                                    const ChoiceOptions &options,
                                    Extents extents) {
  MAMBA_ASSIGN_OR_RETURN(int64_t bytes, parseBytes(options.save));
  MAMBA_ASSIGN_OR_RETURN(Function plain, module.function(options.function));
  MAMBA_RETURN_IF_ERROR(addStaticExtents(plain.info(), extents));
  for (Axis axis : {Axis::Batch, Axis::Length, Axis::Channel})
    if (!extents.find(axis))
      return invalid(fmt::format("a budget of bytes needs the extent of {}: "
                                 "give --extents",
                                 toString(axis)));
  return savingWithin(module, options.function, bytes,
                      *extents.find(Axis::Batch), *extents.find(Axis::Length),
                      *extents.find(Axis::Channel));
}

static Result<int64_t> stepsToSave(const Module &module,
                                   const ChoiceOptions &options,
                                   const Extents &extents) {
  std::string_view save = options.save, every = "every=";
  if (save == "none")
    return 0;
  if (save == "all")
    return kFinestSaving;
  if (save.starts_with(every))
    return parseNumber(save.substr(every.size()));
  return withinBudget(module, options, extents);
}

Result<Choice> mamba::chooseFunction(const Module &module,
                                     const ChoiceOptions &options,
                                     const Extents &extents) {
  auto withFlag = [&](Status status) {
    return std::move(status).withContext("--save=" + options.save);
  };
  if (!options.save.empty()) {
    Result<int64_t> every = stepsToSave(module, options, extents);
    if (!every.ok())
      return withFlag(every.status());
    Result<TrainingPair> pair =
        makeTrainingPair(module, options.function, *every);
    if (!pair.ok())
      return withFlag(pair.status());
    Function chosen = options.grad ? pair->backward : pair->forward;
    return Choice{std::move(chosen), std::move(*pair)};
  }
  if (!options.grad) {
    MAMBA_ASSIGN_OR_RETURN(Function function,
                           module.function(options.function));
    return Choice{std::move(function), std::nullopt};
  }
  MAMBA_ASSIGN_OR_RETURN(Module both, module.differentiate(options.function));
  MAMBA_ASSIGN_OR_RETURN(Function function,
                         both.function(both.functionNames().back()));
  return Choice{std::move(function), std::nullopt};
}

const FunctionInfo *Choice::forward() const {
  bool isBackward = pair && function.info().name == pair->backward.info().name;
  return isBackward ? &pair->forward.info() : nullptr;
}

//===----------------------------------------------------------------------===//
// Saved states
//===----------------------------------------------------------------------===//

/// The options without files for inputs that `info` lacks.
static InputOptions optionsFor(const FunctionInfo &info,
                               const InputOptions &options) {
  InputOptions own = options;
  std::erase_if(own.inputs, [&](const auto &entry) {
    auto inputs = std::span(info.tensors).first(info.numInputs);
    return std::ranges::none_of(inputs, [&](const TensorSpec &spec) {
      return spec.name == entry.first;
    });
  });
  return own;
}

/// What forward computes, on the CPU.
static Result<HostProblem> runForward(const Function &forward,
                                      const InputOptions &options) {
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem,
                         makeProblem(forward.info(), options));
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> cpu, Device::open("cpu"));
  std::vector<TensorView> views = problem.views();
  MAMBA_RETURN_IF_ERROR(forward.launch(cpu, views));
  MAMBA_RETURN_IF_ERROR(cpu->synchronize());
  return problem;
}

Result<HostProblem> mamba::makeProblem(const Choice &choice,
                                       const InputOptions &given) {
  const FunctionInfo &info = choice.function.info();
  const FunctionInfo *forwardInfo = choice.forward();
  InputOptions options = given;
  MAMBA_ASSIGN_OR_RETURN(options.problem,
                         given.problem.forFunction(info, forwardInfo));
  if (!forwardInfo || choice.pair->numSaved == 0)
    return makeProblem(info, options);
  const TrainingPair &pair = *choice.pair;
  InputOptions own = optionsFor(info, options);
  InputOptions ofForward = optionsFor(*forwardInfo, given);
  MAMBA_ASSIGN_OR_RETURN(ofForward.problem,
                         given.problem.forFunction(*forwardInfo, &info));
  // What neither of them takes is an error, which makeProblem knows.
  for (const auto &[name, path] : options.inputs)
    if (!own.inputs.contains(name) && !ofForward.inputs.contains(name))
      own.inputs[name] = path;
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem, makeProblem(info, own));
  MAMBA_ASSIGN_OR_RETURN(HostProblem forward,
                         runForward(pair.forward, ofForward));
  for (uint32_t i = 0; i < pair.numSaved; ++i)
    problem.inputs[info.numInputs - pair.numSaved + i] =
        std::move(forward.results[forward.results.size() - pair.numSaved + i]);
  return problem;
}
