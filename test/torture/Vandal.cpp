//===- Vandal.cpp - Breaks the cache's files ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In place, while others read and write them: what a bad disk, a full one or a
// careless person does. Temporary files are broken too, but not removed: their
// writer would rightly complain.
//
//===----------------------------------------------------------------------===//

#include "runtime/FileIO.h"
#include "test/torture/Worker.h"

#include <fcntl.h>
#include <filesystem>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace mamba::torture {

static std::vector<fs::path> listFiles(const std::string &folder) {
  std::vector<fs::path> files;
  std::error_code missing;
  for (fs::directory_iterator file(folder, missing), end; file != end;
       file.increment(missing))
    files.push_back(file->path());
  return files;
}

static bool flipBit(int file, off_t place, int bit) {
  char byte = 0;
  if (::pread(file, &byte, 1, place) != 1)
    return false;
  byte = static_cast<char>(byte ^ 1 << bit);
  return ::pwrite(file, &byte, 1, place) == 1;
}

/// True if something was broken.
static bool damage(const fs::path &path, std::mt19937_64 &random) {
  if (random() % 8 == 0 && path.extension() == ".entry")
    return ::unlink(path.c_str()) == 0;
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat facts;
  if (!file.valid() || ::fstat(file.get(), &facts) != 0 || facts.st_size == 0)
    return false;
  auto place = static_cast<off_t>(random() % uint64_t(facts.st_size));
  if (random() % 2)
    return ::ftruncate(file.get(), place) == 0;
  return flipBit(file.get(), place, static_cast<int>(random() % 8));
}

void vandalize(const Run &run, uint64_t seed) {
  std::mt19937_64 random(seed);
  while (!run.tally->stopVandal) {
    std::vector<fs::path> files = listFiles(run.options.directory);
    if (!files.empty() && damage(files[random() % files.size()], random))
      ++run.tally->damages;
    ::usleep(random() % 3000);
  }
}

} // namespace mamba::torture
