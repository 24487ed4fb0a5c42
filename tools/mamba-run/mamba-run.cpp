//===- mamba-run.cpp - Run, verify and time a function --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler and the runtime from a shell.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"
#include "tools/io/File.h"
#include "tools/mamba-run/RunOptions.h"
#include "tools/mamba-run/RunReport.h"
#include "tools/problem/TensorFile.h"

#include <cstdio>
#include <fmt/format.h>

using namespace mamba;

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static Status checkOptions(const RunOptions &options) {
  for (const auto &[name, path] : options.outputs)
    MAMBA_RETURN_IF_ERROR(
        checkOutputPath(path).withContext("--output=" + name));
  if (options.graph && !options.time)
    return invalid("--graph is a way to time launches: give --time too");
  if (!options.isReference())
    return Status();
  for (auto [isGiven, flag] :
       {std::pair(options.time, "--time"),
        std::pair(options.verify && !options.grad, "--verify without --grad"),
        std::pair(!options.dump.empty(), "--dump"),
        std::pair(!options.artifact.empty(), "--emit")})
    if (isGiven)
      return invalid(fmt::format("{} needs a compiled kernel: give "
                                 "--device=cpu or --device=cuda:0",
                                 flag));
  return Status();
}

/// The result that an --output flag names, by name or number.
static Result<size_t> findResult(const FunctionInfo &info,
                                 const std::string &name) {
  std::string names;
  for (uint32_t i = 0; i < info.numResults; ++i) {
    const std::string &result = info.tensors[info.numInputs + i].name;
    if (name == result || name == std::to_string(i))
      return i;
    names += (i ? ", " : "") + result;
  }
  return invalid(fmt::format("--output={}=...: @{} has no such result, it has "
                             "{}",
                             name, info.name, names));
}

/// Applies what follows the colon of --output=RESULT:CHANNEL. Channels are the
/// last dimension, as in a recording.
static Status selectChannel(const std::string &channel, TensorOutput &output) {
  int last = output.view.rank - 1;
  if (last < 0)
    return invalid("a tensor of rank 0 has no channels");
  output.mix = channel == "mix";
  if (output.mix)
    return Status();
  MAMBA_ASSIGN_OR_RETURN(int64_t index, parseNumber(channel));
  if (index < 0 || index >= output.view.shape[last])
    return invalid(fmt::format("found channel {}, required 0 to {}, or mix",
                               index, output.view.shape[last] - 1));
  output.view = output.view.slice(last, index, index + 1);
  return Status();
}

static Result<std::vector<TensorOutput>>
planOutputs(const RunOptions &options, const HostProblem &problem) {
  std::vector<TensorOutput> outputs;
  for (const auto &[name, path] : options.outputs) {
    size_t colon = name.find(':');
    MAMBA_ASSIGN_OR_RETURN(size_t index,
                           findResult(problem.info, name.substr(0, colon)));
    TensorOutput output{
        path, problem.info.tensors[problem.info.numInputs + index].name,
        problem.results[index].view()};
    if (colon != std::string::npos)
      MAMBA_RETURN_IF_ERROR(selectChannel(name.substr(colon + 1), output)
                                .withContext("--output=" + name));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

/// Prints one stage of the variant that a run would launch.
static Status dumpStage(const RunOptions &options, const Function &function,
                        VariantRequest request) {
  std::string stages;
  bool isFound = false;
  auto hook = [&](std::string_view stage, std::string_view text) {
    stages += (stages.empty() ? "" : ", ") + std::string(stage);
    if (stage != options.dump)
      return;
    isFound = true;
    print(text);
  };
  Status status = function.compile(request, hook).status();
  // A stage that was reached is of use, above all when a later one fails.
  if (!status.ok() || isFound)
    return status;
  return invalid(fmt::format("--dump={}: no such stage for {}, there are {}",
                             options.dump, options.device, stages));
}

/// The variant that launches of `problem` on `device` would run.
static Result<VariantRequest> requestFor(const RunOptions &options,
                                         const Function &function,
                                         const Device &device,
                                         const HostProblem &problem) {
  std::vector<TensorView> views = problem.views();
  MAMBA_ASSIGN_OR_RETURN(VariantRequest request, function.request(views));
  request.aimAt(device);
  request.schedule = options.schedule;
  request.backend = options.dump == "cuda" ? Backend::Nvrtc : options.backend;
  return request;
}

static Status describeKernel(const RunOptions &options,
                             const Function &function,
                             const std::shared_ptr<Device> &device,
                             const DeviceProblem &tensors, RunReport &report) {
  const DeviceInfo &info = device->info();
  report.device = info.name;
  report.model = info.model;
  report.target = info.target;
  report.driverVersion = info.driverVersion;
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<Kernel> kernel,
      function.kernel(device, tensors.views(), options.launchOptions()));
  report.schedule = kernel->artifact().schedule;
  if (device->isCuda())
    report.backend = kernel->artifact().kind == ImageKind::Ptx ? Backend::Nvptx
                                                               : Backend::Nvrtc;
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<LoadedKernel> loaded, kernel->load());
  for (size_t i = 0; i < kernel->artifact().launches.size(); ++i)
    report.entries.emplace_back(kernel->artifact().launches[i].entry,
                                loaded->entryInfo(i));
  if (options.artifact.empty())
    return Status();
  return writeArtifact(options.artifact, kernel->artifact());
}

