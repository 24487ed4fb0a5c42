//===- Export.cpp - Functions as bundles ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything is compiled before the first file is written, and the manifest is
// the last: a folder with one is a whole bundle.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Export.h"

#include "codegen/Identifier.h"
#include "codegen/cuda/Names.h"
#include "runtime/ArtifactIO.h"
#include "runtime/ArtifactText.h"
#include "runtime/FileIO.h"
#include "runtime/Validate.h"
#include "runtime/Warning.h"
#include "runtime/bundle/Sha256.h"
#include "runtime/cuda/Assembler.h"
#include "runtime/cuda/Compatibility.h"
#include "runtime/jit/BuildId.h"
#include "runtime/jit/BundleHeader.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>

using namespace mamba;
namespace fs = std::filesystem;

namespace {

struct NamedFile {
  std::string name;
  std::string bytes;
};

/// One form of a variant's code.
using Form = std::pair<ImageKind, std::string>;

/// Turns functions into a manifest and the files that it names.
class Exporter {
public:
  explicit Exporter(const ExportOptions &options) : options_(options) {
    if (!options.forms.empty())
      forms_ = options.forms;
  }

  Status run(std::span<const ExportedFunction> functions);

  /// Adds the descriptions of the targets and the manifest.
  Status addDescriptions();

  Manifest manifest;
  std::vector<NamedFile> files;

private:
  Status addFunction(const ExportedFunction &exported);
  Status addVariant(const Function &function, const VariantRequest &request,
                    TargetManifest &target);
  Result<std::optional<Form>> makeCubin(const Artifact &artifact);
  Result<std::vector<Form>> makeForms(const Function &function,
                                      const VariantRequest &request,
                                      const Artifact &artifact);
  void addTraining(std::span<const ExportedFunction> functions);
  BundleFile add(std::string name, std::string bytes);

  const ExportOptions &options_;
  /// Cubins first: they load without a compiler.
  std::vector<ImageKind> forms_ = {ImageKind::Cubin, ImageKind::Ptx,
                                   ImageKind::Cuda};
  bool warned_ = false;
  /// In the order of ExportOptions::targets.
  std::vector<TargetManifest> targets_;
  /// How often a file's name was used.
  std::map<std::string, int> stems_;
  size_t steps_ = 0;
  size_t done_ = 0;
};

} // namespace

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

/// What a function or bundle is called. The loader has the names `mamba_...`.
static std::string nameFor(std::string_view wanted) {
  std::string name = mlir::ssm::identifier(wanted);
  bool isLoaders = name == "mamba" || name.starts_with("mamba_");
  return isLoaders ? "ssm_" + name : name;
}

Status Exporter::run(std::span<const ExportedFunction> functions) {
  manifest.name = nameFor(options_.name);
  manifest.compiler = "mamba-mlir " + compilerSourceId();
  for (const ExportedFunction &function : functions)
    if (function.requests.empty())
      return invalid(fmt::format("no variants of '{}' are asked for",
                                 function.function.info().name));
  if (functions.empty())
    return invalid("no functions given");
  if (options_.targets.empty())
    return invalid("no targets given, required are some such as sm_90");
  targets_.resize(options_.targets.size());
  for (const ExportedFunction &function : functions)
    steps_ += function.requests.size() * options_.targets.size();
  for (const ExportedFunction &function : functions)
    MAMBA_RETURN_IF_ERROR(addFunction(function));
  addTraining(functions);
  return Status();
}

/// Tensors are called by identifiers, each once, that C takes too.
static void giveNames(std::vector<TensorSpec> &tensors) {
  mlir::ssm::cuda::Names names;
  for (TensorSpec &tensor : tensors)
    tensor.name = names.take(tensor.name);
}

