//===- mamba-translate.cpp - Functions to code, without a device ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes what a function becomes for a target: a stage of the compiler as text,
// an object, or the artifact that the runtime loads without a compiler.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"
#include "runtime/ThreadPool.h"
#include "runtime/cuda/Nvrtc.h"
#include "tools/io/File.h"
#include "tools/problem/Choice.h"
#include "tools/problem/Problem.h"

#include <cstdio>
#include <fmt/format.h>

using namespace mamba;

namespace {

struct TranslateOptions : ChoiceOptions {
  std::string file;
  std::string to;
  std::string target = "cpu";
  std::string output;
  std::string schedule;
  Backend backend = Backend::Auto;
  ProblemOptions problem;

  bool wantsArtifact() const {
    return to == "artifact" || to == "object" || to == "cubin";
  }
  /// Compiled from CUDA C++.
  bool wantsNvrtc() const {
    return backend == Backend::Nvrtc || to == "cubin" || to == "cuda";
  }
  CommandLine commandLine();
};

} // namespace

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

CommandLine TranslateOptions::commandLine() {
  CommandLine line{"mamba-translate",
                   "Compiles a function of an MLIR file; no device is needed.",
                   "FILE.mlir --to=FORMAT",
                   {}};
  line.flags = {
      {"to", "FORMAT",
       "ptx, cuda (C++), cubin, asm, llvm, simt, object, artifact, or an "
       "earlier stage: model, fused, schedule, gpu, cpu",
       takeText(to)},
      {"ssm-to-cuda", "", "the same as --to=cuda",
       [this](std::string_view) {
         to = "cuda";
         return Status();
       }},
      backendFlag(backend),
      {"target", "TARGET",
       "cpu (default: this machine's), such as sm_90, or simt-sm_90 (sm_90's "
       "code for the simt device)",
       takeText(target)},
      {"o", "FILE", "where to write (default: standard output)",
       takeText(output)},
      {"schedule", "ATTRIBUTE",
       "#ssm.schedule<...> or #ssm.cpu_schedule<...> for the default one",
       takeText(schedule)}};
  for (auto flags : {ChoiceOptions::flags(), problem.flags()})
    line.flags.insert(line.flags.end(), flags.begin(), flags.end());
  return line;
}

//===----------------------------------------------------------------------===//
// Assumptions
//===----------------------------------------------------------------------===//

/// Addresses that lie far apart and are aligned as allocators align: layouts
/// are deduced from addresses, and nothing is read.
static void *pretendAddress(size_t index) {
  return reinterpret_cast<void *>((index + 1) << 52);
}

/// What a launch with the given extents and memory would compile.
static Result<VariantRequest> requestForExtents(const Function &function,
                                                const ProblemOptions &problem,
                                                const Extents &extents) {
  const FunctionInfo &info = function.info();
  std::vector<TensorView> views;
  for (size_t i = 0; i < info.tensors.size(); ++i) {
    const TensorSpec &spec = info.tensors[i];
    MAMBA_ASSIGN_OR_RETURN(std::vector<int64_t> shape, shapeOf(spec, extents));
    MAMBA_ASSIGN_OR_RETURN(Placement placement, problem.place(spec, shape));
    auto *base = static_cast<std::byte *>(pretendAddress(i));
    views.emplace_back(base + placement.offset * byteSize(spec.dtype),
                       spec.dtype, shape, placement.strides);
  }
  return function.request(views);
}

/// Without extents only the unit dimensions are known.
static Result<VariantRequest> requestForOrders(const Function &function,
                                               const ProblemOptions &problem) {
  VariantRequest request;
  for (const TensorSpec &spec : function.info().tensors) {
    std::vector<int64_t> shape(spec.dims.size(), 2);
    MAMBA_ASSIGN_OR_RETURN(Placement placement, problem.place(spec, shape));
    LayoutSpec layout{-1, static_cast<uint8_t>(byteSize(spec.dtype))};
    for (size_t dim = 0; dim < shape.size(); ++dim)
      if (placement.strides[dim] == 1)
        layout.unitDim = static_cast<int8_t>(dim);
    request.layouts.push_back(layout);
  }
  return request;
}

