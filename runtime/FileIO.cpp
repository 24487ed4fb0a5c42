//===- FileIO.cpp - Whole files, with errors ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Temporary names hold the process, a counter and the time, so that neither
// threads nor processes that reuse an identifier meet. Their files are locked
// while they are written: a lock ends with its process, however that ends, so
// an unlocked one is known to be left over.
//
//===----------------------------------------------------------------------===//

#include "runtime/FileIO.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace mamba {

namespace {

constexpr int64_t kMaxFileBytes = int64_t(4) << 30;
/// Where files can't be locked, older temporary files count as left over.
constexpr int64_t kAbandonedSeconds = 600;
/// A file that others take for left over before it is locked is made anew. With
/// many processes on few cores that happens some times in a row.
constexpr int kAttempts = 100;

std::string temporaryName(const std::string &path) {
  static std::atomic<uint32_t> counter{0};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{}.{}-{}-{:x}.tmp", path, ::getpid(), counter++,
                     now.tv_sec * 1000000000 + now.tv_nsec);
}

/// Closing tells of late errors, such as a full disk behind a network; that of
/// a duplicate does, and leaves the lock.
Status flush(int descriptor, const std::string &path) {
  FileDescriptor duplicate(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!duplicate.valid() || !duplicate.close())
    return errnoStatus("cannot write", path);
  return Status();
}

/// Locks a new file. False if its name is gone already.
bool lockNew(int descriptor) {
  // Not every file system has locks; without, the age of a file counts.
  while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR)
    ;
  struct stat facts;
  return ::fstat(descriptor, &facts) != 0 || facts.st_nlink > 0;
}

/// A new, locked file, and its name in `temporary`.
Result<FileDescriptor> createTemporary(int folder, const std::string &path,
                                       mode_t mode, std::string &temporary) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    temporary = temporaryName(path);
    FileDescriptor file(
        ::openat(folder, temporary.c_str(),
                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file.valid())
      return errnoStatus("cannot create", temporary);
    if (lockNew(file.get()))
      return file;
  }
  return Status(StatusCode::IoError,
                fmt::format("something removes '{}' as soon as it is created",
                            temporary));
}

} // namespace

bool FileDescriptor::close() {
  return descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0;
}

Status errnoStatus(std::string_view what, const std::string &path) {
  int error = errno;
  return Status(error == ENOENT ? StatusCode::NotFound : StatusCode::IoError,
                fmt::format("{} '{}': {}", what, path, std::strerror(error)));
}

Result<std::string> readFile(const std::string &path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid())
    return errnoStatus("cannot open", path);
  return readDescriptor(file.get(), path);
}

Result<std::string> readDescriptor(int descriptor, const std::string &path) {
  struct stat facts;
  if (::fstat(descriptor, &facts) != 0)
    return errnoStatus("cannot read", path);
  if (!S_ISREG(facts.st_mode))
    return Status(StatusCode::IoError,
                  fmt::format("'{}' is not a regular file", path));
  if (facts.st_size > kMaxFileBytes)
    return Status(StatusCode::IoError,
                  fmt::format("'{}' has {} bytes; no file that is read here "
                              "has more than {}",
                              path, facts.st_size, kMaxFileBytes));
  std::string bytes(static_cast<size_t>(facts.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    ssize_t got =
        ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return errnoStatus("cannot read", path);
    if (got == 0)
      break; // It was cut since fstat.
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

Status writeDescriptor(int descriptor, std::string_view bytes,
                       const std::string &path) {
  while (!bytes.empty()) {
    ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return errnoStatus("cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Status();
}

Status replaceFile(int folder, const std::string &path, std::string_view bytes,
                   mode_t mode) {
  // A rename would put a file in the place of a device such as /dev/full.
  struct stat facts;
  if (::fstatat(folder, path.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(facts.st_mode) && !S_ISLNK(facts.st_mode))
    return Status(StatusCode::IoError,
                  fmt::format("cannot write '{}': it is there and is not a "
                              "regular file",
                              path));
  std::string temporary;
  MAMBA_ASSIGN_OR_RETURN(FileDescriptor file,
                         createTemporary(folder, path, mode, temporary));
  Status status = writeDescriptor(file.get(), bytes, temporary);
  if (status.ok())
    status = flush(file.get(), temporary);
  // Renamed while it is still locked: it must not be taken for left over.
  if (status.ok() &&
      ::renameat(folder, temporary.c_str(), folder, path.c_str()) != 0)
    status = errnoStatus("cannot rename a temporary file to", path);
  if (!status.ok())
    ::unlinkat(folder, temporary.c_str(), 0);
  return status;
}

void removeAbandoned(int folder, const std::string &temporary) {
  FileDescriptor file(::openat(folder, temporary.c_str(),
                               O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts;
  if (!file.valid() || ::fstat(file.get(), &facts) != 0)
    return;
  bool abandoned = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  if (!abandoned && errno != EWOULDBLOCK)
    abandoned = facts.st_mtim.tv_sec + kAbandonedSeconds < ::time(nullptr);
  if (abandoned)
    ::unlinkat(folder, temporary.c_str(), 0);
}

} // namespace mamba
