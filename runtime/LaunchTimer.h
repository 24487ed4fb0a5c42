//===- LaunchTimer.h - How long a kernel takes ------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A layer finds its operands in memory, not in the cache that its last launch
// left behind: launches take turns with sets of tensors that together are
// larger than the cache.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_LAUNCHTIMER_H
#define MAMBA_RUNTIME_LAUNCHTIMER_H

#include "runtime/Device.h"
#include "runtime/Kernel.h"

#include <memory>
#include <vector>

namespace mamba {

struct Timing {
  double medianSeconds = 0;
  double minSeconds = 0;
  /// Host time of one launch call, without waiting for the device; 0 where
  /// nobody measured it.
  double launchSeconds = 0;
  int64_t repeats = 0;
  /// Sets of tensors that launches took turns with.
  int64_t sets = 0;
  /// Launches were queued as a CUDA graph.
  bool isGraph = false;
};

/// Times launches of one kernel. The tensors outlive it.
class LaunchTimer {
public:
  /// Each set holds the tensors of one launch; there is at least one.
  LaunchTimer(std::shared_ptr<Kernel> kernel,
              std::vector<std::vector<TensorView>> sets)
      : kernel_(std::move(kernel)), sets_(std::move(sets)) {}

  ~LaunchTimer();
  LaunchTimer(LaunchTimer &&other) noexcept;

  /// From now on queues the launches of a measurement as one CUDA graph, which
  /// leaves out what the host does for each of them.
  Status useGraphs();

  /// Sets of `bytes` each that together are more than twice the L2 cache.
  static int64_t setsFor(const DeviceInfo &info, int64_t bytes);

  /// Launches for `seconds`, so that clocks and caches settle, and finds how
  /// many launches make a measurement that events can resolve.
  Status warmUp(double seconds);
  /// Seconds of one launch, from one measurement.
  Result<double> measure() { return measure(count_); }
  /// The median of `repeats` measurements, after a warm-up.
  Result<Timing> time(int64_t repeats);

private:
  Result<double> measure(int64_t count);
  Status launchAll(int64_t count);
  Status recordGraph(int64_t count);

  std::shared_ptr<Kernel> kernel_;
  std::vector<std::vector<TensorView>> sets_;
  size_t next_ = 0;
  int64_t count_ = 1;
  /// Of useGraphs(); else null.
  void *stream_ = nullptr;
  std::unique_ptr<LaunchGraph> graph_;
  int64_t graphCount_ = 0;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_LAUNCHTIMER_H
