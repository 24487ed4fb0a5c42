//===- ManifestTest.cpp - A bundle's manifest -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/bundle/Manifest.h"

#include "runtime/ArtifactIO.h"
#include "test/unit/bundle/TestBundle.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace mamba;
using namespace mamba::test;
using nlohmann::ordered_json;

namespace {

/// Two functions that are a pair, with all that a bundle can hold.
TestBundle fullBundle() {
  TestBundle bundle = sumBundle();
  BundleVariant special = bundle.target.variants[0][0];
  special.artifact.layouts = {{1, 16}, {0, 8}};
  special.artifact.lengthMultiple = 16;
  special.artifact.tensors.back().isZeroed = true;
  special.madeFor[0] = 8;
  special.madeFor[1] = 2048;
  special.code.push_back(codeFile(ImageKind::Cuda, "sum.cu", "code"));
  bundle.target.variants[0].insert(bundle.target.variants[0].begin(), special);
  bundle.manifest.functions.push_back(functionOf(scaleArtifact()));
  BundleVariant scale = variantOf(scaleArtifact(), "sm_90");
  scale.code = {codeFile(ImageKind::Ptx, "scale.ptx", "text")};
  bundle.target.variants.push_back({scale});
  bundle.manifest.training = {"chunked_sum", "scale", 32, {"sums"}};
  return bundle;
}

template <typename Read>
void expectCorrupt(Read &&read, std::string_view text,
                   const std::string &part) {
  auto result = read(text);
  ASSERT_FALSE(result.ok()) << part;
  EXPECT_EQ(result.code(), StatusCode::CorruptData);
  EXPECT_NE(result.status().message().find(part), std::string::npos)
      << "no '" << part << "' in: " << result.status().message();
}

Result<TargetManifest> readSums(std::string_view text) {
  return readTarget(text, fullBundle().manifest);
}

/// `text` with `from` replaced by `to`, and a checksum that fits.
std::string changed(std::string text, const std::string &from,
                    const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return resigned(text.replace(at, from.size(), to));
}
std::string changedManifest(const std::string &from, const std::string &to) {
  return changed(fullBundle().manifestText(), from, to);
}
std::string changedTarget(const std::string &from, const std::string &to) {
  return changed(fullBundle().targetText(), from, to);
}

TEST(ManifestTest, ComesBackAsItWas) {
  TestBundle bundle = fullBundle();
  std::string text = bundle.manifestText(), targetText = bundle.targetText();
  Result<Manifest> read = readManifest(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(writeManifest(*read), text);
  ASSERT_EQ(read->functions.size(), 2u);
  EXPECT_EQ(read->functions[0].problem, bundle.manifest.functions[0].problem);
  EXPECT_EQ(read->training->saveEvery, 32);
  EXPECT_EQ(read->training->saved, bundle.manifest.training->saved);
  Result<TargetManifest> target = readTarget(targetText, *read);
  ASSERT_TRUE(target.ok()) << target.status().message();
  EXPECT_EQ(writeTarget(*read, *target), targetText);
  for (size_t i = 0; i < 2; ++i) {
    const BundleVariant &before = bundle.target.variants[0][i];
    BundleVariant after = target->variants[0][i];
    after.artifact.kind = before.artifact.kind;
    EXPECT_EQ(serialize(after.artifact), serialize(before.artifact));
    EXPECT_EQ(after.madeFor[1], before.madeFor[1]);
    ASSERT_EQ(after.code.size(), before.code.size());
    EXPECT_EQ(after.code.back().file.sha256, before.code.back().file.sha256);
  }
}

TEST(ManifestTest, LinesFitAScreen) {
  std::istringstream lines(fullBundle().manifestText() +
                           fullBundle().targetText());
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 110u) << line;
}

TEST(ManifestTest, EveryCutIsSeen) {
  std::string text = sumBundle().manifestText(),
              target = sumBundle().targetText();
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(readManifest(text.substr(0, size)).ok()) << size;
  for (size_t size = 0; size < target.size(); ++size)
    EXPECT_FALSE(readSums(target.substr(0, size)).ok()) << size;
}

TEST(ManifestTest, EveryFlippedBitIsSeen) {
  std::string text = sumBundle().manifestText(),
              target = sumBundle().targetText();
  for (size_t i = 0; i < std::max(text.size(), target.size()); ++i) {
    std::string bad = text, badTarget = target;
    bad[i % bad.size()] ^= static_cast<char>(1 << i % 8);
    badTarget[i % badTarget.size()] ^= static_cast<char>(1 << i % 8);
    EXPECT_FALSE(readManifest(bad).ok()) << i;
    EXPECT_FALSE(readTarget(badTarget, sumBundle().manifest).ok()) << i;
  }
}

TEST(ManifestTest, ErrorsSayWhere) {
  expectCorrupt(readManifest, "{", "is no JSON");
  expectCorrupt(readManifest, "{}", "format is missing");
  expectCorrupt(readManifest, "[1, 2]", "format is missing");
  expectCorrupt(readManifest, R"({"format": "zip", "version": 2})",
                "its format is 'zip', required is mamba-bundle");
  expectCorrupt(readManifest, R"({"format": "mamba-bundle", "version": 9})",
                "its version is 9; this loader reads 2");
  expectCorrupt(readManifest, R"({"format": "mamba-bundle", "version": 2})",
                "its checksum does not match");
  expectCorrupt(
      readManifest, fullBundle().targetText(),
      "its format is 'mamba-bundle-target', required is mamba-bundle");
  expectCorrupt(
      readManifest,
      changedManifest("\"backward\": \"scale\"", "\"backward\": \"s\""),
      "training names 's', which is no function here");
  expectCorrupt(readManifest,
                changedManifest("\"name\": \"sums\"", "\"name\": \"x\""),
                "has two tensors 'x'");
  expectCorrupt(
      readManifest,
      changedManifest("\"name\": \"scale\"", "\"name\": \"chunked_sum\""),
      "two functions 'chunked_sum'");
}

TEST(ManifestTest, ErrorsOfTargetsSayWhere) {
  expectCorrupt(readSums, fullBundle().manifestText(),
                "required is mamba-bundle-target");
  expectCorrupt(readSums, changedTarget("\"block\": 128", "\"block\": 4096"),
                "functions[0].variants[0].launches[0].block is no whole number "
                "from 1 to 1024");
  expectCorrupt(readSums, changedTarget("ceil(l / 4)\"]", "ceil(q / 4)\"]"),
                "is 'ceil(q / 4)', required a");
  expectCorrupt(readSums, changedTarget("stride(x, 0)", "stride(q, 0)"),
                "args[1] is 'stride(q, 0)', required pointer(TENSOR)");
  expectCorrupt(readSums,
                changedTarget("\"alignment\": 16", "\"alignment\": 3"),
                "alignment 3 is not 1, 2, 4, 8 or 16");
  expectCorrupt(readSums, changedTarget("\"sum.cu\"", "\"sum.cubin\""),
                "'sum.cubin' has two checksums");
  expectCorrupt(readSums,
                changedTarget("\"tensor\": \"sums\"", "\"tensor\": \"x\""),
                "is not of the tensor whose turn it is");
  expectCorrupt(
      readSums,
      changedTarget("\"name\": \"chunked_sum\"", "\"name\": \"scale\""),
      "functions[0] is not the function whose turn it is");
}

TEST(ManifestTest, FilesCannotBeElsewhere) {
  for (const char *name :
       {"../sum.cubin", "/etc/passwd", "", ".", "..", ".x", "a/b", "a\\u0000b"})
    expectCorrupt(readSums, changedTarget("sum.cubin", name),
                  "required a name without a path");
  for (const char *name : {"../target.json", "a/b"})
    expectCorrupt(readManifest, changedManifest("target.json", name),
                  "required a name without a path");
}

TEST(ManifestTest, NamesAreIdentifiers) {
  for (const char *name : {"9x", "", "a b", "x)", "_x", "x;y", "\\u00fc"})
    expectCorrupt(readManifest,
                  changedManifest("\"name\": \"sum\"",
                                  fmt::format("\"name\": \"{}\"", name)),
                  "required letters, digits and underscores");
}

/// The places of all values in `value`.
void collect(const ordered_json &value, const ordered_json::json_pointer &place,
             std::vector<ordered_json::json_pointer> &places) {
  places.push_back(place);
  if (value.is_structured())
    for (const auto &[key, element] : value.items())
      collect(element, value.is_array() ? place / std::stoul(key) : place / key,
              places);
}

/// Every value of a file in turn is something else; no such file makes the
/// reader do more than refuse it, or take what makes sense.
template <typename Read>
void expectNoHarm(const std::string &text, Read &&read) {
  const ordered_json whole = ordered_json::parse(text);
  const ordered_json values[] = {nullptr,
                                 true,
                                 -1,
                                 0,
                                 7,
                                 1e30,
                                 UINT64_MAX,
                                 "",
                                 "ceil(l / 0)",
                                 "other",
                                 ordered_json::array(),
                                 ordered_json::object()};
  std::vector<ordered_json::json_pointer> places;
  collect(whole, ordered_json::json_pointer(), places);
  size_t refused = 0, taken = 0;
  for (const ordered_json::json_pointer &place : places)
    for (const ordered_json &value : values) {
      ordered_json bad = whole;
      bad[place] = value;
      std::string mutant = bad.dump(2) + "\n";
      if (manifestChecksum(mutant).empty())
        continue;
      auto result = read(resigned(mutant));
      ++(result.ok() ? taken : refused);
      if (!result.ok())
        EXPECT_EQ(result.code(), StatusCode::CorruptData);
    }
  EXPECT_GT(refused, 300u);
  EXPECT_GT(taken, 20u);
}

TEST(ManifestTest, AnyValueMayBeAnything) {
  expectNoHarm(fullBundle().manifestText(),
               [](std::string_view text) { return readManifest(text); });
  expectNoHarm(fullBundle().targetText(), readSums);
}

TEST(ManifestTest, DeepNestingIsNoOverflow) {
  std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  EXPECT_EQ(readManifest(deep).code(), StatusCode::CorruptData);
}

} // namespace
