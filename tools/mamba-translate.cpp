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
#include "runtime/cuda/Assembler.h"
#include "runtime/cuda/Nvrtc.h"
#include "tools/io/File.h"
#include "tools/problem/Choice.h"
#include "tools/problem/Request.h"

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
  bool fixesStrides = false;
  Backend backend = Backend::Auto;
  ProblemOptions problem;

  bool wantsArtifact() const {
    return to == "artifact" || to == "object" || to == "cubin";
  }
  /// Compiled from CUDA C++.
  bool wantsNvrtc() const { return backend == Backend::Nvrtc || to == "cuda"; }
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
       takeText(schedule)},
      {"fix-strides", "",
       "as in launches: GPU code for one width of rows, as --extents and --pad "
       "say, where rows are whole lines (default: for every width)",
       takeSwitch(fixesStrides)}};
  for (auto flags : {ChoiceOptions::flags(), problem.flags()})
    line.flags.insert(line.flags.end(), flags.begin(), flags.end());
  return line;
}

static Result<VariantRequest> requestFor(const Choice &choice,
                                         const TranslateOptions &options) {
  Result<VariantRequest> request =
      makeRequest(choice.function, options.problem, options.problem.extents,
                  choice.forward());
  if (!request.ok())
    return request;
  request->target = options.target;
  request->threads =
      options.target == "cpu" ? ThreadPool::global().numThreads() : 0;
  request->schedule = options.schedule;
  if (!options.fixesStrides)
    request->forgetFixedStrides();
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
  print(bytes);
  return Status(); // runOnFile() looks whether that went well.
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
  bool isGpu = options.target.starts_with("sm_");
  return invalid(fmt::format("--to={}: no such format for target {}, there "
                             "are {}, {}",
                             options.to, options.target, stages,
                             isGpu ? "cuda, cubin, object and artifact"
                                   : "object and artifact; those of GPUs need "
                                     "a target such as --target=sm_90"));
}

static Status writeCubin(const TranslateOptions &options,
                         const Artifact &artifact) {
  if (artifact.kind == ImageKind::Cubin)
    return write(options, artifact.image);
  if (artifact.kind != ImageKind::Ptx)
    return invalid(fmt::format("--to=cubin: target {} is no GPU, use a target "
                               "such as sm_90",
                               options.target));
  MAMBA_ASSIGN_OR_RETURN(std::string cubin,
                         cuda::Assembler::get().assemble(
                             artifact.image, artifact.name, artifact.target));
  return write(options, cubin);
}

static Status translate(const TranslateOptions &options) {
  if (options.to.empty())
    return invalid("--to=FORMAT is required; 'mamba-translate --help' shows "
                   "which there are");
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(options.file));
  MAMBA_ASSIGN_OR_RETURN(
      Choice choice, chooseFunction(module, options, options.problem.extents));
  const Function &function = choice.function;
  MAMBA_ASSIGN_OR_RETURN(VariantRequest request, requestFor(choice, options));
  if (!options.wantsArtifact())
    return writeStage(options, function, request);
  MAMBA_ASSIGN_OR_RETURN(Artifact compiled, function.compile(request));
  MAMBA_ASSIGN_OR_RETURN(
      Artifact artifact,
      cuda::compileSource(std::move(compiled), options.target));
  if (options.to == "artifact")
    return write(options, serialize(artifact));
  if (options.to == "cubin")
    return writeCubin(options, artifact);
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
