//===- Hash.cpp - 128-bit content hashes ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// XXH3 from its header, so that no library is linked for it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Hash.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace mamba {

std::string Hash128::hex() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

Hash128 hash128(std::string_view bytes) {
  XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

struct KeyHasher::State {
  XXH3_state_t xxh;

  void update(char kind, int64_t number) {
    XXH3_128bits_update(&xxh, &kind, sizeof(kind));
    XXH3_128bits_update(&xxh, &number, sizeof(number));
  }
};

KeyHasher::KeyHasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}

KeyHasher::~KeyHasher() = default;

KeyHasher &KeyHasher::add(std::string_view text) {
  state_->update('t', static_cast<int64_t>(text.size()));
  XXH3_128bits_update(&state_->xxh, text.data(), text.size());
  return *this;
}

KeyHasher &KeyHasher::add(int64_t number) {
  state_->update('n', number);
  return *this;
}

Hash128 KeyHasher::finish() const {
  XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.high64, hash.low64};
}

} // namespace mamba
