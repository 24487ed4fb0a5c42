//===- FileIO.cpp - Whole files, with errors ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Temporary names hold the process, a counter and the time, so that neither
// threads nor processes that reuse an identifier meet.
//
//===----------------------------------------------------------------------===//

#include "runtime/FileIO.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace mamba {

namespace {

constexpr int64_t kMaxFileBytes = int64_t(4) << 30;

Status writeAll(int descriptor, std::string_view bytes,
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

std::string temporaryName(const std::string &path) {
  static std::atomic<uint32_t> counter{0};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{}.{}-{}-{:x}.tmp", path, ::getpid(), counter++,
                     now.tv_sec * 1000000000 + now.tv_nsec);
}

Status writeNew(int folder, const std::string &path, std::string_view bytes,
                mode_t mode) {
  FileDescriptor file(
      ::openat(folder, path.c_str(),
               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.valid())
    return errnoStatus("cannot create", path);
  MAMBA_RETURN_IF_ERROR(writeAll(file.get(), bytes, path));
  if (!file.close())
    return errnoStatus("cannot write", path);
  return Status();
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
  std::string temporary = temporaryName(path);
  Status status = writeNew(folder, temporary, bytes, mode);
  if (status.ok() &&
      ::renameat(folder, temporary.c_str(), folder, path.c_str()) != 0)
    status = errnoStatus("cannot rename a temporary file to", path);
  if (!status.ok())
    ::unlinkat(folder, temporary.c_str(), 0);
  return status;
}

} // namespace mamba
