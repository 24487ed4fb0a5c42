//===- KernelKey.cpp - What decides a variant's code ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every field goes into the hash with its length, lists with their size.
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelKey.h"

#include "runtime/Hash.h"

namespace mamba {

std::string KernelKey::hex() const {
  KeyHasher hasher;
  hasher.add(source).add(function).add(pipeline).add(compiler).add(target);
  hasher.add(static_cast<int64_t>(layouts.size()));
  for (const LayoutSpec &layout : layouts)
    hasher.add(layout.unitDim)
        .add(layout.alignment)
        .add(layout.fixedDim)
        .add(layout.fixedStride);
  hasher.add(static_cast<int64_t>(extents.size()));
  for (int64_t extent : extents)
    hasher.add(extent);
  return hasher.add(channelMultiple).add(lengthMultiple).hex();
}

} // namespace mamba
