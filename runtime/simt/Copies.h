//===- Copies.h - Copies that go on by themselves ---------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX's cp.async of one thread. Who asks for a copy has its bytes destroyed at
// once and written when it waits: whoever reads in between, or without such a
// wait, gets NaNs.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_COPIES_H
#define MAMBA_RUNTIME_SIMT_COPIES_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mamba::simt {

class Copies {
public:
  static constexpr size_t kBytes = 16;

  /// Will write kBytes to `to`: `bytes` of `from`, and zeros behind them.
  void request(void *to, const void *from, uint32_t bytes);
  /// Ends the group of what was requested since the last one.
  void commit() { ++groups_; }
  /// Does what was requested in all groups but the last `most`.
  void finish(uint32_t most);
  /// Forgets everything, as the end of a thread does.
  void clear();

private:
  struct Copy {
    std::byte *to;
    const std::byte *from;
    uint32_t bytes;
    uint32_t group;
  };
  std::vector<Copy> pending_;
  uint32_t groups_ = 0;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_COPIES_H
