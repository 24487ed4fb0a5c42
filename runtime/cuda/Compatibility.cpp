//===- Compatibility.cpp - Which code runs on which GPU -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tables and comparisons.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Compatibility.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>

namespace mamba::cuda {

namespace {

struct Release {
  int cuda;
  int ptx;
};

constexpr Release kReleases[] = {
    {11000, 70}, {11010, 71}, {11020, 72}, {11030, 73}, {11040, 74},
    {11050, 75}, {11060, 76}, {11070, 77}, {11080, 78}, {12000, 80},
    {12010, 81}, {12020, 82}, {12030, 83}, {12040, 84}, {12050, 85},
    {12070, 86}, {12080, 87}, {12090, 88}, {13000, 90}, {13010, 91}};

struct Architecture {
  int number = 0;  ///< 10 * major + minor.
  char suffix = 0; ///< 'a', 'f' or 0.
};

/// number stays 0 if `target` is not an sm_ name.
Architecture parseTarget(std::string_view target) {
  Architecture result;
  if (!target.starts_with("sm_"))
    return result;
  const char *end = target.data() + target.size();
  auto [rest, error] = std::from_chars(target.data() + 3, end, result.number);
  if (error != std::errc() || end - rest > 1)
    return {};
  if (rest != end)
    result.suffix = *rest;
  if (result.suffix && result.suffix != 'a' && result.suffix != 'f')
    return {};
  return result;
}

bool runsOn(ImageKind kind, Architecture code, Architecture device) {
  bool sameMajor = code.number / 10 == device.number / 10;
  if (code.suffix == 'a')
    return code.number == device.number;
  if (code.suffix == 'f' || kind == ImageKind::Cubin)
    return sameMajor && code.number <= device.number;
  return code.number <= device.number;
}

} // namespace

int maxPtxVersion(int cudaVersion) {
  int newest = 0;
  for (const Release &release : kReleases)
    if (release.cuda <= cudaVersion)
      newest = release.ptx;
  return newest;
}

int cudaVersionFor(int ptxVersion) {
  for (const Release &release : kReleases)
    if (release.ptx >= ptxVersion)
      return release.cuda;
  return 0;
}

int ptxVersionOf(std::string_view ptx) {
  constexpr std::string_view kDirective = ".version";
  size_t at = ptx.find(kDirective);
  if (at == std::string_view::npos)
    return 0;
  at = ptx.find_first_not_of(" \t", at + kDirective.size());
  if (at == std::string_view::npos)
    return 0;
  const char *end = ptx.data() + ptx.size();
  int major = 0, minor = 0;
  auto [dot, error] = std::from_chars(ptx.data() + at, end, major);
  if (error != std::errc() || dot == end || *dot != '.')
    return 0;
  std::from_chars(dot + 1, end, minor);
  return 10 * major + minor;
}

bool architectureRunsOn(ImageKind kind, std::string_view target,
                        std::string_view deviceTarget) {
  Architecture code = parseTarget(target), device = parseTarget(deviceTarget);
  return code.number != 0 && runsOn(kind, code, device);
}

int architectureNumber(std::string_view target) {
  return parseTarget(target).number;
}

Status checkTarget(ImageKind kind, std::string_view target,
                   std::string_view deviceTarget) {
  if (architectureNumber(target) == 0)
    return Status(StatusCode::Unsupported,
                  fmt::format("its target '{}' is not a GPU architecture such "
                              "as {}",
                              target, deviceTarget));
  if (architectureRunsOn(kind, target, deviceTarget))
    return Status();
  return Status(StatusCode::Unsupported,
                fmt::format("it was compiled for {}{}, and this device is {}: "
                            "compile it for {}",
                            target,
                            kind == ImageKind::Cubin ? " (machine code)" : "",
                            deviceTarget, deviceTarget));
}

} // namespace mamba::cuda
