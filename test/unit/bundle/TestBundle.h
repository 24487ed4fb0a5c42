//===- TestBundle.h - Bundles for tests -------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_BUNDLE_TESTBUNDLE_H
#define MAMBA_TEST_UNIT_BUNDLE_TESTBUNDLE_H

#include "runtime/bundle/Manifest.h"
#include "runtime/bundle/Sha256.h"
#include "test/unit/runtime/TestArtifacts.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace mamba::test {

/// PTX that the fake driver takes, for chunkedSumArtifact().
inline const std::string kBundlePtx =
    ".version 8.2\n.target sm_90\n// args 5\n"
    ".visible .entry sum_chunks\n.visible .entry sum_partials\n";

inline BundleFile bundleFile(std::string name, std::string_view bytes) {
  return {std::move(name), static_cast<int64_t>(bytes.size()), sha256(bytes)};
}

inline CodeFile codeFile(ImageKind kind, std::string name,
                         std::string_view bytes) {
  return {kind, bundleFile(std::move(name), bytes)};
}

inline BundleVariant variantOf(const Artifact &artifact, std::string target) {
  BundleVariant variant{artifact, {-1, -1, -1}, {}};
  variant.artifact.target = std::move(target);
  variant.artifact.image.clear();
  variant.artifact.kind = ImageKind::Cubin;
  variant.artifact.schedule = "#ssm.schedule<items = 4>";
  return variant;
}

inline BundleFunction functionOf(const Artifact &artifact) {
  BundleFunction function;
  function.name = artifact.name;
  function.problem = "func.func @f() { \"quoted\" }\n";
  function.numInputs = artifact.numInputs;
  function.numResults = artifact.numResults;
  function.tensors = artifact.tensors;
  function.tensors.resize(artifact.layouts.size());
  return function;
}

inline void writeBytes(const std::filesystem::path &path,
                       std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A bundle with one target.
struct TestBundle {
  Manifest manifest;
  TargetManifest target;

  /// The target's file, which the manifest has the checksum of from now on.
  std::string targetText() {
    std::string text = writeTarget(manifest, target);
    manifest.targets[0].target = target.target;
    manifest.targets[0].file = bundleFile("target.json", text);
    return text;
  }
  std::string manifestText() {
    targetText();
    return writeManifest(manifest);
  }
  void write(const std::filesystem::path &folder) {
    writeBytes(folder / "target.json", targetText());
    writeBytes(folder / kManifestFile, writeManifest(manifest));
  }
};

/// sums(b) = sum over l of x(b, l) for sm_90, by a cubin and by PTX.
inline TestBundle sumBundle() {
  Artifact artifact = chunkedSumArtifact();
  for (LaunchSpec &launch : artifact.launches)
    launch.blockSize = 128;
  BundleVariant variant = variantOf(artifact, "sm_90");
  variant.code = {codeFile(ImageKind::Cubin, "sum.cubin", kBundlePtx),
                  codeFile(ImageKind::Ptx, "sum.ptx", kBundlePtx)};
  TestBundle bundle;
  bundle.manifest.name = "sum";
  bundle.manifest.compiler = "test";
  bundle.manifest.functions = {functionOf(artifact)};
  bundle.manifest.targets = {{"sm_90", {ImageKind::Cubin, ImageKind::Ptx}, {}}};
  bundle.target = {"sm_90", {{variant}}};
  return bundle;
}

/// `text` with the checksum that its other bytes have.
inline std::string resigned(std::string text) {
  std::string_view old = manifestChecksum(text);
  size_t place = old.data() - text.data();
  return text.replace(place, 64,
                      sha256(std::string_view(text).substr(0, place)));
}

/// A folder that is gone when the test ends.
class TemporaryFolder {
public:
  TemporaryFolder()
      : path_(std::filesystem::path(testing::TempDir()) /
              ("bundle-" + std::to_string(::getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path &path() const { return path_; }
  std::string text() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_BUNDLE_TESTBUNDLE_H
