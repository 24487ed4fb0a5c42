//===- File.h - Bytes in and out of files -----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What every file format here stands on: reads at an offset that either give
// all bytes asked for or an error with the path, so that a parser never sees a
// short buffer, and memory is asked for only once the file is known to be long
// enough to fill it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_FILE_H
#define MAMBA_TOOLS_IO_FILE_H

#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mamba {

/// A regular file opened for reading. Closes it when destroyed.
class InputFile {
public:
  /// NotFound if there is no such file; IoError for folders, devices, and
  /// files that may not be read.
  static Result<InputFile> open(const std::string &path);

  InputFile(InputFile &&other) noexcept;
  InputFile &operator=(InputFile &&other) noexcept;
  ~InputFile();

  const std::string &path() const { return path_; }
  /// Bytes of the file when it was opened.
  int64_t size() const { return size_; }

  /// CorruptData unless the file has `count` bytes from `offset` on; `what`
  /// names them in the message.
  Status checkRange(int64_t offset, int64_t count, std::string_view what) const;
  /// Fills `target` from byte `offset` on. Checks the range first.
  Status read(int64_t offset, std::span<std::byte> target,
              std::string_view what) const;
  /// The same, as text; allocates only what the file can fill.
  Result<std::string> read(int64_t offset, int64_t count,
                           std::string_view what) const;

private:
  InputFile(std::string path, int descriptor, int64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

/// Writes the concatenated `parts` to `path`, replacing what is there. After
/// an error the file may hold a part of them.
Status writeFile(const std::string &path,
                 std::span<const std::string_view> parts);
inline Status writeFile(const std::string &path,
                        std::initializer_list<std::string_view> parts) {
  return writeFile(path, std::span(parts.begin(), parts.size()));
}

/// The elements of `view` in row-major order, whatever its strides.
std::string rowMajorBytes(const TensorView &view);

/// Bytes of a tensor, or nothing if they or an extent don't fit: negative
/// extents, more than kMaxRank dimensions, or a size over 2^62. Extents beside
/// one of 0 must fit too, since strides are made of them.
std::optional<int64_t> checkedByteSize(DType dtype,
                                       std::span<const int64_t> shape);

} // namespace mamba

#endif // MAMBA_TOOLS_IO_FILE_H
