//===- Tune.cpp - The fastest schedule, by measurement --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Best first: from the fastest of what the model proposes to its neighbours,
// and on from the first that is faster. What has no chance is measured once.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Tune.h"

#include "runtime/LaunchTimer.h"
#include "runtime/cuda/Nvrtc.h"
#include "runtime/jit/TuneTensors.h"
#include "runtime/jit/TunedSchedules.h"
#include "runtime/jit/Verify.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <limits>
#include <set>

using namespace mamba;

/// A first measurement that is worse by more than this ends a candidate.
static constexpr double kHopeless = 1.15;
/// What a schedule must gain to be the next one to walk from.
static constexpr double kWorthwhile = 0.995;
/// How much slower than the fastest one may be to be walked from.
static constexpr double kNear = 1.05;
/// Measurements of a candidate that has a chance, and of the finalists.
static constexpr int64_t kRepeats = 7, kFinalRepeats = 15;
static constexpr size_t kFinalists = 4;
/// Launches before a measurement, so that the GPU's clocks settle.
static constexpr double kWarmUpSeconds = 0.02;

namespace {

class Tuner {
public:
  Tuner(const Function &function, const std::shared_ptr<Device> &device,
        const TuneOptions &options)
      : function(function), device(device), options(options) {}

  Status prepare(std::span<const TensorView> given);
  Status copyTensors(std::span<const TensorView> given);
  TunedSchedules place() const {
    return TunedSchedules(*function.source(), function.info().name, request,
                          *device);
  }
  Result<TuneReport> search();

private:
  using Clock = std::chrono::steady_clock;

  double spent() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  bool isDefault(const TuneCandidate &candidate) const {
    return &candidate == &report.candidates.front();
  }
  bool hasTime() const { return spent() < options.seconds; }
  std::vector<TensorView> hostTensors() const;
  std::vector<TensorView> verified(std::vector<TensorView> all) const;
  Status tryModel();
  const TuneCandidate *nextToLeave() const;
  Status walk();
  Status tryOtherRoad();
  Result<bool> isFaster(const std::string &schedule);
  Result<bool> isFaster(const std::string &schedule, Backend backend);
  Status tryOne(TuneCandidate &candidate);
  Result<std::shared_ptr<Kernel>> build(TuneCandidate &candidate);
  Status verify(Kernel &kernel, TuneCandidate &candidate);
  Result<LaunchTimer> timerFor(const std::shared_ptr<Kernel> &kernel);
  Status time(const std::shared_ptr<Kernel> &kernel, TuneCandidate &candidate);
  Status decide();

  const Function &function;
  std::shared_ptr<Device> device;
  const TuneOptions &options;
  Clock::time_point start = Clock::now();
  VariantRequest request;
  std::optional<TuneTensors> tensors;
  std::optional<Verifier> verifier;
  std::optional<ProblemPart> part; ///< That is compared; none: all.
  std::set<std::pair<std::string, Backend>> tried;
  std::set<std::string> left; ///< All of whose neighbours were tried.
  TuneReport report;
  /// Of report.candidates, to be timed again; null where one was not timed.
  std::vector<std::shared_ptr<Kernel>> kernels;
  size_t best = 0; ///< Of report.candidates, once the first one is timed.
};

} // namespace

Status Tuner::prepare(std::span<const TensorView> given) {
  MAMBA_ASSIGN_OR_RETURN(request, function.request(given));
  request.aimAt(*device);
  return Status();
}

Status Tuner::copyTensors(std::span<const TensorView> given) {
  MAMBA_ASSIGN_OR_RETURN(tensors,
                         TuneTensors::copyOf(function.info(), device, given));
  VerifyOptions wanted;
  wanted.maxPoints = options.verifyPoints;
  part = partToVerify(function.info(), given, wanted);
  std::vector<TensorView> all = verified(hostTensors());
  size_t inputs = function.info().numInputs;
  if (part)
    wanted.maxPoints = std::numeric_limits<int64_t>::max();
  MAMBA_ASSIGN_OR_RETURN(
      verifier, Verifier::create(function, std::span(all).first(inputs),
                                 std::span(all).subspan(inputs), wanted));
  return Status();
}

