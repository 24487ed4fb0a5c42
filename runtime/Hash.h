//===- Hash.h - 128-bit content hashes ------------------------ -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys of the kernel cache and checksums of its entries.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_HASH_H
#define MAMBA_RUNTIME_HASH_H

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mamba {

/// A 128-bit hash of content. Tells accidents apart, not attackers.
struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  bool operator==(const Hash128 &) const = default;
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;
};

/// XXH3-128 of `bytes`.
Hash128 hash128(std::string_view bytes);

/// Hashes a sequence of typed fields. Each is preceded by its kind and length,
/// so that ("ab", "c") and ("a", "bc") differ.
class KeyHasher {
public:
  KeyHasher();
  ~KeyHasher();

  KeyHasher &add(std::string_view text);
  KeyHasher &add(const char *text) { return add(std::string_view(text)); }
  KeyHasher &add(int64_t number);

  /// The hash of what was added so far.
  Hash128 finish() const;
  /// finish().hex(): a key for Cache.
  std::string hex() const { return finish().hex(); }

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_HASH_H
