//===- ManifestReader.cpp - A bundle's manifest from JSON -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Version, then checksum, then fields, then whether they make sense together:
// each of these can be trusted once those before it hold.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactText.h"
#include "runtime/DType.h"
#include "runtime/Validate.h"
#include "runtime/bundle/JsonNode.h"
#include "runtime/bundle/Manifest.h"
#include "runtime/bundle/Sha256.h"

#include <algorithm>
#include <map>
#include <set>

namespace mamba {

namespace {

constexpr int64_t kMost = INT64_MAX;
constexpr size_t kChecksumDigits = 64;
constexpr int64_t kMostFileBytes = int64_t(1) << 30;

Status corrupt(std::string text) {
  return Status(StatusCode::CorruptData, std::move(text));
}

bool isLetter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

std::optional<std::string> parseIdentifier(std::string_view name) {
  bool isOne = !name.empty() && isLetter(name.front()) &&
               std::ranges::all_of(name, [](char c) {
                 return isLetter(c) || (c >= '0' && c <= '9') || c == '_';
               });
  return isOne ? std::optional(std::string(name)) : std::nullopt;
}

/// A name in the bundle's folder, and no way out of it.
std::optional<std::string> parseFileName(std::string_view name) {
  bool isName = !name.empty() && name.front() != '.' && name.size() < 256 &&
                name.find('/') == std::string_view::npos &&
                name.find('\0') == std::string_view::npos;
  return isName ? std::optional(std::string(name)) : std::nullopt;
}

std::optional<std::string> parseChecksum(std::string_view text) {
  bool isOne =
      text.size() == kChecksumDigits &&
      text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return isOne ? std::optional(std::string(text)) : std::nullopt;
}

std::string identifierOf(const JsonNode &node) {
  return node.parsed<std::string>(parseIdentifier,
                                  "letters, digits and underscores");
}

TensorSpec readTensor(const JsonNode &node) {
  TensorSpec tensor;
  tensor.name = identifierOf(node["name"]);
  tensor.dtype = node["dtype"].parsed<DType>(parseDType, "an element type");
  for (const JsonNode &dim : node["shape"].items())
    tensor.dims.push_back(dim.parsed<DimSpec>(
        parseDim, "an extent such as 'l', 'n = 16' or 'ceil(l / 32)'"));
  return tensor;
}

void readRequirements(const JsonNode &node, Artifact &artifact) {
  artifact.lengthMultiple = node["l_multiple"].number(1, kMost);
  artifact.channelMultiple = node["d_multiple"].number(1, kMost);
  for (const JsonNode &entry : node["memory"].items()) {
    size_t index = artifact.layouts.size();
    if (index >= artifact.tensors.size() ||
        entry["tensor"].text() != artifact.tensors[index].name)
      return entry.fail("is not of the tensor whose turn it is");
    LayoutSpec layout;
    layout.alignment = static_cast<uint8_t>(entry["alignment"].number(1, 16));
    if (entry.has("unit_stride"))
      layout.unitDim = static_cast<int8_t>(entry["unit_stride"].number(0, 127));
    artifact.layouts.push_back(layout);
  }
}

LaunchSpec readLaunch(const JsonNode &node, const Artifact &artifact) {
  LaunchSpec launch;
  launch.entry = node["entry"].text();
  launch.blockSize = static_cast<uint32_t>(node["block"].number(1, 1024));
  launch.sharedBytes =
      static_cast<uint32_t>(node["shared_bytes"].number(0, 1 << 30));
  for (const JsonNode &term : node["grid"].items())
    launch.grid.push_back(term.parsed<GridTerm>(
        parseGridTerm, "a factor such as 'b', 'ceil(l / 512)' or '4', or with "
                       "'+ ' before it"));
  auto parse = [&](std::string_view text) { return parseArg(text, artifact); };
  for (const JsonNode &arg : node["args"].items())
    launch.args.push_back(arg.parsed<KernelArg>(
        parse, "pointer(TENSOR), stride(TENSOR, DIM) or extent(AXIS)"));
  return launch;
}

BundleFile readFile(const JsonNode &node) {
  BundleFile file;
  file.name =
      node["file"].parsed<std::string>(parseFileName, "a name without a path");
  file.bytes = node["bytes"].number(1, kMostFileBytes);
  file.sha256 = node["sha256"].parsed<std::string>(parseChecksum,
                                                   "64 hexadecimal digits");
  return file;
}

ImageKind readKind(const JsonNode &node) {
  return node.parsed<ImageKind>(parseImageKind, "ptx, cubin, cuda or object");
}

BundleVariant readVariant(const JsonNode &node, const BundleFunction &of,
                          const std::string &target) {
  BundleVariant variant;
  Artifact &artifact = variant.artifact;
  artifact.name = of.name;
  artifact.target = target;
  artifact.tensors = of.tensors;
  artifact.numInputs = of.numInputs;
  artifact.numResults = of.numResults;
  artifact.schedule = node["schedule"].text();
  JsonNode madeFor = node["made_for"];
  for (size_t i = 0; i < std::size(variant.madeFor); ++i)
    if (std::string axis(1, kAxisLetters[i]); madeFor.has(axis.c_str()))
      variant.madeFor[i] = madeFor[axis.c_str()].number(0, kMost);
  readRequirements(node["requires"], artifact);
  for (const JsonNode &entry : node["temporaries"].items()) {
    artifact.tensors.push_back(readTensor(entry));
    artifact.tensors.back().isZeroed = entry["zeroed"].truth();
  }
  for (const JsonNode &launch : node["launches"].items())
    artifact.launches.push_back(readLaunch(launch, artifact));
  for (const JsonNode &code : node["code"].items())
    variant.code.push_back({readKind(code["kind"]), readFile(code)});
  if (variant.code.empty())
    node.fail("has no code");
  return variant;
}

BundleFunction readFunction(const JsonNode &node) {
  BundleFunction function;
  function.name = identifierOf(node["name"]);
  function.problem = node["problem"].text();
  for (auto [list, count] : {std::pair("inputs", &function.numInputs),
                             {"results", &function.numResults}})
    for (const JsonNode &tensor : node[list].items()) {
      function.tensors.push_back(readTensor(tensor));
      ++*count;
    }
  return function;
}

BundleTraining readTraining(const JsonNode &node) {
  BundleTraining training;
  training.forward = node["forward"].text();
  training.backward = node["backward"].text();
  training.saveEvery = node["save_every"].number(0, kMost);
  for (const JsonNode &name : node["saved"].items())
    training.saved.push_back(name.text());
  return training;
}

BundleTarget readTargetEntry(const JsonNode &node) {
  BundleTarget target;
  target.target = node["target"].text();
  for (const JsonNode &form : node["forms"].items())
    target.forms.push_back(readKind(form));
  target.file = readFile(node);
  return target;
}

Manifest readFields(const JsonNode &root) {
  Manifest manifest;
  manifest.name = identifierOf(root["name"]);
  manifest.compiler = root["compiler"].text();
  for (const JsonNode &function : root["functions"].items())
    manifest.functions.push_back(readFunction(function));
  for (const JsonNode &target : root["targets"].items())
    manifest.targets.push_back(readTargetEntry(target));
  if (root.has("training"))
    manifest.training = readTraining(root["training"]);
  return manifest;
}

Status checkNames(const std::vector<TensorSpec> &tensors) {
  std::set<std::string_view> names;
  for (const TensorSpec &tensor : tensors)
    if (!names.insert(tensor.name).second)
      return corrupt(fmt::format("has two tensors '{}'", tensor.name));
  return Status();
}

/// What no single field can say.
Status checkSense(const Manifest &manifest) {
  std::set<std::string_view> names;
  for (const BundleFunction &function : manifest.functions) {
    if (!names.insert(function.name).second)
      return corrupt(fmt::format("two functions '{}'", function.name));
    MAMBA_RETURN_IF_ERROR(
        checkNames(function.tensors)
            .withContext(fmt::format("function '{}'", function.name)));
  }
  if (const auto &training = manifest.training)
    for (const std::string &name : {training->forward, training->backward})
      if (!names.contains(name))
        return corrupt(fmt::format("training names '{}', which is no function "
                                   "here",
                                   name));
  return Status();
}

TargetManifest readTargetFields(const JsonNode &root,
                                const Manifest &manifest) {
  TargetManifest target;
  target.target = root["target"].text();
  for (const JsonNode &entry : root["functions"].items()) {
    size_t index = target.variants.size();
    if (index >= manifest.functions.size() ||
        entry["name"].text() != manifest.functions[index].name) {
      entry.fail("is not the function whose turn it is");
      return target;
    }
    std::vector<BundleVariant> &variants = target.variants.emplace_back();
    for (const JsonNode &variant : entry["variants"].items())
      variants.push_back(
          readVariant(variant, manifest.functions[index], target.target));
  }
  if (target.variants.size() != manifest.functions.size())
    root.fail("lacks functions of the manifest");
  return target;
}

/// A file has one content, and a variant makes sense.
Status checkSense(const TargetManifest &target) {
  std::map<std::string_view, std::string_view> checksums;
  for (const std::vector<BundleVariant> &variants : target.variants)
    for (const BundleVariant &variant : variants) {
      Status status = checkNames(variant.artifact.tensors);
      if (status.ok())
        status = validate(variant.artifact);
      if (!status.ok())
        return corrupt(fmt::format("function '{}': {}", variant.artifact.name,
                                   status.message()));
      for (const auto &[kind, file] : variant.code)
        if (!checksums.emplace(file.name, file.sha256).second &&
            checksums[file.name] != file.sha256)
          return corrupt(fmt::format("'{}' has two checksums", file.name));
    }
  return Status();
}

Status checkFormat(const JsonDocument &file, std::string_view required) {
  Status status;
  JsonNode root = file.root(status);
  std::string format = root["format"].text();
  if (status.ok() && format != required)
    return corrupt(fmt::format("is no manifest of a bundle: its format is '{}',"
                               " required is {}",
                               format, required));
  int64_t version = root["version"].number(0, kMost);
  if (status.ok() && version != kManifestVersion)
    return corrupt(fmt::format("its version is {}; this loader reads {}: "
                               "export it again, or take the loader of the "
                               "mamba-mlir that wrote it",
                               version, kManifestVersion));
  return status;
}

} // namespace

std::string_view manifestChecksum(std::string_view text) {
  constexpr std::string_view kEnd = "\"\n}\n";
  constexpr std::string_view kName = "\n  \"sha256\": \"";
  if (!text.ends_with(kEnd) ||
      text.size() < kName.size() + kChecksumDigits + kEnd.size())
    return {};
  text.remove_suffix(kEnd.size());
  std::string_view digits = text.substr(text.size() - kChecksumDigits);
  text.remove_suffix(kChecksumDigits);
  return text.ends_with(kName) ? digits : std::string_view();
}

/// The JSON of a file that is whole and of this format.
static Result<JsonDocument> parseSigned(std::string_view text,
                                        std::string_view format) {
  auto value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded())
    return corrupt("is no JSON: it was cut or changed");
  JsonDocument file(std::move(value));
  MAMBA_RETURN_IF_ERROR(checkFormat(file, format));
  std::string_view stored = manifestChecksum(text);
  if (stored.empty() ||
      sha256(text.substr(0, stored.data() - text.data())) != stored)
    return corrupt("its checksum does not match: it was cut or changed; export "
                   "the bundle again");
  return file;
}

Result<Manifest> readManifest(std::string_view text) {
  MAMBA_ASSIGN_OR_RETURN(JsonDocument file, parseSigned(text, "mamba-bundle"));
  Status status;
  Manifest manifest = readFields(file.root(status));
  if (status.ok())
    status = checkSense(manifest);
  if (!status.ok())
    return status;
  return manifest;
}

Result<TargetManifest> readTarget(std::string_view text,
                                  const Manifest &manifest) {
  MAMBA_ASSIGN_OR_RETURN(JsonDocument file,
                         parseSigned(text, "mamba-bundle-target"));
  Status status;
  TargetManifest target = readTargetFields(file.root(status), manifest);
  if (status.ok())
    status = checkSense(target);
  if (!status.ok())
    return status;
  return target;
}

} // namespace mamba
