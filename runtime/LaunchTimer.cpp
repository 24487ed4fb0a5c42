//===- LaunchTimer.cpp - How long a kernel takes --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same code for the CPU and for CUDA.
//
//===----------------------------------------------------------------------===//

#include "runtime/LaunchTimer.h"

#include <algorithm>
#include <chrono>
#include <utility>

using namespace mamba;

/// Seconds of launches before the measurements that are reported.
static constexpr double kWarmUpSeconds = 0.3;
/// Seconds that one measurement takes at least: events tick in half
/// microseconds, and the first of a row of launches waits for its call.
static constexpr double kMeasureSeconds = 2e-3;

int64_t LaunchTimer::setsFor(const DeviceInfo &info, int64_t bytes) {
  return std::clamp<int64_t>(2 * info.l2Bytes / std::max<int64_t>(bytes, 1) + 1,
                             1, 256);
}

LaunchTimer::LaunchTimer(LaunchTimer &&other) noexcept
    : kernel_(std::move(other.kernel_)), sets_(std::move(other.sets_)),
      next_(other.next_), count_(other.count_),
      stream_(std::exchange(other.stream_, nullptr)),
      graph_(std::move(other.graph_)), graphCount_(other.graphCount_) {}

LaunchTimer::~LaunchTimer() {
  if (!stream_)
    return;
  graph_.reset();
  kernel_->device()->destroyStream(stream_);
}

Status LaunchTimer::useGraphs() {
  MAMBA_ASSIGN_OR_RETURN(stream_, kernel_->device()->createStream());
  // A device without streams says why it has no graphs either.
  if (!stream_)
    return kernel_->device()->record(nullptr, nullptr).status();
  // What a first launch does once may not be captured.
  for (const std::vector<TensorView> &set : sets_)
    MAMBA_RETURN_IF_ERROR(kernel_->prepare(set, stream_));
  return kernel_->device()->synchronize();
}

Status LaunchTimer::launchAll(int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    MAMBA_RETURN_IF_ERROR(kernel_->launch(sets_[next_], stream_));
    next_ = (next_ + 1) % sets_.size();
  }
  return Status();
}

Status LaunchTimer::recordGraph(int64_t count) {
  if (graph_ && graphCount_ == count)
    return Status();
  MAMBA_ASSIGN_OR_RETURN(graph_, kernel_->device()->record(stream_, [&] {
    return launchAll(count);
  }));
  graphCount_ = count;
  // A graph's first launch uploads it: more than a kernel of a few
  // microseconds takes.
  return graph_->launch(stream_);
}

Result<double> LaunchTimer::measure(int64_t count) {
  if (stream_)
    MAMBA_RETURN_IF_ERROR(recordGraph(count));
  MAMBA_ASSIGN_OR_RETURN(
      double millis, kernel_->device()->timeMillis(stream_, [&] {
        return graph_ ? graph_->launch(stream_) : launchAll(count);
      }));
  return millis * 1e-3 / static_cast<double>(count);
}

Status LaunchTimer::warmUp(double seconds) {
  using Clock = std::chrono::steady_clock;
  MAMBA_RETURN_IF_ERROR(measure(1).status());
  Clock::time_point start = Clock::now();
  count_ = 1;
  // Launches that wait for each other leave gaps, and clocks low: as many at a
  // time as will be measured.
  do {
    MAMBA_ASSIGN_OR_RETURN(double estimate, measure(count_));
    count_ = std::clamp<int64_t>(
        static_cast<int64_t>(kMeasureSeconds / std::max(estimate, 1e-9)), 1,
        1000);
  } while (std::chrono::duration<double>(Clock::now() - start).count() <
           seconds);
  return Status();
}

Result<Timing> LaunchTimer::time(int64_t repeats) {
  MAMBA_RETURN_IF_ERROR(warmUp(kWarmUpSeconds));
  std::vector<double> seconds;
  for (int64_t i = 0; i < repeats; ++i) {
    MAMBA_ASSIGN_OR_RETURN(double one, measure());
    seconds.push_back(one);
  }
  std::sort(seconds.begin(), seconds.end());
  Timing timing;
  timing.repeats = repeats;
  timing.isGraph = graph_ != nullptr;
  timing.sets = static_cast<int64_t>(sets_.size());
  timing.minSeconds = seconds.front();
  timing.medianSeconds = seconds[seconds.size() / 2];
  return timing;
}
