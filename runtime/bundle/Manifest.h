//===- Manifest.h - What a bundle holds -------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bundle is a folder: manifest.json says what functions take and which
// targets there are, TARGET.json all that launches on one need to know, and
// other files are code. A program reads the target of its GPU only.
// docs/bundles.md describes it for readers in other languages.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BUNDLE_MANIFEST_H
#define MAMBA_RUNTIME_BUNDLE_MANIFEST_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mamba {

inline constexpr const char *kManifestFile = "manifest.json";
/// The format's version. A reader takes this one only.
inline constexpr int64_t kManifestVersion = 2;

/// A file of a bundle.
struct BundleFile {
  /// Its name in the bundle's folder: no path.
  std::string name;
  int64_t bytes = 0;
  std::string sha256;
};

/// One form of a variant's code.
struct CodeFile {
  ImageKind kind = ImageKind::Cubin;
  BundleFile file;
};

/// A function compiled for one target, in several forms.
struct BundleVariant {
  /// Without an image; its kind means nothing.
  Artifact artifact;
  /// Extents of batch, length and channels that the schedule was chosen for; -1
  /// where none. The code is right for every extent.
  int64_t madeFor[3] = {-1, -1, -1};
  std::vector<CodeFile> code;
};

struct BundleFunction {
  std::string name;
  /// The function as the compiler was given it: MLIR.
  std::string problem;
  /// Inputs and results, the same in every variant.
  std::vector<TensorSpec> tensors;
  uint32_t numInputs = 0;
  uint32_t numResults = 0;
};

/// That there is code for a target, of which forms, and where it is described.
struct BundleTarget {
  /// As DeviceInfo::target.
  std::string target;
  std::vector<ImageKind> forms;
  BundleFile file;
};

/// What TARGET.json holds: the variants of each function of the manifest.
struct TargetManifest {
  std::string target;
  std::vector<std::vector<BundleVariant>> variants;
};

/// That one function computes the gradients of another.
struct BundleTraining {
  std::string forward;
  std::string backward;
  /// Steps from one saved state to the next; 0 if nothing is saved.
  int64_t saveEvery = 0;
  /// Last results of forward, which backward takes under the same names.
  std::vector<std::string> saved;
};

struct Manifest {
  /// An identifier; the C header and its functions are called so.
  std::string name;
  /// What made it.
  std::string compiler;
  std::vector<BundleFunction> functions;
  std::vector<BundleTarget> targets;
  std::optional<BundleTraining> training;
};

/// manifest.json. Tensor names are identifiers, different in a function.
std::string writeManifest(const Manifest &manifest);
/// TARGET.json, for a target of `manifest`.
std::string writeTarget(const Manifest &manifest, const TargetManifest &target);

/// The checksum that `text` ends with: of all bytes in front of it. It stands
/// for the whole bundle, since the manifest has those of all files. Empty where
/// there is none.
std::string_view manifestChecksum(std::string_view text);

/// Reads what writeManifest wrote. CorruptData, saying where, if it was cut or
/// changed, is of another version, or contradicts itself.
Result<Manifest> readManifest(std::string_view text);
/// The same for writeTarget, and a manifest that names the target.
Result<TargetManifest> readTarget(std::string_view text,
                                  const Manifest &manifest);

} // namespace mamba

#endif // MAMBA_RUNTIME_BUNDLE_MANIFEST_H
