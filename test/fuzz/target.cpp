//===- target.cpp - Fuzzes the targets of bundles -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// As manifest.cpp, for the functions of a fixed manifest.
//
//===----------------------------------------------------------------------===//

#include "runtime/Binding.h"
#include "runtime/bundle/Manifest.h"
#include "runtime/bundle/Sha256.h"
#include "test/unit/runtime/TestArtifacts.h"

#include <vector>

using namespace mamba;
using namespace mamba::test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const Manifest manifest = [] {
    Artifact artifact = chunkedSumArtifact();
    BundleFunction function;
    function.name = artifact.name;
    function.numInputs = artifact.numInputs;
    function.numResults = artifact.numResults;
    function.tensors = artifact.tensors;
    function.tensors.resize(artifact.layouts.size());
    Manifest made;
    made.functions = {function};
    return made;
  }();
  std::string text(reinterpret_cast<const char *>(data), size);
  text += "\n  \"sha256\": \"";
  text += sha256(text) + "\"\n}\n";
  Result<TargetManifest> target = readTarget(text, manifest);
  if (!target.ok())
    return 0;
  // What is taken launches or is refused, and never computes out of bounds.
  for (const BundleVariant &variant : target->variants.front()) {
    Signature signature(variant.artifact);
    float memory[64] = {};
    TensorView views[] = {TensorView::contiguous(memory, DType::F32, {2, 9}),
                          TensorView::contiguous(memory + 32, DType::F32, {2})};
    Binding binding;
    if (!binding.bind(signature, views).ok())
      continue;
    for (const LaunchSpec &launch : variant.artifact.launches) {
      std::vector<int64_t> args(launch.args.size());
      if (binding.numBlocks(launch, INT64_MAX / 4).ok())
        binding.fillArgs(launch, memory, args);
    }
  }
  return 0;
}