std::vector<TensorView> Tuner::hostTensors() const {
  std::vector<TensorView> all = tensors->hostInputs();
  for (const TensorView &result : tensors->hostResults())
    all.push_back(result);
  return all;
}

/// What of all tensors is compared with the reference.
std::vector<TensorView> Tuner::verified(std::vector<TensorView> all) const {
  return part ? part->of(all, function.info()) : all;
}

//===----------------------------------------------------------------------===//
// One candidate
//===----------------------------------------------------------------------===//

static std::string firstLine(const std::string &text) {
  return text.substr(0, text.find('\n'));
}

/// Compiles and loads a candidate; null, with the reason, where that fails.
Result<std::shared_ptr<Kernel>> Tuner::build(TuneCandidate &candidate) {
  VariantRequest wanted = request;
  wanted.schedule = candidate.schedule;
  if (device->isCuda())
    wanted.backend = candidate.backend;
  auto refuse = [&](const Status &status) -> std::shared_ptr<Kernel> {
    candidate.outcome = TuneCandidate::Outcome::Refused;
    candidate.reason = firstLine(status.message());
    return nullptr;
  };
  Result<Artifact> artifact = function.compile(wanted);
  if (!artifact.ok())
    return refuse(artifact.status());
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<Kernel> kernel,
      Kernel::create(std::make_shared<const Artifact>(std::move(*artifact)),
                     device));
  Result<std::shared_ptr<LoadedKernel>> loaded = kernel->load();
  if (!loaded.ok())
    return refuse(loaded.status());
  int64_t localBytes = 0;
  for (size_t i = 0; i < kernel->artifact().launches.size(); ++i) {
    EntryInfo info = (*loaded)->entryInfo(i);
    candidate.registers = std::max(candidate.registers, info.registers);
    candidate.blocksPerMultiprocessor = info.blocksPerMultiprocessor;
    localBytes = std::max(localBytes, info.localBytes);
  }
  // The default one counts whatever it does: there must be something to beat.
  if (localBytes == 0 || isDefault(candidate))
    return kernel;
  candidate.outcome = TuneCandidate::Outcome::Spills;
  candidate.reason =
      fmt::format("{} bytes of a thread are in local memory", localBytes);
  return std::shared_ptr<Kernel>();
}

/// A launch that is refused is one candidate less; one that breaks the device
/// ends the search.
Status Tuner::verify(Kernel &kernel, TuneCandidate &candidate) {
  MAMBA_RETURN_IF_ERROR(tensors->poison());
  Status launched = kernel.launch(verified(tensors->sets().front()));
  if (!launched.ok()) {
    candidate.reason = firstLine(launched.message());
    return Status();
  }
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  MAMBA_RETURN_IF_ERROR(tensors->fetch());
  std::vector<TensorView> all = verified(hostTensors());
  size_t inputs = function.info().numInputs;
  MAMBA_ASSIGN_OR_RETURN(Verification verification,
                         verifier->check(std::span(all).subspan(inputs)));
  candidate.outcome = TuneCandidate::Outcome::Timed;
  for (const ResultCheck &check : verification.results) {
    candidate.errorOverBound =
        std::max(candidate.errorOverBound, check.error / check.bound);
    if (check.passed())
      continue;
    candidate.outcome = TuneCandidate::Outcome::Wrong;
    candidate.reason =
        fmt::format("'{}' has the relative error {:.2e}, its bound is {:.2e}",
                    check.name, check.error, check.bound);
  }
  return Status();
}

/// Kernels of a few microseconds are faster than the host can launch them: on a
/// GPU, graphs leave the host out.
Result<LaunchTimer> Tuner::timerFor(const std::shared_ptr<Kernel> &kernel) {
  LaunchTimer timer(kernel, tensors->sets());
  if (device->isCuda())
    MAMBA_RETURN_IF_ERROR(timer.useGraphs());
  MAMBA_RETURN_IF_ERROR(timer.warmUp(kWarmUpSeconds));
  return timer;
}

