//===- ToolkitPaths.cpp - Where the parts of the toolkit lie --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/ToolkitPaths.h"

#include "runtime/Environment.h"

#include <algorithm>
#include <filesystem>
#include <link.h>

namespace fs = std::filesystem;

namespace mamba::cuda {

namespace {

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

/// Where parts of one kind lie.
struct Places {
  std::string_view inToolkit; ///< The folder of a toolkit that has them.
  std::string_view system;    ///< One of the system's packages; may be empty.
  std::string_view wheel;     ///< Of CUDA 12's wheel; those of 13 share one.
  std::string_view inWheel;   ///< The folder of a wheel that has them.
};

/// Adds the wheels' folders below a Python's.
void addWheels(std::vector<fs::path> &folders, const fs::path &lib,
               const Places &places) {
  std::error_code error;
  for (const fs::path &python : foldersIn(lib, "python3"))
    for (const char *site : {"site-packages", "dist-packages"})
      for (std::string_view name : {std::string_view("cu13"), places.wheel})
        if (fs::path folder = python / site / "nvidia" / name / places.inWheel;
            fs::exists(folder, error))
          folders.push_back(std::move(folder));
}

/// All folders to look in, in order. Wheels' are there.
std::vector<fs::path> foldersOf(const Places &places) {
  const Environment &environment = Environment::get();
  std::vector<fs::path> folders;
  for (const std::string &toolkit : environment.cudaHomes)
    folders.push_back(fs::path(toolkit) / places.inToolkit);
  folders.push_back(fs::path("/usr/local/cuda") / places.inToolkit);
  for (const fs::path &toolkit : foldersIn("/usr/local", "cuda-"))
    folders.push_back(toolkit / places.inToolkit);
  if (!places.system.empty())
    folders.emplace_back(places.system);
  for (const std::string &prefix : environment.pythonPrefixes)
    addWheels(folders, fs::path(prefix) / "lib", places);
  for (const char *prefix : {"/usr/local/lib", "/usr/lib"})
    addWheels(folders, prefix, places);
  return folders;
}

/// Collects the paths of one library.
class Search {
public:
  /// The newest first; libraries of older CUDA lack what the kernels use.
  explicit Search(std::string_view library)
      : library_(library),
        names_{library_ + ".13", library_ + ".12", library_} {}

  void addLoaded() { ::dl_iterate_phdr(visitLoaded, this); }
  void addNames() { paths.insert(paths.end(), names_.begin(), names_.end()); }
  /// What is there of the names in `folder`.
  void addFrom(const fs::path &folder);

  std::vector<std::string> paths;

private:
  static int visitLoaded(dl_phdr_info *info, size_t, void *data);

  std::string library_;
  std::vector<std::string> names_;
};

/// "libnvrtc.so.13" for "libnvrtc.so", and not "libnvrtc-builtins.so.13.0".
int Search::visitLoaded(dl_phdr_info *info, size_t, void *data) {
  auto &search = *static_cast<Search *>(data);
  if (fs::path(info->dlpi_name)
          .filename()
          .string()
          .starts_with(search.library_))
    search.paths.push_back(info->dlpi_name);
  return 0;
}

void Search::addFrom(const fs::path &folder) {
  std::error_code error;
  for (const std::string &name : names_)
    if (fs::exists(folder / name, error))
      paths.push_back((folder / name).string());
}

} // namespace

std::vector<std::string> libraryPaths(const std::string &wanted,
                                      std::string_view library,
                                      std::string_view wheel) {
  if (!wanted.empty())
    return {wanted};
  Search search(library);
  search.addLoaded();
  search.addNames();
  for (const fs::path &folder :
       foldersOf({"lib64", "/usr/lib/x86_64-linux-gnu", wheel, "lib"}))
    search.addFrom(folder);
  return std::move(search.paths);
}

std::vector<std::string> programPaths(const std::string &wanted,
                                      std::string_view program) {
  if (!wanted.empty())
    return {wanted};
  std::vector<std::string> paths;
  for (const fs::path &folder : foldersOf({"bin", "", "cuda_nvcc", "bin"}))
    paths.push_back((folder / program).string());
  return paths;
}

} // namespace mamba::cuda
