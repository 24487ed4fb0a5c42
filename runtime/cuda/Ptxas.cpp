//===- Ptxas.cpp - PTX to machine code by NVIDIA's assembler --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whether ptxas knows an architecture is asked only once it has refused one:
// what it then says of a kernel that does nothing tells the two reasons apart.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Ptxas.h"

#include "runtime/Environment.h"
#include "runtime/RunProgram.h"
#include "runtime/cuda/Compatibility.h"
#include "runtime/cuda/OpenLibrary.h"
#include "runtime/cuda/ToolkitPaths.h"

#include <cstdio>
#include <fmt/format.h>

namespace mamba::cuda {

namespace {

/// A kernel that does nothing, in PTX that all assemblers take since CUDA 11.
constexpr std::string_view kEmptyKernel =
    ".version 7.0\n.target sm_80\n.address_size 64\n"
    ".visible .entry nothing() { ret; }\n";

constexpr std::string_view kElfMagic = "\x7f"
                                       "ELF";

/// Without the empty lines at its end.
std::string_view trimmed(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \n") + 1);
}

/// 13000 for "... release 13.0, V13.0.88 ..."; 0 if no release is named.
int releaseIn(const std::string &text) {
  size_t at = text.find("release ");
  int major = 0, minor = 0;
  if (at == std::string::npos ||
      std::sscanf(text.c_str() + at, "release %3d.%2d", &major, &minor) != 2)
    return 0;
  return 1000 * major + 10 * minor;
}

/// The release of the program at `path`, or why it is not to be used.
Result<int> askRelease(const std::string &path) {
  std::string arguments[] = {"--version"};
  MAMBA_ASSIGN_OR_RETURN(ProgramEnd end, runProgram(path, arguments));
  if (!end.failure.empty())
    return Status(StatusCode::NotFound,
                  fmt::format("'{} --version' ends with {}: {}", path,
                              end.failure, trimmed(end.errors)));
  if (int release = releaseIn(end.output))
    return release;
  return Status(StatusCode::NotFound,
                fmt::format("'{} --version' names no release of CUDA", path));
}

} // namespace

Result<std::unique_ptr<Ptxas>> Ptxas::load(std::span<const std::string> paths) {
  std::string tried;
  for (const std::string &path : paths) {
    Result<int> release = askRelease(path);
    if (release.ok())
      return std::make_unique<Ptxas>(path, *release);
    tried += "\n  " + release.status().message();
  }
  return Status(
      StatusCode::NotFound,
      fmt::format(
          "NVIDIA's program ptxas was not found, or did not "
          "work; it makes machine code of PTX. Tried:{}\nIt comes with the "
          "CUDA toolkit, or with 'pip install "
          "nvidia-cuda-nvcc'. If it is elsewhere, set "
          "MAMBA_PTXAS to its path.",
          tried));
}

Result<const Ptxas *> Ptxas::get() {
  return loadOnce<Ptxas>(
      [] { return programPaths(Environment::get().ptxas, "ptxas"); });
}

std::string Ptxas::version() const {
  return fmt::format("ptxas {}.{} ({})", cudaVersion_ / 1000,
                     cudaVersion_ % 1000 / 10, path_);
}

Result<std::string> Ptxas::run(std::string_view ptx, const std::string &name,
                               std::string_view target) const {
  std::string arguments[] = {fmt::format("-arch={}", target), "/dev/stdin",
                             "-o", "/dev/stdout"};
  MAMBA_ASSIGN_OR_RETURN(ProgramEnd end, runProgram(path_, arguments, ptx));
  if (!end.failure.empty())
    return Status(StatusCode::CompileError,
                  fmt::format("{} refuses {} for {} ({}); its log:\n{}",
                              version(), name, target, end.failure,
                              trimmed(end.errors)));
  if (!end.output.starts_with(kElfMagic))
    return Status(StatusCode::CompileError,
                  fmt::format("{} made no machine code of {} for {}: found {} "
                              "bytes, required is an ELF file; set MAMBA_PTXAS "
                              "to the path of NVIDIA's ptxas",
                              version(), name, target, end.output.size()));
  return std::move(end.output);
}

/// Unsupported if `ptx` or `target` is newer than this release.
Status Ptxas::checkKnown(std::string_view ptx, const std::string &name,
                         std::string_view target) const {
  int found = ptxVersionOf(ptx), newest = maxPtxVersion(cudaVersion_);
  if (found > newest)
    return Status(StatusCode::Unsupported,
                  fmt::format("{} takes PTX up to version {}.{}, and {} is of "
                              "version {}.{}: set MAMBA_PTXAS to a newer one",
                              version(), newest / 10, newest % 10, name,
                              found / 10, found % 10));
  Result<std::string> probe = run(kEmptyKernel, "an empty kernel", target);
  if (probe.code() != StatusCode::CompileError)
    return probe.status();
  return Status(StatusCode::Unsupported,
                fmt::format("{}\nSet MAMBA_PTXAS to a newer one, or do without "
                            "machine code",
                            probe.status().message()));
}

Result<std::string> Ptxas::assemble(std::string_view ptx,
                                    const std::string &name,
                                    std::string_view target) const {
  if (architectureNumber(target) == 0)
    return Status(
        StatusCode::Unsupported,
        fmt::format("'{}' is not a GPU architecture such as sm_90", target));
  Result<std::string> cubin = run(ptx, name, target);
  if (cubin.code() == StatusCode::CompileError)
    MAMBA_RETURN_IF_ERROR(checkKnown(ptx, name, target));
  return cubin;
}

} // namespace mamba::cuda