/// Sums over a large problem's channels are compared on a smaller one, with the
/// same kernel, unless files say what the problem is.
static Result<Verification> verifyRun(const RunOptions &options,
                                      const Choice &choice,
                                      const std::shared_ptr<Device> &device,
                                      const DeviceProblem &tensors,
                                      const HostProblem &problem) {
  const Function &function = choice.function;
  std::optional<ProblemPart> part =
      partToVerify(function.info(), tensors.views());
  if (!part || !options.inputs.empty())
    return verify(function, problem.inputViews(), problem.resultViews(),
                  {.seed = uint64_t(options.seed)});
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<Kernel> kernel,
      function.kernel(device, tensors.views(), options.launchOptions()));
  return verifyPart(choice, device, *kernel, *part, problem.extents, options);
}

static Status runOnDevice(const RunOptions &options, const Choice &choice,
                          HostProblem &problem, RunReport &report) {
  const Function &function = choice.function;
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         Device::open(options.device));
  if (!options.dump.empty()) {
    MAMBA_ASSIGN_OR_RETURN(VariantRequest request,
                           requestFor(options, function, *device, problem));
    return dumpStage(options, function, std::move(request));
  }
  MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                         DeviceProblem::create(problem, device));
  MAMBA_RETURN_IF_ERROR(
      runOnce(function, device, options.launchOptions(), tensors, problem));
  MAMBA_RETURN_IF_ERROR(
      describeKernel(options, function, device, tensors, report));
  if (options.verify) {
    MAMBA_ASSIGN_OR_RETURN(
        report.verification,
        verifyRun(options, choice, device, tensors, problem));
  }
  if (options.time) {
    MAMBA_ASSIGN_OR_RETURN(
        report.timing, timeLaunches(function, device, options.launchOptions(),
                                    std::move(tensors), problem,
                                    options.repeats, options.graph));
  }
  return Status();
}

/// Compares the gradients that `function` returns with differences of the
/// function that they belong to.
static Result<Verification> verifyGradients(const RunOptions &options,
                                            const Function &function,
                                            const HostProblem &problem) {
  constexpr double kBound = 1e-5;
  MAMBA_ASSIGN_OR_RETURN(std::vector<std::string> names,
                         function.source()->functionNames());
  MAMBA_ASSIGN_OR_RETURN(std::vector<double> errors,
                         function.source()->checkGradients(
                             names.front(), problem.info.name,
                             problem.inputViews(), uint64_t(options.seed)));
  Verification verification;
  for (size_t i = 0; i < errors.size(); ++i) {
    const TensorSpec &spec = problem.info.tensors[problem.info.numInputs + i];
    verification.results.push_back({spec.name, spec.dtype,
                                    problem.results[i].view().numElements(),
                                    errors[i], kBound});
  }
  return verification;
}

static Status runReference(const RunOptions &options, const Function &function,
                           HostProblem &problem, RunReport &report) {
  MAMBA_ASSIGN_OR_RETURN(
      problem.results,
      function.source()->evaluate(problem.info, problem.inputViews()));
  if (options.verify) {
    MAMBA_ASSIGN_OR_RETURN(report.verification,
                           verifyGradients(options, function, problem));
  }
  return Status();
}

//===----------------------------------------------------------------------===//
// Main
//===----------------------------------------------------------------------===//

static Status run(const RunOptions &options) {
  MAMBA_RETURN_IF_ERROR(checkOptions(options));
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(options.file));
  MAMBA_ASSIGN_OR_RETURN(
      Choice choice, chooseFunction(module, options, options.problem.extents));
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem, makeProblem(choice, options));
  MAMBA_RETURN_IF_ERROR(planOutputs(options, problem).status());
  RunReport report;
  report.pair = choice.pair;
  report.file = options.file;
  report.device = options.device;
  if (options.isReference())
    MAMBA_RETURN_IF_ERROR(
        runReference(options, choice.function, problem, report));
  else
    MAMBA_RETURN_IF_ERROR(runOnDevice(options, choice, problem, report));
  if (!options.dump.empty())
    return Status();
  std::string table = report.table(problem);
  print(table);
  MAMBA_ASSIGN_OR_RETURN(std::vector<TensorOutput> outputs,
                         planOutputs(options, problem));
  MAMBA_RETURN_IF_ERROR(writeTensorFiles(outputs, problem.sampleRate));
  if (!options.report.empty())
    MAMBA_RETURN_IF_ERROR(writeFile(options.report, {report.json(problem)}));
  if (report.verification && !report.verification->passed())
    return Status(StatusCode::Internal,
                  "the results differ from the reference by more than the "
                  "bound");
  return Status();
}

int main(int argc, char **argv) {
  RunOptions options;
  return runOnFile(options.commandLine(), argc, argv, options.file,
                   [&] { return run(options); });
}
