//===- PerProcess.h - State a forked child must not inherit --- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After fork() the child has one thread, and whatever lock another thread held
// stays locked for ever. Objects with locks or threads stand behind this.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_PERPROCESS_H
#define MAMBA_RUNTIME_PERPROCESS_H

#include <atomic>
#include <cstdint>
#include <memory>

namespace mamba {

/// How many times fork() ran between the first call in some ancestor process
/// and this one; a changed value says that the caller is in a child. Costs one
/// atomic load.
uint32_t forkGeneration();

/// A T that is created on first use, and again on first use in a forked child.
/// The parent's object is leaked there on purpose: its threads don't exist in
/// the child, and its locks may be held by them.
template <typename T> class PerProcess {
public:
  PerProcess() = default;
  PerProcess(const PerProcess &) = delete;
  PerProcess &operator=(const PerProcess &) = delete;
  ~PerProcess() {
    Slot *slot = slot_.load(std::memory_order_acquire);
    if (slot && slot->generation == forkGeneration())
      delete slot;
  }

  /// The object of this process; `create` returns a std::unique_ptr<T> and may
  /// run more than once if threads race, of which one result is kept.
  template <typename Create> T &get(Create &&create) {
    uint32_t generation = forkGeneration();
    Slot *slot = slot_.load(std::memory_order_acquire);
    if (slot && slot->generation == generation)
      return *slot->object;
    auto fresh = std::unique_ptr<Slot>(new Slot{generation, create()});
    while (!slot_.compare_exchange_strong(slot, fresh.get(),
                                          std::memory_order_acq_rel))
      if (slot && slot->generation == generation)
        return *slot->object;
    return *fresh.release()->object;
  }

  T &get() {
    return get([] { return std::make_unique<T>(); });
  }

private:
  struct Slot {
    uint32_t generation;
    std::unique_ptr<T> object;
  };
  std::atomic<Slot *> slot_{nullptr};
};

} // namespace mamba

#endif // MAMBA_RUNTIME_PERPROCESS_H
