//===- mamba-export.cpp - Kernels that ship without a compiler ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes a bundle: code for several GPUs, a manifest and a header of C.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactText.h"
#include "runtime/jit/Export.h"
#include "tools/problem/Choice.h"
#include "tools/problem/Request.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

using namespace mamba;

namespace {

struct ToolOptions : ChoiceOptions {
  std::string file;
  std::string folder;
  std::string schedule;
  ExportOptions bundle;
  /// One a --for, which are those that are known when it is given.
  std::vector<Extents> sizes;
  ProblemOptions problem;

  CommandLine commandLine();

private:
  Status takeTargets(std::string_view list);
  Status takeForms(std::string_view list);
  Status takeSizes(std::string_view text);
};

} // namespace

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

/// The parts of "a,b,c".
static std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (true) {
    size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos)
      return parts;
    list.remove_prefix(comma + 1);
  }
}

Status ToolOptions::takeTargets(std::string_view list) {
  bundle.targets = split(list);
  std::ranges::sort(bundle.targets);
  if (std::ranges::adjacent_find(bundle.targets) != bundle.targets.end())
    return invalid(fmt::format("found '{}', required each target once", list));
  return Status();
}

Status ToolOptions::takeForms(std::string_view list) {
  bundle.forms.clear();
  for (const std::string &name : split(list)) {
    std::optional<ImageKind> kind = parseImageKind(name);
    if (!kind || *kind == ImageKind::Object)
      return invalid(fmt::format(
          "found '{}', required some of cubin, ptx and cuda", list));
    bundle.forms.push_back(*kind);
  }
  return Status();
}

Status ToolOptions::takeSizes(std::string_view text) {
  Extents extents;
  MAMBA_RETURN_IF_ERROR(parseExtents(text, extents, "--for"));
  for (const Extents &other : sizes)
    if (other.list() == extents.list())
      return invalid("these extents have a variant from an earlier --for");
  sizes.push_back(std::move(extents));
  return Status();
}

CommandLine ToolOptions::commandLine() {
  CommandLine line{
      "mamba-export",
      "Writes a function of an MLIR file as a bundle: kernels that "
      "programs launch without a compiler.",
      "FILE.mlir -o FOLDER",
      {}};
  line.flags = {
      {"o", "FOLDER", "where to write; new, empty, or an older bundle",
       takeText(folder)},
      {"targets", "LIST",
       "GPU architectures (default: sm_80,sm_86,sm_89,sm_90,sm_100,sm_120)",
       [this](std::string_view v) { return takeTargets(v); }},
      {"forms", "LIST",
       "of cubin, ptx and cuda (C++); default: all, cubin where ptxas or "
       "nvJitLink is installed",
       [this](std::string_view v) { return takeForms(v); }},
      {"for", "B=8,L=2048,...",
       "also a variant for such extents, which is faster there; repeatable",
       [this](std::string_view v) { return takeSizes(v); }},
      {"name", "NAME", "of the bundle and its header (default: the function's)",
       takeText(bundle.name)},
      {"schedule", "ATTRIBUTE", "#ssm.schedule<...> for the default ones",
       takeText(schedule)}};
  for (auto flags : {ChoiceOptions::flags(), problem.flags()})
    for (Flag &flag : flags)
      if (flag.name != "extents" && flag.name != "offset")
        line.flags.push_back(std::move(flag));
  return line;
}

/// One that takes every tensor: no stride is known.
static VariantRequest stridedRequest(const FunctionInfo &info) {
  VariantRequest request;
  for (const TensorSpec &spec : info.tensors)
    request.layouts.push_back({-1, static_cast<uint8_t>(byteSize(spec.dtype))});
  return request;
}

