//===- Variants.h - Compiled variants of a function -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The look-up that stands before every launch, so it allocates nothing.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_VARIANTS_H
#define MAMBA_RUNTIME_JIT_VARIANTS_H

#include "runtime/Hash.h"
#include "runtime/Kernel.h"
#include "runtime/Validate.h"
#include "runtime/jit/Jit.h"

#include <array>
#include <memory>
#include <shared_mutex>
#include <unordered_map>

namespace mamba {

/// What a launch's tensors ask of a variant.
struct VariantKey {
  const Device *device = nullptr;
  Hash128 schedule;
  Backend backend = Backend::Auto;
  /// Buckets of the batch, length and channel extents; -1 where none has it.
  std::array<int64_t, 3> extents = {-1, -1, -1};
  int64_t channelMultiple = 1;
  int64_t lengthMultiple = 1;
  uint32_t numTensors = 0;
  std::array<LayoutSpec, kMaxTensors> layouts;

  /// Compares the first numTensors layouts.
  bool operator==(const VariantKey &other) const;
  size_t hash() const;
  /// Makes all strides but unit ones arguments of the launch.
  void forgetFixedStrides();
};

/// Fills in what `tensors` say of `key`; false where their number or ranks are
/// not those of `info`, so that there is no layout to deduce.
bool deduceVariant(const FunctionInfo &info,
                   std::span<const TensorView> tensors, VariantKey &key);

/// A map from keys to kernels. Thread-safe.
class Variants {
public:
  std::shared_ptr<Kernel> find(const VariantKey &key) const;
  /// Adds `kernel`, unless another thread was first; returns the one kept.
  std::shared_ptr<Kernel> insert(const VariantKey &key,
                                 std::shared_ptr<Kernel> kernel);
  /// Removes the kernels of `key` with whatever fixed strides.
  void removeAllWidths(const VariantKey &key);

private:
  struct Hasher {
    size_t operator()(const VariantKey &key) const { return key.hash(); }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_map<VariantKey, std::shared_ptr<Kernel>, Hasher> kernels_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_VARIANTS_H