static Result<VariantRequest> makeRequest(const Function &function,
                                          const TranslateOptions &options) {
  const FunctionInfo &info = function.info();
  MAMBA_RETURN_IF_ERROR(options.problem.check(info));
  Extents extents = options.problem.extents;
  bool hasExtents = !extents.list().empty();
  MAMBA_RETURN_IF_ERROR(addStaticExtents(info, extents));
  Result<VariantRequest> request =
      hasExtents ? requestForExtents(function, options.problem, extents)
                 : requestForOrders(function, options.problem);
  if (!request.ok())
    return request;
  request->target = options.target;
  request->threads =
      options.target == "cpu" ? ThreadPool::global().numThreads() : 0;
  request->schedule = options.schedule;
  if (options.wantsNvrtc() && options.target != "cpu")
    request->backend = Backend::Nvrtc;
  return request;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static Status write(const TranslateOptions &options, std::string_view bytes) {
  if (!options.output.empty())
    return writeFile(options.output, {bytes});
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
      std::fflush(stdout) == 0)
    return Status();
  return Status(StatusCode::IoError, "standard output can't be written");
}

static Status writeStage(const TranslateOptions &options,
                         const Function &function,
                         const VariantRequest &request) {
  std::string stages, text;
  bool isFound = false;
  auto hook = [&](std::string_view stage, std::string_view shown) {
    stages += (stages.empty() ? "" : ", ") + std::string(stage);
    if (stage != options.to)
      return;
    isFound = true;
    text = shown;
  };
  Result<Artifact> artifact = function.compile(request, hook);
  if (artifact.ok() && artifact->kind == ImageKind::Cuda &&
      options.to == "ptx") {
    MAMBA_ASSIGN_OR_RETURN(const cuda::Nvrtc *nvrtc, cuda::Nvrtc::get());
    MAMBA_ASSIGN_OR_RETURN(
        cuda::CudaCode code,
        nvrtc->compile(artifact->image, artifact->name, artifact->target));
    return write(options, code.ptx);
  }
  Status status = artifact.status();
  if (isFound)
    MAMBA_RETURN_IF_ERROR(write(options, text));
  if (!status.ok() || isFound)
    return status;
  return invalid(fmt::format("--to={}: no such format for target {}, there "
                             "are {}, object and artifact",
                             options.to, options.target, stages));
}

static Status translate(const TranslateOptions &options) {
  if (options.to.empty())
    return invalid("--to=FORMAT is required; 'mamba-translate --help' shows "
                   "which there are");
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(options.file));
  MAMBA_ASSIGN_OR_RETURN(
      Choice choice, chooseFunction(module, options, options.problem.extents));
  const Function &function = choice.function;
  MAMBA_ASSIGN_OR_RETURN(VariantRequest request,
                         makeRequest(function, options));
  if (!options.wantsArtifact())
    return writeStage(options, function, request);
  MAMBA_ASSIGN_OR_RETURN(Artifact compiled, function.compile(request));
  MAMBA_ASSIGN_OR_RETURN(
      Artifact artifact,
      cuda::compileSource(std::move(compiled), options.target));
  if (options.to == "artifact")
    return write(options, serialize(artifact));
  if (options.to == "cubin" && artifact.kind == ImageKind::Cubin)
    return write(options, artifact.image);
  if (options.to == "cubin")
    return invalid(fmt::format("--to=cubin: target {} is no GPU, use a target "
                               "such as sm_90",
                               options.target));
  if (artifact.kind != ImageKind::Object)
    return invalid(fmt::format("--to=object: target {} has no objects, use "
                               "--to=ptx",
                               options.target));
  return write(options, artifact.image);
}

int main(int argc, char **argv) {
  TranslateOptions options;
  return runOnFile(options.commandLine(), argc, argv, options.file,
                   [&] { return translate(options); });
}
