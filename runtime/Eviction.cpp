//===- Eviction.cpp - Which cache entries go ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Least recently used first, by the modification time that a read renews.
// Several processes may evict at a time: a file that is gone already is as good
// as removed.
//
//===----------------------------------------------------------------------===//

#include "runtime/DiskStore.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace mamba {

namespace {

struct StoredFile {
  std::string name;
  int64_t bytes;
  timespec used;
};

bool usedEarlier(const StoredFile &a, const StoredFile &b) {
  if (a.used.tv_sec != b.used.tv_sec)
    return a.used.tv_sec < b.used.tv_sec;
  return a.used.tv_nsec < b.used.tv_nsec;
}

std::vector<StoredFile> listFiles(int folder) {
  std::vector<StoredFile> files;
  // Opened anew, since a duplicate would share its position with others.
  int descriptor = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = descriptor < 0 ? nullptr : ::fdopendir(descriptor);
  if (!stream) {
    if (descriptor >= 0)
      ::close(descriptor);
    return files;
  }
  while (dirent *entry = ::readdir(stream)) {
    struct stat facts;
    if (::fstatat(folder, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(facts.st_mode))
      files.push_back({entry->d_name, facts.st_size, facts.st_mtim});
  }
  ::closedir(stream);
  return files;
}

} // namespace

int64_t evict(int folder, int64_t maxBytes) {
  std::vector<StoredFile> entries;
  int64_t total = 0;
  for (StoredFile &file : listFiles(folder)) {
    if (file.name.ends_with(".entry")) {
      total += file.bytes;
      entries.push_back(std::move(file));
    } else if (file.name.ends_with(".tmp")) {
      removeAbandoned(folder, file.name);
    }
  }
  std::sort(entries.begin(), entries.end(), usedEarlier);
  for (const StoredFile &entry : entries) {
    if (total <= maxBytes)
      break;
    ::unlinkat(folder, entry.name.c_str(), 0);
    total -= entry.bytes;
  }
  return total;
}

} // namespace mamba
