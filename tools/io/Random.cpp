//===- Random.cpp - Seeded random tensors ---------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, 2014) used as a hash of the position.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Random.h"

#include "runtime/DType.h"
#include "runtime/ThreadPool.h"

#include <algorithm>
#include <numbers>

using namespace mamba;

// A fused multiply-add rounds once where others round twice.
#pragma STDC FP_CONTRACT OFF

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// The step between two states of SplitMix64.
static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

RandomStream::RandomStream(uint64_t seed, std::string_view name)
    : key_(mix(seed + kGolden)) {
  for (unsigned char letter : name)
    key_ = mix((key_ ^ letter) + kGolden);
}

uint64_t RandomStream::bits(uint64_t position) const {
  return mix(key_ + (position + 1) * kGolden);
}

double RandomStream::uniform(uint64_t position, double low, double high) const {
  // 53 bits: every value is exact, and below 1.
  const double unit = static_cast<double>(bits(position) >> 11) * 0x1p-53;
  return low + (high - low) * unit;
}

double RandomStream::normal(uint64_t position) const {
  // Six words of two 32-bit numbers; their sum is exact.
  uint64_t sum = 0;
  for (int i = 0; i < 6; ++i) {
    const uint64_t word = bits(position * 6 + i);
    sum += (word >> 32) + (word & 0xffffffff);
  }
  return static_cast<double>(sum) * 0x1p-32 - 6;
}

RandomFill mamba::presetFor(std::string_view name, int rank,
                            bool softplusOfDelta) {
  using Kind = RandomFill::Kind;
  if (name == "A" && rank >= 2)
    return {Kind::Decay};
  if (name == "A")
    return {Kind::Uniform, -16, -1};
  if (name == "B" || name == "C" || name == "z" || name == "h0")
    return {Kind::Normal};
  if (name == "delta" || name == "dt")
    return softplusOfDelta ? RandomFill{Kind::Uniform, -4.5, -2}
                           : RandomFill{Kind::Uniform, 0.001, 0.1};
  if (name == "bias" || name == "delta_bias" || name == "dt_bias")
    return {Kind::Uniform, -0.5, 0.5};
  return {};
}

/// Entry `n` of a diagonal A; `position` is the row-major one in the tensor.
static std::complex<double> decay(const RandomStream &stream, int64_t position,
                                  int64_t n, bool complex) {
  if (complex)
    return {-0.5, std::numbers::pi * static_cast<double>(n)};
  return -static_cast<double>(n + 1) * stream.uniform(position, 0.9, 1.1);
}

/// Elements that one task fills.
static constexpr int64_t kTaskElements = int64_t(1) << 16;

/// Sets the elements at the row-major positions [begin, end).
template <typename Draw>
static void fillRange(const TensorView &view, int64_t begin, int64_t end,
                      const Draw &draw) {
  int64_t index[kMaxRank], offset = 0, rest = begin;
  for (int dim = view.rank; dim-- > 0; rest /= view.shape[dim]) {
    index[dim] = rest % view.shape[dim];
    offset += index[dim] * view.strides[dim];
  }
  auto *base = static_cast<std::byte *>(view.data);
  for (int64_t position = begin; position < end; ++position) {
    writeElement(base + offset * byteSize(view.dtype), view.dtype,
                 draw(position));
    for (int dim = view.rank; dim-- > 0;) {
      offset += view.strides[dim];
      if (++index[dim] < view.shape[dim])
        break;
      offset -= index[dim] * view.strides[dim];
      index[dim] = 0;
    }
  }
}

/// Sets every element, from several threads.
template <typename Draw>
static void fillElements(const TensorView &view, const Draw &draw) {
  int64_t elements = view.numElements();
  int64_t task = kTaskElements;
  // Where positions share memory the last one wins, so that order counts.
  for (int dim = 0; dim < view.rank; ++dim)
    if (view.strides[dim] == 0 && view.shape[dim] > 1)
      task = std::max<int64_t>(elements, 1);
  ThreadPool::global().parallelFor(
      (elements + task - 1) / task, [&](int64_t begin, int64_t end) {
        fillRange(view, begin * task, std::min(end * task, elements), draw);
      });
}

void mamba::fillRandom(HostTensor &tensor, const RandomFill &fill,
                       uint64_t seed, std::string_view name) {
  const RandomStream stream(seed, name);
  const bool complex = isComplex(tensor.dtype());
  const int64_t last = tensor.shape().empty() ? 1 : tensor.shape().back();
  const auto draw = [&](uint64_t position) {
    return fill.kind == RandomFill::Kind::Normal
               ? stream.normal(position)
               : stream.uniform(position, fill.low, fill.high);
  };
  const auto element = [&](int64_t position) -> std::complex<double> {
    if (fill.kind == RandomFill::Kind::Decay)
      return decay(stream, position, position % last, complex);
    if (!complex)
      return draw(position);
    return {draw(2 * position), draw(2 * position + 1)};
  };
  fillElements(tensor.view(), element);
}
