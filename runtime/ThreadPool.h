//===- ThreadPool.h - Runs the tasks of a CPU kernel ---------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pool of our own, so that the runtime needs no OpenMP and survives fork().
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_THREADPOOL_H
#define MAMBA_RUNTIME_THREADPOOL_H

#include "runtime/PerProcess.h"

#include <cstdint>
#include <memory>
#include <type_traits>

namespace mamba {

/// Threads that share the tasks of a loop. Started on the first loop that has
/// more than one task, and again in a forked child.
class ThreadPool {
public:
  /// `numThreads` counts the caller; 0 asks for one for each CPU this process
  /// may run on.
  explicit ThreadPool(int numThreads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// The pool of MAMBA_NUM_THREADS threads that the CPU device uses.
  static ThreadPool &global();

  int numThreads() const { return numThreads_; }

  /// Calls `body(begin, end)` on disjoint ranges that cover [0, numTasks), from
  /// several threads, the caller's among them; returns when all are done.
  /// Allocates nothing. A loop inside a body runs on the thread it is in; loops
  /// of several callers share the threads.
  template <typename Body> void parallelFor(int64_t numTasks, Body &&body) {
    using Callable = std::remove_reference_t<Body>;
    run(
        numTasks,
        [](void *context, int64_t begin, int64_t end) {
          (*static_cast<Callable *>(context))(begin, end);
        },
        const_cast<std::remove_const_t<Callable> *>(&body));
  }

private:
  using RangeFn = void (*)(void *context, int64_t begin, int64_t end);
  struct Workers;

  void run(int64_t numTasks, RangeFn body, void *context);

  int numThreads_;
  PerProcess<Workers> workers_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_THREADPOOL_H
