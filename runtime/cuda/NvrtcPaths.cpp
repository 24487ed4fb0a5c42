//===- NvrtcPaths.cpp - Where NVRTC may lie -------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/NvrtcPaths.h"

#include "runtime/Environment.h"

#include <algorithm>
#include <filesystem>
#include <link.h>

namespace fs = std::filesystem;

namespace mamba::cuda {

namespace {

/// The newest first; libraries of older CUDA lack what the kernels use.
constexpr const char *kNames[] = {"libnvrtc.so.13", "libnvrtc.so.12",
                                  "libnvrtc.so"};

/// "libnvrtc.so.13", and not "libnvrtc-builtins.so.13.0".
bool isNvrtc(const fs::path &path) {
  return path.filename().string().starts_with("libnvrtc.so");
}

void addLoaded(std::vector<std::string> &paths) {
  auto visit = [](dl_phdr_info *info, size_t, void *data) {
    if (isNvrtc(info->dlpi_name))
      static_cast<std::vector<std::string> *>(data)->push_back(info->dlpi_name);
    return 0;
  };
  ::dl_iterate_phdr(visit, &paths);
}

/// The folders in `parent` whose names begin with `prefix`, the last by name
/// first.
std::vector<fs::path> foldersIn(const fs::path &parent,
                                std::string_view prefix) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator it(parent, error), end; !error && it != end;
       it.increment(error))
    if (it->path().filename().string().starts_with(prefix))
      folders.push_back(it->path());
  std::sort(folders.rbegin(), folders.rend());
  return folders;
}

/// What is there of the names in `folder`.
void addFrom(const fs::path &folder, std::vector<std::string> &paths) {
  std::error_code error;
  for (const char *name : kNames)
    if (fs::exists(folder / name, error))
      paths.push_back((folder / name).string());
}

/// The wheels' folders below a Python's: nvidia-cuda-nvrtc of CUDA 13 and 12.
void addFromPython(const fs::path &lib, std::vector<std::string> &paths) {
  for (const fs::path &python : foldersIn(lib, "python3"))
    for (const char *site : {"site-packages", "dist-packages"})
      for (const char *wheel : {"cu13", "cuda_nvrtc"})
        addFrom(python / site / "nvidia" / wheel / "lib", paths);
}

} // namespace

std::vector<std::string> nvrtcPaths() {
  const Environment &environment = Environment::get();
  if (!environment.libnvrtc.empty())
    return {environment.libnvrtc};
  std::vector<std::string> paths;
  addLoaded(paths);
  paths.insert(paths.end(), std::begin(kNames), std::end(kNames));
  for (const std::string &toolkit : environment.cudaHomes)
    addFrom(fs::path(toolkit) / "lib64", paths);
  addFrom("/usr/local/cuda/lib64", paths);
  for (const fs::path &toolkit : foldersIn("/usr/local", "cuda-"))
    addFrom(toolkit / "lib64", paths);
  addFrom("/usr/lib/x86_64-linux-gnu", paths);
  for (const std::string &prefix : environment.pythonPrefixes)
    addFromPython(fs::path(prefix) / "lib", paths);
  for (const char *prefix : {"/usr/local/lib", "/usr/lib"})
    addFromPython(prefix, paths);
  return paths;
}

} // namespace mamba::cuda
