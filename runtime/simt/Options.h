//===- Options.h - How the simt device runs kernels -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain settings, so that Environment.h can hold them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_OPTIONS_H
#define MAMBA_RUNTIME_SIMT_OPTIONS_H

#include <cstdint>

namespace mamba::simt {

/// What is looked for while kernels run. Without `bounds`, an access outside
/// of memory does to this process what it likes.
struct Checks {
  /// Global and shared accesses stay within their memory.
  bool bounds = true;
  /// Addresses are multiples of what the instruction requires.
  bool alignment = true;
  /// What is read was written: by the host, or by a kernel.
  bool uninitialized = true;
  /// No two threads use one address, one of them writing, without a barrier
  /// between them; no two blocks do, unless one acquires what the other has
  /// released behind it. Atomics among themselves may.
  bool races = true;
  /// All threads of a block reach the same barriers.
  bool barriers = true;
  /// The lanes that a shuffle or vote names take part in it.
  bool shuffles = true;

  bool operator==(const Checks &) const = default;
};

struct Options {
  Checks checks;
  /// 0: threads and blocks run in the order of their numbers. Other values
  /// are permutations of it.
  uint64_t seed = 0;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_OPTIONS_H
