//===- Crew.cpp - Threads that launch and compare -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A case is run, poisoned, guarded and compared by the numerics suite. Only the
// launch is another: of a shared function, on the thread's stream.
//
//===----------------------------------------------------------------------===//

#include "test/torture/soak/Crew.h"

#include "runtime/Cache.h"
#include "runtime/Hash.h"
#include "test/e2e/numerics/RunCase.h"
#include "tools/problem/CommandLine.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

using mamba::numerics::Case;
using mamba::numerics::Outcome;
using mamba::numerics::Random;

namespace mamba::soak {

/// On a GPU, so that streams run at the same time and wait for their own
/// temporaries; where launches are done on return, more would show no more.
static constexpr int kLaunchesOfCase = 8;

/// Messages are alike where there are many.
static constexpr int64_t kMostMessages = 20;

Crew::Crew(const CrewOptions &options,
           std::vector<std::unique_ptr<Subject>> &subjects)
    : options_(options), subjects_(subjects), firsts_(options.threads),
      compiledBefore_(Cache::global().statistics().computed) {
  for (int64_t thread = 0; thread < options.threads; ++thread)
    threads_.emplace_back(
        [this, thread] { work(static_cast<size_t>(thread)); });
}

Crew::~Crew() {
  {
    std::lock_guard lock(gate_);
    isOver_ = true;
  }
  changed_.notify_all();
  threads_.clear();
}

//===----------------------------------------------------------------------===//
// Halting
//===----------------------------------------------------------------------===//

void Crew::halt() {
  std::unique_lock lock(gate_);
  isHalted_ = true;
  changed_.wait(lock, [&] { return running_ == 0; });
}

void Crew::resume() {
  {
    std::lock_guard lock(gate_);
    isHalted_ = false;
  }
  changed_.notify_all();
}

bool Crew::begin() {
  std::unique_lock lock(gate_);
  changed_.wait(lock, [&] { return !isHalted_ || isOver_; });
  running_ += !isOver_;
  return !isOver_;
}

void Crew::end() {
  {
    std::lock_guard lock(gate_);
    --running_;
  }
  changed_.notify_all();
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

void Crew::work(size_t thread) {
  const auto &device = options_.devices[thread % options_.devices.size()];
  Result<void *> stream = device->createStream();
  if (!stream.ok())
    fail(stream.status().message());
  else
    runFirsts(thread, {device, *stream});
  firsts_.count_down();
  if (!stream.ok())
    return;
  runRandom(thread, {device, *stream});
  device->destroyStream(*stream);
}

void Crew::runFirsts(size_t thread, const Place &place) {
  // Each thread begins elsewhere, so that they compile at the same time.
  size_t count = subjects_.size();
  size_t first = thread * count / static_cast<size_t>(options_.threads);
  for (size_t i = 0; i < count && !isDeviceLost_; ++i) {
    Subject &subject = *subjects_[(first + i) % count];
    run(subject, subject.largest(), options_.seed, place);
  }
}

void Crew::runRandom(size_t thread, const Place &place) {
  Random random(options_.seed * 1000 + thread);
  while (!isDeviceLost_ && begin()) {
    Subject &subject = *subjects_[random.below(subjects_.size())];
    Shape shape = subject.draw(random);
    run(subject, shape, random.below(1 << 30), place);
    end();
  }
}

Status Crew::launch(Subject &subject, const Function &fresh,
                    std::span<const TensorView> tensors, const Place &place) {
  Device &device = *place.device;
  // Results are poisoned in the default stream, for which ours does not wait.
  MAMBA_RETURN_IF_ERROR(device.synchronize(nullptr));
  Function function = subject.keep(fresh);
  LaunchOptions options;
  options.stream = place.stream;
  for (int i = 0; i < (device.isCuda() ? kLaunchesOfCase : 1); ++i) {
    MAMBA_RETURN_IF_ERROR(function.launch(place.device, tensors, options));
    ++launches_;
  }
  return device.synchronize(place.stream);
}

void Crew::run(Subject &subject, const Shape &shape, uint64_t seed,
               const Place &place) {
  numerics::RunOptions options;
  options.maxPoints = options_.maxPoints;
  options.launch = [&](const Function &fresh, const std::shared_ptr<Device> &,
                       std::span<const TensorView> tensors,
                       const numerics::LaunchWay &) {
    return launch(subject, fresh, tensors, place);
  };
  Case test = subject.caseOf(shape, seed);
  Outcome outcome = runCase(test, place.device, options);
  if (outcome.isDeviceLost)
    isDeviceLost_ = true;
  if (outcome.kind != Outcome::Kind::Passed)
    fail(fmt::format("case '{}' on {}: {}", test.text(), place.device->name(),
                     outcome.message));
  std::lock_guard lock(tallied_);
  ++tally_.cases;
  if (test.is("type", "f32"))
    tally_.worst = std::max(tally_.worst, outcome.worst);
  // The seed is no part of a shape.
  size_t slot = hash128(subject.caseOf(shape, 0).text()).low % seen_.size();
  tally_.shapes += !seen_[slot];
  seen_[slot] = true;
}

void Crew::fail(std::string_view text) {
  std::lock_guard lock(tallied_);
  if (++tally_.failures <= kMostMessages)
    print(fmt::format("soak-torture: {}\n", text), stderr);
}

Tally Crew::tally() const {
  std::lock_guard lock(tallied_);
  Tally tally = tally_;
  tally.launches = launches_;
  tally.compiled = Cache::global().statistics().computed - compiledBefore_;
  return tally;
}

} // namespace mamba::soak