/// The function with a variant for each --for, one for every size in that order
/// of memory, and one for every memory. `partner` is the other function of the
/// pair that is exported, if it is one.
static Result<ExportedFunction> withRequests(const Function &function,
                                             const FunctionInfo *partner,
                                             const ToolOptions &options) {
  ExportedFunction exported{function, {}};
  std::vector<Extents> all = options.sizes;
  all.emplace_back();
  for (const Extents &extents : all) {
    if (!extents.list().empty())
      MAMBA_RETURN_IF_ERROR(
          checkAllKnown(function.info(), extents).withContext("--for"));
    Result<VariantRequest> made =
        makeRequest(function, options.problem, extents, partner);
    if (!made.ok())
      return extents.list().empty() ? made.status()
                                    : made.status().withContext("--for");
    VariantRequest request = std::move(*made);
    // The function's request has extents rounded to those that share a
    // schedule; people read what they asked for.
    for (auto [axis, target] : {std::pair(Axis::Batch, &request.batch),
                                {Axis::Length, &request.length},
                                {Axis::Channel, &request.channels}})
      if (*target >= 0)
        *target = extents.find(axis).value_or(*target);
    request.schedule = options.schedule;
    exported.requests.push_back(std::move(request));
  }
  exported.requests.push_back(stridedRequest(function.info()));
  exported.requests.back().schedule = options.schedule;
  return exported;
}

/// The other function of the pair.
static const FunctionInfo &partnerOf(const Function &function,
                                     const TrainingPair &pair) {
  bool isForward = function.info().name == pair.forward.info().name;
  return (isForward ? pair.backward : pair.forward).info();
}

static void showStep(std::string_view what, size_t done, size_t all) {
  if (::isatty(STDERR_FILENO))
    std::fprintf(stderr, "\r\033[K[%zu/%zu] %.*s", done + 1, all,
                 static_cast<int>(what.size()), what.data());
}

static void report(const ToolOptions &options, const ExportedBundle &bundle) {
  if (::isatty(STDERR_FILENO))
    std::fprintf(stderr, "\r\033[K");
  print(fmt::format(
      "{}: {} functions, {} variants, {} files, {} KB; header {}\n",
      options.folder, bundle.manifest.functions.size(), bundle.numVariants,
      bundle.files.size(), (bundle.bytes + 999) / 1000,
      bundle.files[bundle.files.size() - 2]));
}

/// The functions to export: with --grad a pair, else one, or all of the file.
static Result<std::vector<Function>> choose(const Module &module,
                                            const ToolOptions &options,
                                            std::optional<TrainingPair> &pair) {
  std::vector<Function> functions;
  if (!options.grad && options.save.empty() && options.function.empty()) {
    for (const std::string &name : module.functionNames()) {
      MAMBA_ASSIGN_OR_RETURN(Function function, module.function(name));
      functions.push_back(std::move(function));
    }
    // Of a module without any, the search for one says where it is.
    return functions.empty()
               ? Result<std::vector<Function>>(module.function("").status())
               : functions;
  }
  ChoiceOptions choice = options;
  if (options.grad && options.save.empty())
    choice.save = "none";
  Extents extents = options.sizes.empty() ? Extents() : options.sizes.front();
  MAMBA_ASSIGN_OR_RETURN(Choice chosen,
                         chooseFunction(module, choice, extents));
  pair = std::move(chosen.pair);
  if (options.grad)
    return std::vector{pair->forward, pair->backward};
  return std::vector{chosen.function};
}

static Status run(ToolOptions &options) {
  if (options.folder.empty())
    return invalid("-o FOLDER is required");
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(options.file));
  std::optional<TrainingPair> pair;
  MAMBA_ASSIGN_OR_RETURN(std::vector<Function> functions,
                         choose(module, options, pair));
  std::vector<ExportedFunction> exported;
  for (const Function &function : functions) {
    const FunctionInfo *partner =
        options.grad && pair ? &partnerOf(function, *pair) : nullptr;
    MAMBA_ASSIGN_OR_RETURN(ExportedFunction with,
                           withRequests(function, partner, options));
    exported.push_back(std::move(with));
  }
  if (options.bundle.name.empty())
    options.bundle.name =
        functions.size() == 1 || pair
            ? functions.front().info().name
            : std::filesystem::path(options.file).stem().string();
  options.bundle.pair = options.grad && pair ? &*pair : nullptr;
  options.bundle.onStep = showStep;
  MAMBA_ASSIGN_OR_RETURN(
      ExportedBundle bundle,
      exportBundle(options.folder, exported, options.bundle));
  report(options, bundle);
  return Status();
}

int main(int argc, char **argv) {
  ToolOptions options;
  return runOnFile(options.commandLine(), argc, argv, options.file,
                   [&] { return run(options); });
}
