//===- ByteStream.h - Length-checked binary fields ------------ -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reader that was asked for more than there is returns zeros and remembers
// it, so that a parser checks once at its end.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BYTESTREAM_H
#define MAMBA_RUNTIME_BYTESTREAM_H

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace mamba {

/// Appends little-endian fields to a string.
class ByteWriter {
public:
  template <typename T> void number(T value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    auto bits = static_cast<uint64_t>(value);
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes_.push_back(static_cast<char>(bits >> (8 * i)));
  }

  /// Its length, then its bytes.
  void text(std::string_view text) {
    number<uint64_t>(text.size());
    bytes_.append(text);
  }

  std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote.
class ByteReader {
public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T> T number() {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    if (!require(sizeof(T)))
      return T();
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      bits |= uint64_t(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(bits);
  }

  /// A byte that is 0 or 1.
  bool truth() {
    auto byte = number<uint8_t>();
    failed_ |= byte > 1;
    return byte == 1;
  }

  /// A view into the bytes that are read.
  std::string_view text() {
    auto size = number<uint64_t>();
    if (!require(size))
      return {};
    std::string_view result = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return result;
  }

  /// A number of entries that follow, each of at least `entryBytes` bytes, so
  /// that a broken count can't make the caller reserve the whole memory.
  size_t count(size_t entryBytes) {
    auto entries = number<uint64_t>();
    if (entries > rest_.size() / entryBytes) {
      failed_ = true;
      return 0;
    }
    return entries;
  }

  /// True if everything was there and nothing is left.
  bool finished() const { return !failed_ && rest_.empty(); }
  bool failed() const { return failed_; }

private:
  bool require(uint64_t size) {
    if (failed_ || size > rest_.size())
      failed_ = true;
    return !failed_;
  }

  std::string_view rest_;
  bool failed_ = false;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_BYTESTREAM_H
