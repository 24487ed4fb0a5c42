//===- Sha256.cpp - Checksums that anyone can check -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names are those of FIPS 180-4, sections 4 to 6.
//
//===----------------------------------------------------------------------===//

#include "runtime/bundle/Sha256.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>

namespace mamba {

namespace {

constexpr size_t kBlockBytes = 64;

/// Fractions of the square roots of the first 8 primes.
constexpr std::array<uint32_t, 8> kInitialHash = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// Fractions of the cube roots of the first 64 primes.
constexpr std::array<uint32_t, 64> kConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t bigEndian(const unsigned char *bytes) {
  return uint32_t(bytes[0]) << 24 | uint32_t(bytes[1]) << 16 |
         uint32_t(bytes[2]) << 8 | bytes[3];
}

/// The message schedule W of a block.
std::array<uint32_t, 64> expand(const unsigned char *block) {
  std::array<uint32_t, 64> w;
  for (size_t t = 0; t < 16; ++t)
    w[t] = bigEndian(block + 4 * t);
  for (size_t t = 16; t < 64; ++t) {
    uint32_t early = w[t - 15], late = w[t - 2];
    uint32_t sigma0 = std::rotr(early, 7) ^ std::rotr(early, 18) ^ (early >> 3);
    uint32_t sigma1 = std::rotr(late, 17) ^ std::rotr(late, 19) ^ (late >> 10);
    w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
  }
  return w;
}

void addBlock(std::array<uint32_t, 8> &hash, const unsigned char *block) {
  std::array<uint32_t, 64> w = expand(block);
  auto [a, b, c, d, e, f, g, h] = hash;
  for (size_t t = 0; t < 64; ++t) {
    uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    uint32_t choice = (e & f) ^ (~e & g);
    uint32_t t1 = h + sum1 + choice + kConstants[t] + w[t];
    uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    h = g, g = f, f = e, e = d + t1;
    d = c, c = b, b = a, a = t1 + sum0 + majority;
  }
  const uint32_t update[] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < hash.size(); ++i)
    hash[i] += update[i];
}

/// What the message's last, incomplete block becomes: a one bit, zeros, the
/// length in bits.
std::string padded(std::string_view rest, uint64_t messageBytes) {
  std::string tail(rest);
  tail += '\x80';
  size_t end = tail.size() + 8;
  tail.resize((end + kBlockBytes - 1) / kBlockBytes * kBlockBytes - 8, '\0');
  for (int shift = 56; shift >= 0; shift -= 8)
    tail += static_cast<char>(messageBytes * 8 >> shift);
  return tail;
}

} // namespace

std::string sha256(std::string_view bytes) {
  std::array<uint32_t, 8> hash = kInitialHash;
  auto addAll = [&](std::string_view blocks) {
    auto *data = reinterpret_cast<const unsigned char *>(blocks.data());
    for (size_t i = 0; i + kBlockBytes <= blocks.size(); i += kBlockBytes)
      addBlock(hash, data + i);
  };
  addAll(bytes);
  addAll(padded(bytes.substr(bytes.size() / kBlockBytes * kBlockBytes),
                bytes.size()));
  std::string text;
  for (uint32_t word : hash)
    text += fmt::format("{:08x}", word);
  return text;
}

} // namespace mamba
