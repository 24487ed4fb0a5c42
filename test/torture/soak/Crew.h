//===- Crew.h - Threads that launch and compare -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// They can be halted between two cases, so that memory is looked at when no
// tensor lives.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_TORTURE_SOAK_CREW_H
#define MAMBA_TEST_TORTURE_SOAK_CREW_H

#include "test/torture/soak/Neighbours.h"
#include "test/torture/soak/Subject.h"

#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>

namespace mamba::soak {

struct CrewOptions {
  /// Each thread has one, in turns.
  Devices devices;
  int64_t threads = 8;
  uint64_t seed = 1;
  /// Points that the reference computes of a case.
  int64_t maxPoints = 0;
};

/// What was done so far.
struct Tally {
  int64_t launches = 0;
  int64_t cases = 0;
  /// Kernels compiled.
  int64_t compiled = 0;
  /// Different layers and extents; a few less where hashes collide.
  int64_t shapes = 0;
  /// Wrong results and errors; none is allowed.
  int64_t failures = 0;
  /// The largest error found in fp32, in parts of its bound; that of halves is
  /// hardly more or less than their rounding.
  double worst = 0;
};

/// Where a thread launches.
struct Place {
  const std::shared_ptr<Device> &device;
  void *stream;
};

/// Every thread has a stream of its own; they share the functions.
class Crew {
public:
  /// Starts the threads.
  Crew(const CrewOptions &options,
       std::vector<std::unique_ptr<Subject>> &subjects);
  /// Ends them.
  ~Crew();

  /// Returns when each thread has launched the largest shape of each subject:
  /// all kernels are compiled, and all temporaries as large as they get.
  void waitForFirsts() { firsts_.wait(); }
  /// Returns when no thread is in a case; none begins one before resume().
  void halt();
  void resume();
  Tally tally() const;
  /// True if a device can't be used any more.
  bool isDeviceLost() const { return isDeviceLost_; }

private:
  void work(size_t thread);
  void runFirsts(size_t thread, const Place &place);
  void runRandom(size_t thread, const Place &place);
  void run(Subject &subject, const Shape &shape, uint64_t seed,
           const Place &place);
  Status launch(Subject &subject, const Function &fresh,
                std::span<const TensorView> tensors, const Place &place);
  void fail(std::string_view text);
  /// False where the threads are to end.
  bool begin();
  void end();

  CrewOptions options_;
  std::vector<std::unique_ptr<Subject>> &subjects_;
  std::latch firsts_;
  int64_t compiledBefore_;
  std::atomic<int64_t> launches_ = 0;
  std::atomic<bool> isDeviceLost_ = false;

  std::mutex gate_;
  std::condition_variable changed_;
  int64_t running_ = 0;
  bool isHalted_ = false, isOver_ = false;

  mutable std::mutex tallied_;
  Tally tally_;
  /// By hash, in memory that does not grow.
  std::vector<bool> seen_ = std::vector<bool>(size_t(1) << 26);

  std::vector<std::jthread> threads_;
};

} // namespace mamba::soak

#endif // MAMBA_TEST_TORTURE_SOAK_CREW_H
