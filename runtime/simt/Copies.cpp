//===- Copies.cpp - Copies that go on by themselves -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Copies.h"

#include <algorithm>
#include <cstring>

namespace mamba::simt {

void Copies::request(void *to, const void *from, uint32_t bytes) {
  std::memset(to, 0xff, kBytes);
  pending_.push_back({static_cast<std::byte *>(to),
                      static_cast<const std::byte *>(from), bytes, groups_});
}

void Copies::finish(uint32_t most) {
  // What no group has ended is not waited for.
  uint32_t end = groups_ > most ? groups_ - most : 0;
  auto isDone = [end](const Copy &copy) { return copy.group < end; };
  for (const Copy &copy : pending_) {
    if (!isDone(copy))
      continue;
    std::memcpy(copy.to, copy.from, copy.bytes);
    std::memset(copy.to + copy.bytes, 0, kBytes - copy.bytes);
  }
  std::erase_if(pending_, isDone);
}

void Copies::clear() {
  pending_.clear();
  groups_ = 0;
}

} // namespace mamba::simt
