//===- ThreadPool.cpp - Runs the tasks of a CPU kernel --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops stand in a list; a worker takes chunks of the first one that has any
// left. A loop lives on its caller's stack, so it stays listed or counted until
// every thread has left it.
//
//===----------------------------------------------------------------------===//

#include "runtime/ThreadPool.h"

#include "runtime/Environment.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <vector>

namespace mamba {

namespace {

/// Ranges a thread gets of a loop if all are equally fast: more balance
/// better, fewer cost less.
constexpr int64_t kChunksPerThread = 8;
/// Kernels come in sequences, so a thread looks for work for some
/// microseconds before it sleeps; waking it costs more than that.
constexpr int kSpins = 1000;

/// Set while this thread runs a loop's body: a loop inside it stays here, since
/// waiting for other threads from within a task could deadlock.
thread_local bool insideLoop = false;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

} // namespace

struct ThreadPool::Workers {
  struct Loop {
    RangeFn body;
    void *context;
    int64_t numTasks;
    int64_t chunk;
    std::atomic<int64_t> next{0};
    /// Workers inside work(); changed under the mutex.
    std::atomic<int> users{0};
    Loop *following = nullptr;

    bool hasWork() const {
      return next.load(std::memory_order_relaxed) < numTasks;
    }

    void work() {
      insideLoop = true;
      for (;;) {
        int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
        if (begin >= numTasks)
          break;
        body(context, begin, std::min(begin + chunk, numTasks));
      }
      insideLoop = false;
    }
  };

  explicit Workers(int numThreads) {
    threads.reserve(static_cast<size_t>(numThreads));
    for (int i = 1; i < numThreads; ++i) {
      pthread_t thread;
      // With fewer threads than asked for, loops are slower but still right.
      if (pthread_create(&thread, nullptr, threadMain, this) != 0)
        break;
      threads.push_back(thread);
    }
  }

  ~Workers() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (pthread_t thread : threads)
      pthread_join(thread, nullptr);
  }

  static void *threadMain(void *self) {
    static_cast<Workers *>(self)->workerLoop();
    return nullptr;
  }

  Loop *loopWithWork() const {
    Loop *loop = first;
    while (loop && !loop->hasWork())
      loop = loop->following;
    return loop;
  }

  void workerLoop() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      Loop *loop = loopWithWork();
      if (!loop) {
        waitForLoop(lock);
        continue;
      }
      loop->users.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      loop->work();
      lock.lock();
      if (loop->users.fetch_sub(1, std::memory_order_release) == 1)
        left.notify_all();
    }
  }

  void waitForLoop(std::unique_lock<std::mutex> &lock) {
    uint32_t seen = numLoops.load(std::memory_order_relaxed);
    lock.unlock();
    for (int spin = 0; spin < kSpins; ++spin) {
      if (numLoops.load(std::memory_order_relaxed) != seen)
        break;
      relax();
    }
    lock.lock();
    wake.wait(lock, [&] { return stopping || loopWithWork(); });
  }

  void run(Loop &loop) {
    {
      std::lock_guard lock(mutex);
      loop.following = first;
      first = &loop;
      numLoops.fetch_add(1, std::memory_order_relaxed);
    }
    wake.notify_all();
    loop.work();
    for (int spin = 0; spin < kSpins; ++spin) {
      if (loop.users.load(std::memory_order_relaxed) == 0)
        break;
      relax();
    }
    std::unique_lock lock(mutex);
    Loop **link = &first;
    while (*link != &loop)
      link = &(*link)->following;
    *link = loop.following;
    left.wait(lock, [&] { return loop.users.load() == 0; });
  }

  std::mutex mutex;
  std::condition_variable wake; ///< A loop was added, or stopping.
  std::condition_variable left; ///< Some loop has no users any more.
  Loop *first = nullptr;
  /// Loops ever added, for spinning without the lock.
  std::atomic<uint32_t> numLoops{0};
  bool stopping = false;
  std::vector<pthread_t> threads;
};

ThreadPool::ThreadPool(int numThreads)
    : numThreads_(numThreads > 0
                      ? numThreads
                      : std::max<int>(1, std::thread::hardware_concurrency())) {
}

ThreadPool::~ThreadPool() = default;

ThreadPool &ThreadPool::global() {
  // Never destroyed: kernels may still run on other threads at exit.
  static ThreadPool *pool = new ThreadPool(Environment::get().numThreads);
  return *pool;
}

void ThreadPool::run(int64_t numTasks, RangeFn body, void *context) {
  if (numTasks <= 0)
    return;
  if (numTasks == 1 || numThreads_ == 1 || insideLoop)
    return body(context, 0, numTasks);
  Workers &workers =
      workers_.get([&] { return std::make_unique<Workers>(numThreads_); });
  int64_t chunk =
      std::max<int64_t>(1, numTasks / (numThreads_ * kChunksPerThread));
  Workers::Loop loop{body, context, numTasks, chunk};
  workers.run(loop);
}

} // namespace mamba