Status Exporter::addFunction(const ExportedFunction &exported) {
  const FunctionInfo &info = exported.function.info();
  BundleFunction function;
  function.name = nameFor(info.name);
  for (const BundleFunction &other : manifest.functions)
    if (other.name == function.name)
      return invalid(fmt::format("two functions would be called '{}': rename "
                                 "one of them",
                                 function.name));
  function.tensors = info.tensors;
  function.numInputs = info.numInputs;
  function.numResults = info.numResults;
  giveNames(function.tensors);
  for (const TensorSpec &tensor : function.tensors)
    if (tensor.dims.empty())
      return Status(StatusCode::Unsupported,
                    fmt::format("'{}' of '{}' has no dimensions, which the "
                                "loader's tensors need",
                                tensor.name, info.name));
  manifest.functions.push_back(std::move(function));
  for (size_t i = 0; i < targets_.size(); ++i) {
    targets_[i].variants.emplace_back();
    for (VariantRequest request : exported.requests) {
      request.target = options_.targets[i];
      MAMBA_RETURN_IF_ERROR(
          addVariant(exported.function, request, targets_[i]));
    }
  }
  return Status();
}

BundleFile Exporter::add(std::string name, std::string bytes) {
  BundleFile file{name, static_cast<int64_t>(bytes.size()), sha256(bytes)};
  files.push_back({std::move(name), std::move(bytes)});
  return file;
}

/// Without what may differ between the two roads to a GPU.
static std::string interfaceOf(Artifact artifact) {
  artifact.image.clear();
  artifact.kind = ImageKind::Cubin;
  return serialize(artifact);
}

/// Machine code; nothing, with one warning, where no one has asked for it and
/// no assembler is there, or none that knows the target.
Result<std::optional<Form>> Exporter::makeCubin(const Artifact &artifact) {
  Result<std::string> cubin = cuda::Assembler::get().assemble(
      artifact.image, artifact.name, artifact.target);
  if (cubin.ok())
    return std::optional<Form>({ImageKind::Cubin, std::move(*cubin)});
  bool isAbsent = cubin.code() == StatusCode::NotFound ||
                  cubin.code() == StatusCode::Unsupported;
  if (!options_.forms.empty() || !isAbsent)
    return cubin.status();
  if (!std::exchange(warned_, true))
    warn(fmt::format("the bundle gets no machine code for {}, so that drivers "
                     "compile its PTX when it is loaded: {}",
                     artifact.target, cubin.status().message()));
  return std::optional<Form>();
}

Result<std::vector<Form>> Exporter::makeForms(const Function &function,
                                              const VariantRequest &request,
                                              const Artifact &artifact) {
  if (artifact.kind == ImageKind::Object)
    return std::vector<Form>{{ImageKind::Object, artifact.image}};
  std::vector<Form> made;
  for (ImageKind kind : forms_) {
    if (kind == artifact.kind) {
      made.emplace_back(kind, artifact.image);
    } else if (kind == ImageKind::Cubin) {
      MAMBA_ASSIGN_OR_RETURN(std::optional<Form> cubin, makeCubin(artifact));
      if (cubin)
        made.push_back(std::move(*cubin));
    } else {
      VariantRequest other = request;
      other.backend = Backend::Nvrtc;
      MAMBA_ASSIGN_OR_RETURN(Artifact source, function.compile(other));
      if (interfaceOf(source) != interfaceOf(artifact))
        return Status(StatusCode::Internal,
                      fmt::format("PTX and CUDA C++ of '{}' are not called in "
                                  "the same way",
                                  artifact.name));
      made.emplace_back(kind, std::move(source.image));
    }
  }
  return made;
}

/// "cubin", "ptx", "cu", "o".
static std::string_view extensionOf(ImageKind kind) {
  switch (kind) {
  case ImageKind::Ptx:
    return "ptx";
  case ImageKind::Cubin:
    return "cubin";
  case ImageKind::Cuda:
    return "cu";
  case ImageKind::Object:
    return "o";
  }
  return "bin";
}

