//===- FuzzFile.h - Bytes as a file -----------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_FUZZ_FUZZFILE_H
#define MAMBA_TEST_FUZZ_FUZZFILE_H

#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace mamba::test {

/// A file in memory that holds the fuzzer's bytes, and is gone with this.
class FuzzFile {
public:
  /// Its name ends with `extension`.
  FuzzFile(const uint8_t *data, size_t size, const std::string &extension)
      : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)),
        path_("/tmp/mamba-fuzz-" + std::to_string(::getpid()) + extension) {
    std::string target = "/proc/self/fd/" + std::to_string(descriptor_);
    ::unlink(path_.c_str());
    if (descriptor_ < 0 || ::symlink(target.c_str(), path_.c_str()) != 0 ||
        ::write(descriptor_, data, size) != static_cast<ssize_t>(size))
      std::abort();
  }
  ~FuzzFile() {
    ::unlink(path_.c_str());
    ::close(descriptor_);
  }
  FuzzFile(const FuzzFile &) = delete;

  const std::string &path() const { return path_; }

private:
  int descriptor_;
  std::string path_;
};

} // namespace mamba::test

#endif // MAMBA_TEST_FUZZ_FUZZFILE_H
