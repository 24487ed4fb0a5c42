//===- Fiber.h - Stacks that take turns on one host thread ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A simulated thread must stop in the middle of a kernel, at a barrier. A fiber
// is cheap enough for a thousand of them: a switch costs some nanoseconds.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_FIBER_H
#define MAMBA_RUNTIME_SIMT_FIBER_H

#include "runtime/Status.h"

#include <cstddef>
#include <memory>

namespace mamba::simt {

/// One stack and where it stopped. Default: that of the host thread, to come
/// back to.
class Fiber {
public:
  /// Never returns; it switches away when it has nothing to do.
  using Entry = void (*)(void *context);

  /// Makes it start `entry` when it is next switched to, on the `bytes` of
  /// stack below `top`. What ran on it before is forgotten: it must not own
  /// anything.
  void prepare(std::byte *top, size_t bytes, Entry entry, void *context);

  /// Stops `from`, which runs now, and goes on with `to`. Returns when
  /// something switches back to `from`.
  static void switchTo(Fiber &from, Fiber &to);

private:
  struct Arrival;
  static void start(Arrival arrival);
  static void arrive(Fiber *from, void *stopped, Fiber &here);

  void *position_ = nullptr;
  Entry entry_ = nullptr;
  void *context_ = nullptr;
  // What AddressSanitizer asks to be told.
  const void *bottom_ = nullptr;
  size_t bytes_ = 0;
  void *fakeStack_ = nullptr;
};

/// Stacks of one size, each with an inaccessible page below it. Memory is taken
/// only where a stack is used.
class FiberStacks {
public:
  /// OutOfMemory if the addresses can't be had.
  static Result<std::unique_ptr<FiberStacks>> create(size_t count);
  ~FiberStacks();
  FiberStacks(const FiberStacks &) = delete;
  FiberStacks &operator=(const FiberStacks &) = delete;

  size_t count() const { return count_; }
  std::byte *top(size_t index) const;
  /// Usable bytes of each.
  static size_t bytes();

private:
  FiberStacks(std::byte *mapping, size_t count)
      : mapping_(mapping), count_(count) {}
  std::byte *mapping_;
  size_t count_;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_FIBER_H