Status Tuner::time(const std::shared_ptr<Kernel> &kernel,
                   TuneCandidate &candidate) {
  MAMBA_ASSIGN_OR_RETURN(LaunchTimer timer, timerFor(kernel));
  MAMBA_ASSIGN_OR_RETURN(candidate.seconds, timer.measure());
  if (!isDefault(candidate) &&
      candidate.seconds > kHopeless * report.candidates[best].seconds)
    return Status();
  std::vector<double> seconds = {candidate.seconds};
  while (static_cast<int64_t>(seconds.size()) < kRepeats) {
    MAMBA_ASSIGN_OR_RETURN(double one, timer.measure());
    seconds.push_back(one);
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRepeats / 2,
                   seconds.end());
  candidate.seconds = seconds[kRepeats / 2];
  return Status();
}

Status Tuner::tryOne(TuneCandidate &candidate) {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> kernel, build(candidate));
  if (!kernel)
    return Status();
  MAMBA_RETURN_IF_ERROR(verify(*kernel, candidate));
  if (candidate.outcome != TuneCandidate::Outcome::Timed)
    return Status();
  kernels.back() = kernel;
  return time(kernel, candidate);
}

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

Result<bool> Tuner::isFaster(const std::string &schedule) {
  return isFaster(schedule, options.backend == Backend::Nvrtc ? Backend::Nvrtc
                                                              : Backend::Nvptx);
}

/// Tries a schedule, once; true if it is the fastest now. Fails where the
/// device does: what it would measure after that means nothing.
Result<bool> Tuner::isFaster(const std::string &schedule, Backend backend) {
  if (!tried.insert({schedule, backend}).second)
    return false;
  size_t index = report.candidates.size();
  report.candidates.emplace_back().schedule = schedule;
  report.candidates.back().backend = backend;
  kernels.emplace_back();
  TuneCandidate &candidate = report.candidates.back();
  MAMBA_RETURN_IF_ERROR(tryOne(candidate).withContext(schedule));
  bool isTimed = candidate.outcome == TuneCandidate::Outcome::Timed;
  if (index == 0 && !isTimed)
    return Status(StatusCode::CompileError,
                  fmt::format("the first schedule {} does not run: {}",
                              schedule, candidate.reason));
  bool isBest = index == 0 ||
                (isTimed && candidate.seconds <
                                kWorthwhile * report.candidates[best].seconds);
  if (isBest)
    best = index;
  if (options.onProgress)
    options.onProgress({spent(), options.seconds, report.candidates.size(),
                        &candidate, &report.candidates[best]});
  return isBest;
}

/// The fastest by NVRTC too, where there is such a road: the maths of both is
/// the same to the bit, their registers and the order of their code are not.
Status Tuner::tryOtherRoad() {
  if (options.backend != Backend::Auto || !device->isCuda() ||
      !cuda::Nvrtc::get().ok())
    return Status();
  std::string schedule = report.candidates[best].schedule;
  return isFaster(schedule, Backend::Nvrtc).status();
}

/// What is known without measuring, the default schedule leading.
Status Tuner::tryModel() {
  MAMBA_ASSIGN_OR_RETURN(std::vector<std::string> proposals,
                         function.source()->proposeSchedules(
                             function.info().name, request, options.usesTable));
  for (const std::string &schedule : proposals) {
    if (!report.candidates.empty() && !hasTime())
      return Status();
    MAMBA_RETURN_IF_ERROR(isFaster(schedule).status());
  }
  return Status();
}

/// The fastest candidate whose neighbours no one has tried, if it is fast
/// enough for one of them to be the best.
const TuneCandidate *Tuner::nextToLeave() const {
  const TuneCandidate *next = nullptr;
  double limit = kNear * report.candidates[best].seconds;
  for (const TuneCandidate &candidate : report.candidates)
    if (candidate.outcome == TuneCandidate::Outcome::Timed &&
        candidate.seconds < (next ? next->seconds : limit) &&
        !left.contains(candidate.schedule))
      next = &candidate;
  return next;
}

