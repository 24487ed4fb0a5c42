//===- File.cpp - Bytes in and out of files -------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// POSIX calls, since streams don't say why an operation failed.
//
//===----------------------------------------------------------------------===//

#include "tools/io/File.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mamba;

static Status osError(const std::string &path, std::string_view action) {
  const int error = errno;
  return Status(error == ENOENT ? StatusCode::NotFound : StatusCode::IoError,
                fmt::format("{}: {}: {}", path, action, std::strerror(error)));
}

Result<InputFile> InputFile::open(const std::string &path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const int descriptor =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return osError(path, "cannot open");
  InputFile file(path, descriptor, 0);
  struct stat info;
  if (::fstat(descriptor, &info) != 0)
    return osError(path, "cannot look at");
  if (!S_ISREG(info.st_mode))
    return Status(StatusCode::IoError,
                  fmt::format("{}: not a regular file", path));
  file.size_ = info.st_size;
  return file;
}

InputFile::InputFile(InputFile &&other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

InputFile &InputFile::operator=(InputFile &&other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

Status InputFile::checkRange(int64_t offset, int64_t count,
                             std::string_view what) const {
  if (offset <= size_ && count <= size_ - offset)
    return Status::success();
  return Status(
      StatusCode::CorruptData,
      fmt::format("{}: byte {}: {} needs {} bytes, but the file ends {} bytes "
                  "later; it is truncated or not of this format",
                  path_, offset, what, count,
                  std::max<int64_t>(0, size_ - offset)));
}

Status InputFile::read(int64_t offset, std::span<std::byte> target,
                       std::string_view what) const {
  MAMBA_RETURN_IF_ERROR(checkRange(offset, std::ssize(target), what));
  while (!target.empty()) {
    const ssize_t got =
        ::pread(descriptor_, target.data(), target.size(), offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return osError(path_, "cannot read");
    if (got == 0)
      return Status(StatusCode::IoError,
                    fmt::format("{}: shrank while it was read", path_));
    offset += got;
    target = target.subspan(got);
  }
  return Status::success();
}

Result<std::string> InputFile::read(int64_t offset, int64_t count,
                                    std::string_view what) const {
  MAMBA_RETURN_IF_ERROR(checkRange(offset, count, what));
  std::string text(count, '\0');
  MAMBA_RETURN_IF_ERROR(
      read(offset, std::as_writable_bytes(std::span(text)), what));
  return text;
}

static Status writeAll(int descriptor, const std::string &path,
                       std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return osError(path, "cannot write");
    bytes.remove_prefix(put);
  }
  return Status::success();
}

Status mamba::writeFile(const std::string &path,
                        std::span<const std::string_view> parts) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0)
    return osError(path, "cannot create");
  Status status;
  for (std::string_view part : parts)
    if (status.ok())
      status = writeAll(descriptor, path, part);
  // A network file system may report a full disk only here.
  if (::close(descriptor) != 0 && status.ok())
    return osError(path, "cannot write");
  return status;
}

/// Appends dimensions [dim, rank) of `view` from `data` on.
static void appendRowMajor(const TensorView &view, int dim,
                           const std::byte *data, std::string &bytes) {
  const int64_t size = byteSize(view.dtype);
  const int64_t extent = dim < view.rank ? view.shape[dim] : 1;
  const int64_t stride = dim < view.rank ? view.strides[dim] : 1;
  const auto *text = reinterpret_cast<const char *>(data);
  if (dim >= view.rank - 1 && stride == 1) {
    bytes.append(text, extent * size);
  } else if (dim >= view.rank - 1) {
    for (int64_t i = 0; i < extent; ++i)
      bytes.append(text + i * stride * size, size);
  } else {
    for (int64_t i = 0; i < extent; ++i)
      appendRowMajor(view, dim + 1, data + i * stride * size, bytes);
  }
}

std::string mamba::rowMajorBytes(const TensorView &view) {
  std::string bytes;
  if (view.empty())
    return bytes;
  bytes.reserve(view.numElements() * byteSize(view.dtype));
  appendRowMajor(view, 0, static_cast<const std::byte *>(view.data), bytes);
  return bytes;
}

std::optional<int64_t> mamba::checkedByteSize(DType dtype,
                                              std::span<const int64_t> shape) {
  if (std::ssize(shape) > kMaxRank)
    return std::nullopt;
  constexpr int64_t kLimit = int64_t{1} << 62;
  int64_t product = byteSize(dtype);
  bool empty = false;
  for (int64_t extent : shape) {
    empty |= extent == 0;
    const int64_t factor = extent == 0 ? 1 : extent;
    if (factor < 0 || factor > kLimit / product)
      return std::nullopt;
    product *= factor;
  }
  return empty ? 0 : product;
}
