//===- BundleHeader.cpp - A bundle's functions for C ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All names in a manifest are identifiers, and all other text that gets here is
// made of numbers and axis letters.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/BundleHeader.h"

#include "runtime/ArtifactText.h"
#include "runtime/DType.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace mamba;

static std::string upperCase(std::string text) {
  for (char &c : text)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// "bf16_3d". A tensor without dimensions has one of extent 1 for C.
static std::string typeOf(const TensorSpec &tensor) {
  return fmt::format("{}_{}d", toString(tensor.dtype), tensor.dims.size());
}

static std::string shapeOf(const TensorSpec &tensor) {
  std::vector<std::string> dims;
  for (const DimSpec &dim : tensor.dims)
    dims.push_back(textOf(dim));
  return fmt::format("({})", fmt::join(dims, ", "));
}

/// The struct of the function's tensors.
static std::string tensorsStruct(const BundleFunction &function) {
  size_t width = 0;
  for (const TensorSpec &tensor : function.tensors)
    width = std::max(width, typeOf(tensor).size() + tensor.name.size());
  std::string members;
  for (size_t i = 0; i < function.tensors.size(); ++i) {
    const TensorSpec &tensor = function.tensors[i];
    std::string type = typeOf(tensor);
    members +=
        fmt::format("  mamba_{} {};{:{}} /**< {} {} */\n", type, tensor.name,
                    "", width - type.size() - tensor.name.size(),
                    i < function.numInputs ? "in: " : "out:", shapeOf(tensor));
  }
  return fmt::format("typedef struct {0}_tensors {{\n{1}}} {0}_tensors;\n",
                     function.name, members);
}

/// The tensors without their types, as the loader takes them.
static std::string listFunction(const BundleFunction &function) {
  std::string list;
  for (size_t i = 0; i < function.tensors.size(); ++i)
    list += fmt::format("  list[{}] = mamba_any_{}(&tensors->{});\n", i,
                        typeOf(function.tensors[i]), function.tensors[i].name);
  return fmt::format(R"(static inline void
{0}_list(const {0}_tensors *tensors, mamba_tensor *list) {{
{1}}}
)",
                     function.name, list);
}

/// NAME_launch or NAME_prepare.
static std::string entryPoint(const BundleFunction &function, size_t index,
                              std::string_view verb) {
  return fmt::format(R"(static inline mamba_status
{0}_{1}(mamba_bundle *bundle, mamba_device *device,
    const {0}_tensors *tensors, void *stream) {{
  mamba_tensor list[{2}];
  {0}_list(tensors, list);
  return mamba_{1}(bundle, device, {3}, list, {2}, stream);
}}
)",
                     function.name, verb, function.tensors.size(), index);
}

static std::string functionText(const BundleFunction &function, size_t index) {
  return fmt::format(R"(
/** Tensors of {0}(). Axes: b sequences, l steps, d channels, n states of a
    channel, g groups of channels. */
{1}
/** The tensors as the functions of mamba_loader.h take them. */
{2}
/** Queues {0} on `stream`; as mamba_launch(). */
{3}
/** All of {0}_launch() but the launch; as mamba_prepare(). */
{4})",
                     function.name, tensorsStruct(function),
                     listFunction(function),
                     entryPoint(function, index, "launch"),
                     entryPoint(function, index, "prepare"));
}

static std::string trainingText(const Manifest &manifest) {
  if (!manifest.training)
    return "";
  const BundleTraining &training = *manifest.training;
  if (training.saved.empty())
    return fmt::format("{}() computes the gradients of {}().\n",
                       training.backward, training.forward);
  return fmt::format("{}() computes the gradients of {}(), which saves {} for "
                     "it,\nof every {} steps: pass the same memory to both.\n",
                     training.backward, training.forward,
                     fmt::join(training.saved, ", "), training.saveEvery);
}

std::string mamba::bundleHeader(const Manifest &manifest,
                                std::string_view checksum) {
  std::string functions;
  for (size_t i = 0; i < manifest.functions.size(); ++i)
    functions += functionText(manifest.functions[i], i);
  return fmt::format(
      R"(/* Functions of the bundle '{0}'. Written by mamba-export: do not edit.
{1}*/
#ifndef MAMBA_BUNDLE_{2}_H
#define MAMBA_BUNDLE_{2}_H

#include "mamba_loader.h"

/** SHA-256 of the bundle's manifest, which has those of its other files. */
#define {2}_CHECKSUM \
  "{3}"

#ifdef __cplusplus
extern "C" {{
#endif

/** Opens the bundle in `folder`, and no other one. */
static inline mamba_status
{0}_open(const char *folder, mamba_bundle **bundle) {{
  mamba_status status = mamba_check_abi(MAMBA_LOADER_ABI);
  return status ? status
                : mamba_bundle_open(folder, {2}_CHECKSUM, bundle);
}}
{4}
#ifdef __cplusplus
}} /* extern "C" */
#endif

#endif /* MAMBA_BUNDLE_{2}_H */
)",
      manifest.name, trainingText(manifest), upperCase(manifest.name), checksum,
      functions);
}
