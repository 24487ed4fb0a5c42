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

/// Two functions that are a pair, with all that a manifest can hold.
Manifest fullManifest() {
  Manifest manifest = sumManifest();
  BundleFunction &sum = manifest.functions.front();
  BundleVariant special = sum.variants.front();
  special.artifact.layouts = {{1, 16}, {0, 8}};
  special.artifact.lengthMultiple = 16;
  special.artifact.tensors.back().isZeroed = true;
  special.madeFor[0] = 8;
  special.madeFor[1] = 2048;
  special.code.push_back(codeFile(ImageKind::Cuda, "sum.cu", "code"));
  sum.variants.insert(sum.variants.begin(), special);
  BundleFunction scale = functionOf(scaleArtifact());
  scale.variants = {variantOf(scaleArtifact(), "test-cpu")};
  scale.variants[0].code = {codeFile(ImageKind::Object, "scale.o", "object")};
  manifest.functions.push_back(scale);
  manifest.training = {"chunked_sum", "scale", 32, {"sums"}};
  return manifest;
}

void expectCorrupt(std::string_view text, const std::string &part) {
  Result<Manifest> manifest = readManifest(text);
  ASSERT_FALSE(manifest.ok()) << part;
  EXPECT_EQ(manifest.code(), StatusCode::CorruptData);
  EXPECT_NE(manifest.status().message().find(part), std::string::npos)
      << "no '" << part << "' in: " << manifest.status().message();
}

/// The manifest with `from` replaced by `to`, and a checksum that fits.
std::string changed(const std::string &from, const std::string &to) {
  std::string text = writeManifest(fullManifest());
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return resigned(text.replace(at, from.size(), to));
}

TEST(ManifestTest, ComesBackAsItWas) {
  Manifest manifest = fullManifest();
  std::string text = writeManifest(manifest);
  Result<Manifest> read = readManifest(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(writeManifest(*read), text);
  ASSERT_EQ(read->functions.size(), 2u);
  EXPECT_EQ(read->functions[0].problem, manifest.functions[0].problem);
  for (size_t i = 0; i < 2; ++i) {
    const BundleVariant &before = manifest.functions[0].variants[i];
    BundleVariant after = read->functions[0].variants[i];
    after.artifact.kind = before.artifact.kind;
    EXPECT_EQ(serialize(after.artifact), serialize(before.artifact));
    EXPECT_EQ(after.madeFor[1], before.madeFor[1]);
    ASSERT_EQ(after.code.size(), before.code.size());
    EXPECT_EQ(after.code.back().sha256, before.code.back().sha256);
  }
  EXPECT_EQ(read->training->saveEvery, 32);
  EXPECT_EQ(read->training->saved, manifest.training->saved);
}

TEST(ManifestTest, LinesFitAScreen) {
  std::istringstream lines(writeManifest(fullManifest()));
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 110u) << line;
}

TEST(ManifestTest, EveryCutIsSeen) {
  std::string text = writeManifest(sumManifest());
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(readManifest(text.substr(0, size)).ok()) << size;
}

TEST(ManifestTest, EveryFlippedBitIsSeen) {
  std::string text = writeManifest(sumManifest());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] ^= static_cast<char>(1 << i % 8);
    EXPECT_FALSE(readManifest(bad).ok()) << i;
  }
}

TEST(ManifestTest, ErrorsSayWhere) {
  expectCorrupt("{", "is no JSON");
  expectCorrupt("{}", "format is missing");
  expectCorrupt("[1, 2]", "format is missing");
  expectCorrupt(R"({"format": "zip", "version": 1})",
                "its format is 'zip', required is mamba-bundle");
  expectCorrupt(R"({"format": "mamba-bundle", "version": 9})",
                "its version is 9; this loader reads 1");
  expectCorrupt(R"({"format": "mamba-bundle", "version": 1})",
                "its checksum does not match");
  expectCorrupt(changed("\"block\": 128", "\"block\": 4096"),
                "functions[0].variants[0].launches[0].block is no whole number "
                "from 1 to 1024");
  expectCorrupt(changed("ceil(l / 4)\"]", "ceil(q / 4)\"]"),
                "is 'ceil(q / 4)', required a");
  expectCorrupt(changed("stride(x, 0)", "stride(q, 0)"),
                "args[1] is 'stride(q, 0)', required pointer(TENSOR)");
  expectCorrupt(changed("\"alignment\": 16", "\"alignment\": 3"),
                "alignment 3 is not 1, 2, 4, 8 or 16");
  expectCorrupt(changed("\"backward\": \"scale\"", "\"backward\": \"s\""),
                "training names 's', which is no function here");
  expectCorrupt(changed("sum.cu\"", "sum.cubin\""),
                "'sum.cubin' has two checksums");
  expectCorrupt(changed("\"name\": \"sums\"", "\"name\": \"x\""),
                "is not of the tensor whose turn it is");
  expectCorrupt(changed("\"name\": \"scale\"", "\"name\": \"chunked_sum\""),
                "two functions 'chunked_sum'");
}

TEST(ManifestTest, FilesCannotBeElsewhere) {
  for (const char *name :
       {"../sum.cubin", "/etc/passwd", "", ".", "..", ".x", "a/b", "a\\u0000b"})
    expectCorrupt(changed("sum.cubin", name), "required a name without a path");
}

TEST(ManifestTest, NamesAreIdentifiers) {
  for (const char *name : {"9x", "", "a b", "x)", "_x", "x;y", "\\u00fc"})
    expectCorrupt(
        changed("\"name\": \"sum\"", fmt::format("\"name\": \"{}\"", name)),
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

/// Every value of the manifest in turn is something else; no such file makes
/// the reader do more than refuse it, or take what makes sense.
TEST(ManifestTest, AnyValueMayBeAnything) {
  const ordered_json whole = ordered_json::parse(writeManifest(fullManifest()));
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
      Result<Manifest> read = readManifest(resigned(mutant));
      ++(read.ok() ? taken : refused);
      if (!read.ok())
        EXPECT_EQ(read.code(), StatusCode::CorruptData);
    }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(taken, 50u);
}

} // namespace
