//===- ToolkitPaths.cpp - Where the toolkit's libraries lie ---------------===//
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
  /// The wheels' folders below a Python's.
  void addFromPython(const fs::path &lib, std::string_view wheel);

  std::vector<std::string> paths;

private:
  static int visitLoaded(dl_phdr_info *info, size_t, void *data);

  std::string library_;
  std::vector<std::string> names_;
};

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

void Search::addFromPython(const fs::path &lib, std::string_view wheel) {
  for (const fs::path &python : foldersIn(lib, "python3"))
    for (const char *site : {"site-packages", "dist-packages"})
      for (std::string_view folder : {std::string_view("cu13"), wheel})
        addFrom(python / site / "nvidia" / folder / "lib");
}

} // namespace

std::vector<std::string> toolkitPaths(const std::string &wanted,
                                      std::string_view library,
                                      std::string_view wheel) {
  if (!wanted.empty())
    return {wanted};
  const Environment &environment = Environment::get();
  Search search(library);
  search.addLoaded();
  search.addNames();
  for (const std::string &toolkit : environment.cudaHomes)
    search.addFrom(fs::path(toolkit) / "lib64");
  search.addFrom("/usr/local/cuda/lib64");
  for (const fs::path &toolkit : foldersIn("/usr/local", "cuda-"))
    search.addFrom(toolkit / "lib64");
  search.addFrom("/usr/lib/x86_64-linux-gnu");
  for (const std::string &prefix : environment.pythonPrefixes)
    search.addFromPython(fs::path(prefix) / "lib", wheel);
  for (const char *prefix : {"/usr/local/lib", "/usr/lib"})
    search.addFromPython(prefix, wheel);
  return std::move(search.paths);
}

} // namespace mamba::cuda