/// "selective_scan.sm_90.b8_l2048_d2048"; no extents where any will do, and
/// ".strided" where any strides will.
static std::string stemOf(const BundleFunction &function,
                          const BundleVariant &variant,
                          std::string_view target) {
  std::string extents;
  for (size_t i = 0; i < std::size(variant.madeFor); ++i)
    if (variant.madeFor[i] >= 0)
      extents += fmt::format("{}{}{}", extents.empty() ? "." : "_",
                             kAxisLetters[i], variant.madeFor[i]);
  auto isStrided = [](const LayoutSpec &layout) { return layout.unitDim < 0; };
  return fmt::format("{}.{}{}{}", function.name, target, extents,
                     std::ranges::all_of(variant.artifact.layouts, isStrided)
                         ? ".strided"
                         : "");
}

Status Exporter::addVariant(const Function &function,
                            const VariantRequest &given,
                            TargetManifest &target) {
  // Who loads the bundle may have slices of wider tensors.
  VariantRequest request = given;
  request.forgetFixedStrides();
  BundleFunction &described = manifest.functions.back();
  if (options_.onStep)
    options_.onStep(fmt::format("{} for {}", described.name, request.target),
                    done_++, steps_);
  auto keepProblem = [&](std::string_view stage, std::string_view text) {
    if (stage == "model")
      described.problem = text;
  };
  BundleVariant variant{
      {}, {request.batch, request.length, request.channels}, {}};
  MAMBA_ASSIGN_OR_RETURN(variant.artifact,
                         function.compile(request, keepProblem));
  for (const LayoutSpec &layout : variant.artifact.layouts)
    if (layout.fixedDim >= 0)
      return Status(StatusCode::Unsupported,
                    fmt::format("'{}' states a layout with stride {}, which "
                                "bundles do not keep; leave it out",
                                described.name, layout.fixedStride));
  MAMBA_ASSIGN_OR_RETURN(std::vector<Form> forms,
                         makeForms(function, request, variant.artifact));
  Artifact &artifact = variant.artifact;
  artifact.image.clear();
  giveNames(artifact.tensors);
  std::string stem = stemOf(described, variant, request.target);
  // Requests may differ in what the name does not tell.
  if (int number = stems_[stem]++)
    stem += fmt::format(".{}", number);
  for (auto &[kind, image] : forms)
    variant.code.push_back(
        {kind,
         add(fmt::format("{}.{}", stem, extensionOf(kind)), std::move(image))});
  target.target = artifact.target;
  target.variants.back().push_back(std::move(variant));
  return Status();
}

/// No header of the system ends so, whatever the function is called.
static std::string headerName(const Manifest &manifest) {
  return manifest.name + "_bundle.h";
}

Status Exporter::addDescriptions() {
  for (size_t i = 0; i < targets_.size(); ++i) {
    BundleTarget entry;
    entry.target = targets_[i].target;
    for (const CodeFile &code : targets_[i].variants.front().front().code)
      entry.forms.push_back(code.kind);
    std::string text = writeTarget(manifest, targets_[i]);
    MAMBA_RETURN_IF_ERROR(
        readTarget(text, manifest)
            .status()
            .withContext("the description that was to be written"));
    entry.file = add(options_.targets[i] + ".json", std::move(text));
    manifest.targets.push_back(std::move(entry));
  }
  std::string text = writeManifest(manifest);
  MAMBA_RETURN_IF_ERROR(readManifest(text).status().withContext(
      "the manifest that was to be written"));
  add(headerName(manifest), bundleHeader(manifest, manifestChecksum(text)));
  add(kManifestFile, std::move(text));
  return Status();
}

