//===- ManifestWriter.cpp - A bundle's manifest as JSON -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// People read it too: what fits a line is on one.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactText.h"
#include "runtime/DType.h"
#include "runtime/Validate.h"
#include "runtime/bundle/Manifest.h"
#include "runtime/bundle/Sha256.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

using json = nlohmann::ordered_json;

namespace mamba {

namespace {

constexpr size_t kMaxColumns = 100;

/// `value` in one line, with spaces behind commas and colons.
std::string oneLine(const json &value) {
  if (!value.is_structured())
    return value.dump();
  std::string text;
  for (const auto &[key, element] : value.items()) {
    text += text.empty() ? "" : ", ";
    if (value.is_object())
      text += json(key).dump() + ": ";
    text += oneLine(element);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

/// The elements of an array, as many on a line as fit.
std::string filled(const json &array, size_t indent) {
  std::string text, line;
  for (const json &element : array) {
    std::string next = oneLine(element);
    if (!line.empty() && indent + line.size() + 2 + next.size() > kMaxColumns) {
      text += line + ",\n" + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : ", ") + next;
  }
  return text + line;
}

/// Appends `value`; the line that it begins on has `indent` spaces.
void print(const json &value, size_t indent, std::string &out) {
  std::string line = oneLine(value);
  size_t column = out.size() - (out.rfind('\n') + 1);
  if (!value.is_structured() || column + line.size() <= kMaxColumns) {
    out += line;
    return;
  }
  std::string margin(indent + 2, ' '), between = "\n" + margin;
  out += value.is_object() ? "{" : "[";
  if (value.is_array() && value.front().is_primitive()) {
    out += between + filled(value, indent + 2);
  } else {
    for (const auto &[key, element] : value.items()) {
      out += between;
      between = ",\n" + margin;
      if (value.is_object())
        out += json(key).dump() + ": ";
      print(element, indent + 2, out);
    }
  }
  out += "\n" + std::string(indent, ' ') + (value.is_object() ? "}" : "]");
}

json toJson(const TensorSpec &tensor) {
  json shape = json::array();
  for (const DimSpec &dim : tensor.dims)
    shape.push_back(textOf(dim));
  return {{"name", tensor.name},
          {"dtype", toString(tensor.dtype)},
          {"shape", std::move(shape)}};
}

/// What the code assumes of the callers' memory.
json requirements(const Artifact &artifact) {
  json memory = json::array();
  for (size_t i = 0; i < artifact.layouts.size(); ++i) {
    const LayoutSpec &layout = artifact.layouts[i];
    json entry = {{"tensor", artifact.tensors[i].name},
                  {"alignment", layout.alignment}};
    if (layout.unitDim >= 0)
      entry["unit_stride"] = layout.unitDim;
    memory.push_back(std::move(entry));
  }
  return {{"l_multiple", artifact.lengthMultiple},
          {"d_multiple", artifact.channelMultiple},
          {"memory", std::move(memory)}};
}

json toJson(const LaunchSpec &launch, const Artifact &artifact) {
  json grid = json::array(), args = json::array();
  for (const GridTerm &term : launch.grid)
    grid.push_back(textOf(term));
  for (const KernelArg &arg : launch.args)
    args.push_back(textOf(arg, artifact));
  return {{"entry", launch.entry},
          {"block", launch.blockSize},
          {"shared_bytes", launch.sharedBytes},
          {"grid", std::move(grid)},
          {"args", std::move(args)}};
}

json toJson(const BundleFile &file) {
  return {{"file", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

json toJson(const CodeFile &code) {
  json value = {{"kind", toString(code.kind)}};
  value.update(toJson(code.file));
  return value;
}

json toJson(const BundleVariant &variant) {
  const Artifact &artifact = variant.artifact;
  json madeFor = json::object();
  for (size_t i = 0; i < std::size(variant.madeFor); ++i)
    if (variant.madeFor[i] >= 0)
      madeFor[std::string(1, kAxisLetters[i])] = variant.madeFor[i];
  json temporaries = json::array(), launches = json::array(),
       code = json::array();
  for (size_t i = artifact.layouts.size(); i < artifact.tensors.size(); ++i) {
    temporaries.push_back(toJson(artifact.tensors[i]));
    temporaries.back()["zeroed"] = artifact.tensors[i].isZeroed;
  }
  for (const LaunchSpec &launch : artifact.launches)
    launches.push_back(toJson(launch, artifact));
  for (const CodeFile &file : variant.code)
    code.push_back(toJson(file));
  return {{"made_for", std::move(madeFor)},
          {"schedule", artifact.schedule},
          {"requires", requirements(artifact)},
          {"temporaries", std::move(temporaries)},
          {"launches", std::move(launches)},
          {"code", std::move(code)}};
}

json toJson(const BundleFunction &function) {
  json inputs = json::array(), results = json::array();
  for (size_t i = 0; i < function.tensors.size(); ++i)
    (i < function.numInputs ? inputs : results)
        .push_back(toJson(function.tensors[i]));
  return {{"name", function.name},
          {"problem", function.problem},
          {"inputs", std::move(inputs)},
          {"results", std::move(results)}};
}

json toJson(const BundleTarget &target) {
  json forms = json::array();
  for (ImageKind kind : target.forms)
    forms.push_back(toString(kind));
  json value = {{"target", target.target}, {"forms", std::move(forms)}};
  value.update(toJson(target.file));
  return value;
}

/// The text of `root`, with the checksum of what is in front of it at its end.
std::string sign(json root) {
  root["sha256"] = std::string(64, '0');
  std::string text;
  print(root, 0, text);
  text += '\n';
  size_t place = text.rfind(std::string(64, '0'));
  return text.replace(place, 64,
                      sha256(std::string_view(text).substr(0, place)));
}

} // namespace

std::string writeManifest(const Manifest &manifest) {
  json root = {{"format", "mamba-bundle"},
               {"version", kManifestVersion},
               {"name", manifest.name},
               {"compiler", manifest.compiler}};
  if (manifest.training)
    root["training"] = {{"forward", manifest.training->forward},
                        {"backward", manifest.training->backward},
                        {"save_every", manifest.training->saveEvery},
                        {"saved", manifest.training->saved}};
  root["functions"] = json::array();
  for (const BundleFunction &function : manifest.functions)
    root["functions"].push_back(toJson(function));
  root["targets"] = json::array();
  for (const BundleTarget &target : manifest.targets)
    root["targets"].push_back(toJson(target));
  return sign(std::move(root));
}

std::string writeTarget(const Manifest &manifest,
                        const TargetManifest &target) {
  json root = {{"format", "mamba-bundle-target"},
               {"version", kManifestVersion},
               {"target", target.target}};
  root["functions"] = json::array();
  for (size_t i = 0; i < manifest.functions.size(); ++i) {
    json variants = json::array();
    for (const BundleVariant &variant : target.variants[i])
      variants.push_back(toJson(variant));
    root["functions"].push_back({{"name", manifest.functions[i].name},
                                 {"variants", std::move(variants)}});
  }
  return sign(std::move(root));
}

} // namespace mamba