/// From the fastest to its neighbours; as soon as one is faster, on from there.
/// Where nothing near the fastest is faster, from the next fastest: two steps
/// may gain what one loses.
Status Tuner::walk() {
  while (const TuneCandidate *from = nextToLeave()) {
    std::string schedule = from->schedule;
    MAMBA_ASSIGN_OR_RETURN(std::vector<std::string> neighbours,
                           function.source()->proposeNeighbours(
                               function.info().name, request, schedule));
    bool moved = false;
    for (const std::string &neighbour : neighbours) {
      if (!hasTime())
        return Status();
      MAMBA_ASSIGN_OR_RETURN(moved, isFaster(neighbour));
      if (moved)
        break;
    }
    if (!moved)
      left.insert(schedule);
  }
  report.isExhausted = true;
  return Status();
}

/// Measures the fastest ones again, in turns, so that a lucky measurement does
/// not decide.
Status Tuner::decide() {
  std::vector<size_t> finalists;
  for (size_t i = 0; i < report.candidates.size(); ++i)
    if (report.candidates[i].outcome == TuneCandidate::Outcome::Timed)
      finalists.push_back(i);
  std::sort(finalists.begin(), finalists.end(), [&](size_t a, size_t b) {
    return report.candidates[a].seconds < report.candidates[b].seconds;
  });
  finalists.resize(std::min(finalists.size(), kFinalists));
  // The default one takes part, so that both times are of one occasion.
  if (std::find(finalists.begin(), finalists.end(), 0) == finalists.end())
    finalists.push_back(0);
  std::vector<LaunchTimer> timers;
  for (size_t i : finalists) {
    MAMBA_ASSIGN_OR_RETURN(LaunchTimer timer, timerFor(kernels[i]));
    timers.push_back(std::move(timer));
  }
  std::vector<std::vector<double>> seconds(finalists.size());
  for (int64_t round = 0; round < kFinalRepeats; ++round)
    for (size_t k = 0; k < timers.size(); ++k) {
      MAMBA_ASSIGN_OR_RETURN(double one, timers[k].measure());
      seconds[k].push_back(one);
    }
  for (size_t k = 0; k < finalists.size(); ++k) {
    std::sort(seconds[k].begin(), seconds[k].end());
    TuneCandidate &candidate = report.candidates[finalists[k]];
    candidate.seconds = seconds[k][kFinalRepeats / 2];
    if (k == 0 || candidate.seconds < report.candidates[best].seconds)
      best = finalists[k];
  }
  return Status();
}

Result<TuneReport> Tuner::search() {
  MAMBA_ASSIGN_OR_RETURN(report.problem, function.source()->describeProblem(
                                             function.info().name, request));
  for (const std::string &schedule : options.schedules)
    MAMBA_RETURN_IF_ERROR(isFaster(schedule).status());
  if (options.schedules.empty()) {
    MAMBA_RETURN_IF_ERROR(tryModel());
    MAMBA_RETURN_IF_ERROR(walk());
  }
  MAMBA_RETURN_IF_ERROR(tryOtherRoad());
  MAMBA_RETURN_IF_ERROR(decide());
  report.schedule = report.candidates[best].schedule;
  report.backend = report.candidates[best].backend;
  report.seconds = report.candidates[best].seconds;
  report.defaultSeconds = report.candidates.front().seconds;
  report.spentSeconds = spent();
  // What the table has may be faster than what was found without it.
  if (options.schedules.empty() && options.usesTable)
    place().store({report.schedule, report.seconds, report.backend});
  return std::move(report);
}

Result<TuneReport> mamba::autotune(const Function &function,
                                   const std::shared_ptr<Device> &device,
                                   std::span<const TensorView> tensors,
                                   const TuneOptions &options) {
  Tuner tuner(function, device, options);
  MAMBA_RETURN_IF_ERROR(tuner.prepare(tensors));
  if (!options.searchesAgain && options.schedules.empty())
    if (std::optional<TunedSchedule> known = tuner.place().find()) {
      TuneReport report;
      report.schedule = known->schedule;
      report.seconds = known->seconds;
      report.backend = known->backend;
      report.wasKnown = true;
      return report;
    }
  MAMBA_RETURN_IF_ERROR(tuner.copyTensors(tensors));
  MAMBA_ASSIGN_OR_RETURN(TuneReport report, tuner.search());
  function.forget(device, tensors);
  return report;
}