void Exporter::addTraining(std::span<const ExportedFunction> functions) {
  if (!options_.pair)
    return;
  auto find = [&](const Function &function) -> const BundleFunction * {
    for (size_t i = 0; i < functions.size(); ++i)
      if (functions[i].function.info().name == function.info().name)
        return &manifest.functions[i];
    return nullptr;
  };
  const BundleFunction *forward = find(options_.pair->forward),
                       *backward = find(options_.pair->backward);
  if (!forward || !backward)
    return;
  BundleTraining &training = manifest.training.emplace();
  training.forward = forward->name;
  training.backward = backward->name;
  training.saveEvery = options_.pair->saveEvery;
  // As they are called in the bundle.
  for (const TensorSpec &tensor :
       std::span(forward->tensors).last(options_.pair->numSaved))
    training.saved.push_back(tensor.name);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// Removes the description of a target, and the code that it names.
static void removeTarget(const std::string &folder, const Manifest &manifest,
                         const BundleTarget &target) {
  std::string path = fmt::format("{}/{}", folder, target.file.name);
  std::error_code error;
  Result<std::string> text = readFile(path);
  Result<TargetManifest> described =
      text.ok() ? readTarget(*text, manifest)
                : Result<TargetManifest>(text.status());
  fs::remove(path, error);
  if (!described.ok())
    return;
  for (const std::vector<BundleVariant> &variants : described->variants)
    for (const BundleVariant &variant : variants)
      for (const CodeFile &code : variant.code)
        fs::remove(fs::path(folder) / code.file.name, error);
}

/// Makes `folder`, or takes an older bundle out of it.
static Status clearFolder(const std::string &folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return Status(StatusCode::IoError,
                  fmt::format("cannot make the folder '{}': {}", folder,
                              error.message()));
  fs::path manifestPath = fs::path(folder) / kManifestFile;
  if (!fs::exists(manifestPath, error)) {
    if (fs::is_empty(folder, error))
      return Status();
    return invalid(fmt::format("'{}' has files and is no bundle: give an empty "
                               "folder or a new one",
                               folder));
  }
  MAMBA_ASSIGN_OR_RETURN(std::string text, readFile(manifestPath.string()));
  Result<Manifest> old = readManifest(text);
  if (!old.ok())
    return invalid(fmt::format("'{}' is there and is no bundle of this version "
                               "({}): remove the folder, or give another one",
                               manifestPath.string(), old.status().message()));
  fs::remove(manifestPath, error);
  fs::remove(fs::path(folder) / headerName(*old), error);
  for (const BundleTarget &target : old->targets)
    removeTarget(folder, *old, target);
  return Status();
}

/// Before anything is written: file systems take 255 bytes, of which the name
/// of a temporary file needs some.
static Status checkLength(const std::string &name) {
  constexpr size_t kMost = 200;
  if (name.size() <= kMost)
    return Status();
  return invalid(fmt::format("file '{}' of the bundle has a name of {} "
                             "characters, required are at most {}: give the "
                             "function or the bundle a shorter name",
                             name, name.size(), kMost));
}

Result<ExportedBundle>
mamba::exportBundle(const std::string &folder,
                    std::span<const ExportedFunction> functions,
                    const ExportOptions &options) {
  Exporter exporter(options);
  MAMBA_RETURN_IF_ERROR(exporter.run(functions));
  MAMBA_RETURN_IF_ERROR(exporter.addDescriptions());
  for (const NamedFile &file : exporter.files)
    MAMBA_RETURN_IF_ERROR(checkLength(file.name));
  MAMBA_RETURN_IF_ERROR(clearFolder(folder));
  ExportedBundle written;
  for (const NamedFile &file : exporter.files) {
    MAMBA_RETURN_IF_ERROR(replaceFile(
        AT_FDCWD, fmt::format("{}/{}", folder, file.name), file.bytes, 0644));
    written.files.push_back(file.name);
    written.bytes += static_cast<int64_t>(file.bytes.size());
  }
  written.manifest = std::move(exporter.manifest);
  for (const ExportedFunction &function : functions)
    written.numVariants += function.requests.size() * options.targets.size();
  return written;
}
