//===- FileIO.h - Whole files, with errors -------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain system calls: they never abort, and say what failed on a full or
// read-only disk.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_FILEIO_H
#define MAMBA_RUNTIME_FILEIO_H

#include "runtime/Status.h"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace mamba {

/// A file descriptor, closed with this object.
class FileDescriptor {
public:
  explicit FileDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~FileDescriptor() { (void)close(); }
  FileDescriptor(FileDescriptor &&other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor &operator=(FileDescriptor &&other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  bool valid() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  /// False if the system reports a late error, such as a full disk.
  bool close();

private:
  int descriptor_;
};

/// "<what> '<path>': <text of errno>", with NotFound for ENOENT and IoError
/// otherwise.
Status errnoStatus(std::string_view what, const std::string &path);

/// The bytes of a regular file.
Result<std::string> readFile(const std::string &path);
/// The same of an open descriptor; `path` is for messages.
Result<std::string> readDescriptor(int descriptor, const std::string &path);

/// Writes `bytes` to an open descriptor; `path` is for messages.
Status writeDescriptor(int descriptor, std::string_view bytes,
                       const std::string &path);

/// Writes `bytes` to a temporary file (a name that ends in ".tmp") in the same
/// folder and renames it to `path`, so that readers see the old file or the
/// whole new one. Leaves nothing behind on an error; what is no regular file is
/// not replaced. `path` is relative to the
/// open directory `folder`, or to the working directory for AT_FDCWD.
Status replaceFile(int folder, const std::string &path, std::string_view bytes,
                   mode_t mode);

/// Removes the temporary file of a replaceFile() that never ended, because its
/// process was killed. One that is being written stays.
void removeAbandoned(int folder, const std::string &temporary);

} // namespace mamba

#endif // MAMBA_RUNTIME_FILEIO_H
