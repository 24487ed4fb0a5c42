//===- Variants.cpp - Compiled variants of a function ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys live on the stack of launch().
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Variants.h"

#include "runtime/Layout.h"

#include <algorithm>
#include <mutex>

using namespace mamba;

bool VariantKey::operator==(const VariantKey &other) const {
  return device == other.device && schedule == other.schedule &&
         backend == other.backend && extents == other.extents &&
         channelMultiple == other.channelMultiple &&
         lengthMultiple == other.lengthMultiple &&
         numTensors == other.numTensors &&
         std::equal(layouts.begin(), layouts.begin() + numTensors,
                    other.layouts.begin());
}

size_t VariantKey::hash() const {
  // FNV-1a over words: the table has a handful of entries.
  uint64_t hash = 0xcbf29ce484222325;
  auto mix = [&](uint64_t word) { hash = (hash ^ word) * 0x100000001b3; };
  mix(reinterpret_cast<uintptr_t>(device));
  mix(schedule.low + static_cast<uint64_t>(backend));
  for (int64_t extent : extents)
    mix(static_cast<uint64_t>(extent));
  mix(static_cast<uint64_t>(channelMultiple));
  mix(static_cast<uint64_t>(lengthMultiple));
  for (uint32_t i = 0; i < numTensors; ++i) {
    mix(static_cast<uint8_t>(layouts[i].unitDim) |
        static_cast<uint64_t>(layouts[i].alignment) << 8 |
        static_cast<uint64_t>(layouts[i].fixedDim) << 16);
    mix(static_cast<uint64_t>(layouts[i].fixedStride));
  }
  return hash;
}

void VariantKey::forgetFixedStrides() {
  mamba::forgetFixedStrides(std::span(layouts).first(numTensors));
}

/// The place of `axis` in VariantKey::extents, or -1.
static int extentIndex(Axis axis) {
  switch (axis) {
  case Axis::Batch:
    return 0;
  case Axis::Length:
    return 1;
  case Axis::Channel:
    return 2;
  default:
    return -1;
  }
}

bool mamba::deduceVariant(const FunctionInfo &info,
                          std::span<const TensorView> tensors,
                          VariantKey &key) {
  if (tensors.size() != info.tensors.size() || tensors.size() > kMaxTensors)
    return false;
  key.numTensors = static_cast<uint32_t>(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::vector<DimSpec> &dims = info.tensors[i].dims;
    if (tensors[i].rank != static_cast<int>(dims.size()))
      return false;
    key.layouts[i] = deduceLayout(tensors[i], info.tensors[i]);
    for (size_t dim = 0; dim < dims.size(); ++dim)
      if (int index = extentIndex(dims[dim].axis);
          index >= 0 && dims[dim].tellsAxis())
        key.extents[index] = tensors[i].shape[dim];
  }
  if (key.extents[2] > 0)
    key.channelMultiple = channelMultipleOf(key.extents[2]);
  if (key.extents[1] >= 0)
    key.lengthMultiple = lengthMultipleOf(key.extents[1]);
  for (int index : {0, 1})
    if (key.extents[index] > 0)
      key.extents[index] = extentBucket(key.extents[index]);
  key.extents[2] = channelBucket(key.extents[2]);
  return true;
}

std::shared_ptr<Kernel> Variants::find(const VariantKey &key) const {
  std::shared_lock lock(mutex_);
  auto found = kernels_.find(key);
  return found == kernels_.end() ? nullptr : found->second;
}

std::shared_ptr<Kernel> Variants::insert(const VariantKey &key,
                                         std::shared_ptr<Kernel> kernel) {
  std::unique_lock lock(mutex_);
  return kernels_.try_emplace(key, std::move(kernel)).first->second;
}

void Variants::removeAllWidths(const VariantKey &key) {
  VariantKey general = key;
  general.forgetFixedStrides();
  std::unique_lock lock(mutex_);
  std::erase_if(kernels_, [&](const auto &entry) {
    VariantKey other = entry.first;
    other.forgetFixedStrides();
    return other == general;
  });
}
