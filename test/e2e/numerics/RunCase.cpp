//===- RunCase.cpp - Runs one case ----------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kinds share their problem and launches, and differ in what they compare.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/RunCase.h"

#include "runtime/Hash.h"
#include "runtime/cuda/Nvrtc.h"
#include "runtime/jit/Training.h"
#include "runtime/jit/Verify.h"
#include "test/e2e/numerics/Difference.h"
#include "test/e2e/numerics/FarTensor.h"
#include "test/e2e/numerics/ModuleText.h"
#include "test/e2e/numerics/Mutate.h"
#include "test/e2e/numerics/Problem.h"
#include "tools/problem/CommandLine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <utility>

using namespace mamba;
using namespace mamba::numerics;

static Status wrong(std::string text) {
  return Status(StatusCode::Internal, std::move(text));
}

namespace {

/// A case on its way: its function, tensors and device.
struct Run {
  const Case &test;
  std::shared_ptr<Device> device;
  const RunOptions &options;
  Function function;
  /// The last inputs: what forward saved.
  std::vector<HostTensor> saved = {};
  HostProblem problem = {};
  Backend backend = options.backend;
  double worst = 0;
  double ulps = -1;

  /// The problem as it is before a launch.
  Result<HostProblem> makeFresh() const;
  Status verify();
  Status repeat();
  Status locality();
  Status far();

private:
  Status launch(std::span<const TensorView> tensors, LaunchWay way = {});
  Status launchOnce();
  Status compare();
  Status verifyAgain();
  Status compareDevices();
  Status compareOutside(const HostProblem &clean, const Case &where);
  Status farTensor(size_t number, int dim, int64_t reach);
  Status farTemporary(const std::string &name, int dim, int64_t reach);
};

} // namespace

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

Result<HostProblem> Run::makeFresh() const {
  MAMBA_ASSIGN_OR_RETURN(HostProblem fresh, makeProblem(test, function.info()));
  size_t first = fresh.inputs.size() - saved.size();
  for (size_t i = 0; i < saved.size(); ++i)
    forEachIndex(saved[i].shape(), [&](std::span<const int64_t> index) {
      fresh.inputs[first + i].set(index, saved[i].at(index));
    });
  return fresh;
}

/// Compiles a function, lets `way` change what came of it, and launches that.
static Status launchAdapted(const Function &function,
                            const std::shared_ptr<Device> &device,
                            std::span<const TensorView> tensors,
                            const LaunchWay &way) {
  MAMBA_ASSIGN_OR_RETURN(VariantRequest request, function.request(tensors));
  request.aimAt(*device);
  request.schedule = way.schedule;
  MAMBA_ASSIGN_OR_RETURN(Artifact artifact, function.compile(request));
  MAMBA_RETURN_IF_ERROR(way.adapt(artifact));
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<Kernel> kernel,
      Kernel::create(std::make_shared<const Artifact>(std::move(artifact)),
                     device));
  return kernel->launch(tensors);
}

Status Run::launch(std::span<const TensorView> tensors, LaunchWay way) {
  way.schedule = test.schedule();
  if (options.launch || way.adapt) {
    MAMBA_RETURN_IF_ERROR(options.launch
                              ? options.launch(function, device, tensors, way)
                              : launchAdapted(function, device, tensors, way));
    return device->synchronize();
  }
  LaunchOptions launchOptions;
  launchOptions.schedule = way.schedule;
  launchOptions.backend = backend;
  MAMBA_RETURN_IF_ERROR(function.launch(device, tensors, launchOptions));
  return device->synchronize();
}

Status Run::launchOnce() {
  MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                         DeviceProblem::create(problem, device));
  MAMBA_RETURN_IF_ERROR(launch(tensors.views()));
  return tensors.fetch(problem);
}

Status Run::verify() {
  MAMBA_RETURN_IF_ERROR(launchOnce());
  MAMBA_RETURN_IF_ERROR(compare());
  if (test.is("atomics", "1"))
    return verifyAgain();
  return options.compares() ? compareDevices() : Status();
}

/// Atomic sums have other bits in every run, whoever compiled them; but each
/// launch starts from zero, also where memory is what the one before left.
Status Run::verifyAgain() {
  MAMBA_ASSIGN_OR_RETURN(problem, makeFresh());
  if (options.compares() && !options.other)
    backend = options.otherBackend;
  MAMBA_RETURN_IF_ERROR(launchOnce());
  backend = options.backend;
  return compare();
}

/// How far the other device, or back end, is from this one's results.
Status Run::compareDevices() {
  MAMBA_ASSIGN_OR_RETURN(HostProblem mine, makeFresh());
  std::swap(mine, problem);
  std::shared_ptr<Device> own = device;
  if (options.other)
    device = options.other;
  backend = options.otherBackend;
  MAMBA_RETURN_IF_ERROR(launchOnce().withContext(
      fmt::format("{}, {}", device->name(), toString(backend))));
  device = own;
  backend = options.backend;
  for (size_t r = 0; r < problem.results.size(); ++r)
    ulps = std::max(ulps, largestUlps(mine.results[r], problem.results[r]));
  std::swap(mine, problem);
  // Devices approximate functions in their own ways; back ends do not.
  if (options.other || ulps <= kMaxUlps)
    return Status();
  return Status(StatusCode::Internal,
                fmt::format("the results by {} and {} differ by {:.3g} units "
                            "in the last place, required is at most {}",
                            toString(options.backend),
                            toString(options.otherBackend), ulps, kMaxUlps));
}

/// Gradients in fp32 are sums of what cancels: twice as far as other results. A
/// complex recurrence that reads another one adds its own rounding of phases.
static double boundOf(const ResultCheck &check, const Case &test) {
  bool isSingle = check.dtype == DType::F32 || check.dtype == DType::C64;
  double bound = check.bound;
  if (test.has("grad") && isSingle)
    bound *= 2;
  if (test.has("complex") && test.is("body", "chained"))
    bound *= 2;
  return bound;
}

Status Run::compare() {
  MAMBA_ASSIGN_OR_RETURN(
      Verification verification,
      mamba::verify(function, problem.inputViews(), problem.resultViews(),
                    {.maxPoints = options.maxPoints,
                     .seed = uint64_t(test.number("seed"))}));
  std::string text;
  for (const ResultCheck &check : verification.results) {
    double bound = boundOf(check, test);
    worst = std::max(worst, check.error / bound);
    if (!(check.error <= bound))
      text +=
          fmt::format("{}{}: relative error {:.3g}, bound {:.3g}",
                      text.empty() ? "" : "; ", check.name, check.error, bound);
  }
  return text.empty() ? Status() : wrong(text);
}

static bool isSame(const HostTensor &x, const HostTensor &y) {
  return x.bytes().size() == y.bytes().size() &&
         std::equal(x.bytes().begin(), x.bytes().end(), y.bytes().begin());
}

/// Many launches on the same tensors give the same bits.
Status Run::repeat() {
  MAMBA_RETURN_IF_ERROR(verify());
  MAMBA_ASSIGN_OR_RETURN(HostProblem again, makeFresh());
  for (int64_t i = 1; i < options.repeats; ++i) {
    MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                           DeviceProblem::create(again, device));
    MAMBA_RETURN_IF_ERROR(launch(tensors.views()));
    MAMBA_RETURN_IF_ERROR(tensors.fetch(again));
    for (size_t r = 0; r < again.results.size(); ++r)
      if (!isSame(again.results[r], problem.results[r]))
        return wrong(fmt::format("launch {} gives other bits than launch 0 in "
                                 "result {}",
                                 i, r));
  }
  return Status();
}

/// The place of a non-finite input: in the middle, away from vector ends.
static std::vector<int64_t> poisonedIndex(const HostTensor &tensor) {
  std::vector<int64_t> index;
  for (int64_t extent : tensor.shape())
    index.push_back(extent / 2);
  return index;
}

/// A NaN or an infinity in one step of u or delta is seen in its own sequence
/// and channel from that step on, and nowhere else: there, not a bit changes.
Status Run::locality() {
  MAMBA_RETURN_IF_ERROR(launchOnce());
  const double values[] = {std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()};
  for (const char *name : {"u", "delta"})
    for (double value : values) {
      MAMBA_ASSIGN_OR_RETURN(HostProblem clean, makeFresh());
      std::swap(clean, problem);
      HostTensor *input = problem.find(name);
      if (!input)
        return wrong(fmt::format("the case has no input '{}'", name));
      input->set(poisonedIndex(*input), value);
      MAMBA_RETURN_IF_ERROR(launchOnce());
      MAMBA_RETURN_IF_ERROR(
          compareOutside(clean, test)
              .withContext(fmt::format("{} in '{}'", value, name)));
      std::swap(clean, problem);
    }
  return Status();
}

/// Where `index` of a result is in the sequence and channel of the poison.
static bool isAffected(const TensorSpec &spec, const Case &test,
                       std::span<const int64_t> index) {
  for (size_t dim = 0; dim < index.size(); ++dim) {
    int64_t at = index[dim];
    switch (spec.dims[dim].axis) {
    case Axis::Batch:
      if (at != test.number("B") / 2)
        return false;
      break;
    case Axis::Channel:
      if (at != test.number("D") / 2)
        return false;
      break;
    case Axis::Length:
      if (test.has("reverse") ? at > test.number("L") / 2
                              : at < test.number("L") / 2)
        return false;
      break;
    default:
      break;
    }
  }
  return true;
}

Status Run::compareOutside(const HostProblem &clean, const Case &where) {
  for (size_t r = 0; r < problem.results.size(); ++r) {
    const TensorSpec &spec = problem.info.tensors[problem.inputs.size() + r];
    int64_t changed = 0, nonFinite = 0;
    forEachIndex(clean.results[r].shape(), [&](std::span<const int64_t> index) {
      std::complex<double> before = clean.results[r].at(index);
      std::complex<double> after = problem.results[r].at(index);
      if (isAffected(spec, where, index))
        nonFinite += !std::isfinite(after.real());
      else
        changed += before != after;
    });
    if (changed)
      return wrong(fmt::format("{} elements of '{}' of other sequences, "
                               "channels or earlier steps changed",
                               changed, spec.name));
    if (!nonFinite)
      return wrong(fmt::format("'{}' does not show it", spec.name));
  }
  return Status();
}

namespace {

/// "TENSOR.DIM.ELEMENTS".
struct FarPlace {
  std::string tensor;
  int dim = 0;
  int64_t reach = 0;
};

} // namespace

static Result<FarPlace> parseFarPlace(std::string_view text) {
  size_t first = text.find('.'), second = text.rfind('.');
  if (first == second)
    return Status(
        StatusCode::InvalidArgument,
        fmt::format("found far={}, required TENSOR.DIM.ELEMENTS", text));
  FarPlace place;
  place.tensor = text.substr(0, first);
  MAMBA_ASSIGN_OR_RETURN(
      int64_t dim, parseNumber(text.substr(first + 1, second - first - 1)));
  MAMBA_ASSIGN_OR_RETURN(place.reach, parseNumber(text.substr(second + 1)));
  place.dim = static_cast<int>(dim);
  return place;
}

/// One tensor has a stride that no 32-bit offset can follow.
Status Run::far() {
  MAMBA_ASSIGN_OR_RETURN(FarPlace place, parseFarPlace(test.get("far")));
  const std::vector<TensorSpec> &tensors = problem.info.tensors;
  auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const TensorSpec &spec) {
        return spec.name == place.tensor;
      });
  if (found == tensors.end())
    return farTemporary(place.tensor, place.dim, place.reach);
  if (place.dim < 0 || place.dim >= std::ssize(found->dims))
    return Status(StatusCode::InvalidArgument,
                  fmt::format("found dimension {} of '{}', which has {}",
                              place.dim, place.tensor, found->dims.size()));
  return farTensor(static_cast<size_t>(found - tensors.begin()), place.dim,
                   place.reach);
}

Status Run::farTensor(size_t number, int dim, int64_t reach) {
  MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                         DeviceProblem::create(problem, device));
  size_t numInputs = problem.inputs.size();
  HostTensor &host = number < numInputs ? problem.inputs[number]
                                        : problem.results[number - numInputs];
  MAMBA_ASSIGN_OR_RETURN(FarTensor far,
                         FarTensor::copyOf(host, dim, reach, device));
  std::vector<TensorView> views = tensors.views();
  views[number] = far.view();
  MAMBA_RETURN_IF_ERROR(launch(views));
  for (size_t i = numInputs; i < views.size(); ++i)
    MAMBA_RETURN_IF_ERROR(i == number ? far.copyTo(host)
                                      : tensors.results[i - numInputs].fetch(
                                            problem.results[i - numInputs],
                                            problem.info.tensors[i].name));
  return compare();
}

Status Run::farTemporary(const std::string &name, int dim, int64_t reach) {
  auto extentOf = [&](Axis axis) {
    return axis == Axis::Batch     ? test.number("B")
           : axis == Axis::Length  ? test.number("L")
           : axis == Axis::Channel ? test.number("D")
                                   : 1;
  };
  MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                         DeviceProblem::create(problem, device));
  auto adapt = [&](Artifact &artifact) {
    return stretchTemporaries(artifact, name, static_cast<size_t>(dim), reach,
                              extentOf);
  };
  MAMBA_RETURN_IF_ERROR(launch(tensors.views(), {"", adapt}));
  MAMBA_RETURN_IF_ERROR(tensors.fetch(problem));
  return compare();
}

//===----------------------------------------------------------------------===//
// Judgement
//===----------------------------------------------------------------------===//

/// A schedule that a case brings along may ask for more than a device has, and
/// an operation may have no code for it, and a random body's gradients may be
/// no kernel; all are refused before anything runs.
static bool isRefusal(const Case &test, const Status &status) {
  bool isBeforeLaunch = status.code() == StatusCode::CompileError ||
                        status.code() == StatusCode::Unsupported;
  auto has = [&](std::string_view text) {
    return status.message().find(text) != std::string::npos;
  };
  if (!isBeforeLaunch)
    return false;
  if (test.is("body", "math") && (has("has no CPU code") || has("no GPU code")))
    return true;
  // Sums that go on from others.
  if (test.is("body", "random") && test.is("grad", "1") &&
      (has("cannot be fused") || has("cannot be expanded")))
    return true;
  return !test.schedule().empty() &&
         (has("bytes of shared memory") || has("bytes of stack") ||
          has("registers each") || has("recurrences that read each other") ||
          has("its sequence cannot be split"));
}

static Status runKind(Run &run) {
  if (run.test.is("kind", "verify"))
    return run.verify();
  if (run.test.is("kind", "repeat"))
    return run.repeat();
  if (run.test.is("kind", "locality"))
    return run.locality();
  if (run.test.is("kind", "far"))
    return run.far();
  return Status(StatusCode::InvalidArgument,
                fmt::format("found kind={}, required verify, repeat, locality, "
                            "far, malformed or translate",
                            run.test.get("kind")));
}

/// Elements that a malformed case's tensor may have: the text is not ours.
static constexpr int64_t kMaxElements = int64_t(1) << 22;

static bool isSmall(const FunctionInfo &info) {
  for (const TensorSpec &spec : info.tensors) {
    double elements = 1;
    for (const DimSpec &dim : spec.dims)
      elements *= dim.extent == kDynamic ? 64.0 : double(dim.extent);
    if (elements > double(kMaxElements))
      return false;
  }
  return true;
}

/// Compiles for both kinds of targets, and runs; a crash or a hang ends the
/// process, and errors are welcome.
static Status runMutated(const Case &test,
                         const std::shared_ptr<Device> &device,
                         const std::string &text) {
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::parse(text, "case.mlir"));
  MAMBA_ASSIGN_OR_RETURN(Function function, module.function());
  for (const char *target : {"cpu", "sm_90"}) {
    VariantRequest request;
    request.target = target;
    MAMBA_RETURN_IF_ERROR(function.compile(request).status());
  }
  if (!isSmall(function.info()))
    return Status();
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem,
                         makeProblem(test, function.info()));
  MAMBA_ASSIGN_OR_RETURN(DeviceProblem tensors,
                         DeviceProblem::create(problem, device));
  MAMBA_RETURN_IF_ERROR(function.launch(device, tensors.views()));
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  return tensors.fetch(problem);
}

/// Generations of GPUs. Their texts differ in the head alone, and NVRTC takes
/// its time: each case is for one pair, by its own text, and half of all cases
/// for each GPU.
static constexpr const char *kTranslatedFor[][2] = {{"sm_80", "sm_100"},
                                                    {"sm_90", "sm_120"}};

/// NVIDIA's compilers take the CUDA C++ of the case, and warn of nothing.
static Status translate(const Function &function, const Case &test) {
  MAMBA_ASSIGN_OR_RETURN(const cuda::Nvrtc *nvrtc, cuda::Nvrtc::get());
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem,
                         makeProblem(test, function.info()));
  std::vector<TensorView> views = problem.inputViews();
  std::vector<TensorView> results = problem.resultViews();
  views.insert(views.end(), results.begin(), results.end());
  MAMBA_ASSIGN_OR_RETURN(VariantRequest request, function.request(views));
  request.schedule = test.schedule();
  request.backend = Backend::Nvrtc;
  size_t pair = hash128(test.text()).low % std::size(kTranslatedFor);
  for (const char *target : kTranslatedFor[pair]) {
    request.target = target;
    MAMBA_ASSIGN_OR_RETURN(Artifact artifact, function.compile(request));
    MAMBA_ASSIGN_OR_RETURN(cuda::CudaCode code,
                           nvrtc->compile(artifact.image, "case.cu", target));
    if (!code.log.empty())
      return wrong(fmt::format("for {}: {}", target, code.log));
  }
  return Status();
}

/// A module with mistakes is refused, with the place of one, or it runs and
/// writes its results and nothing else.
static Status malformed(const Case &test,
                        const std::shared_ptr<Device> &device) {
  std::string text = mutate(moduleText(test), uint64_t(test.number("seed")));
  Status status = runMutated(test, device, text);
  bool isLocated = status.message().find("case.mlir:") != std::string::npos;
  if (status.code() == StatusCode::CompileError && !isLocated)
    return wrong("the error has no place: " + status.message());
  bool isBug = status.code() == StatusCode::Internal ||
               status.code() == StatusCode::DriverError;
  return isBug ? status : Status();
}

/// What forward saves on the device, after a look at all of its results.
static Result<std::vector<HostTensor>>
saveStates(const Case &test, const std::shared_ptr<Device> &device,
           const RunOptions &options, const TrainingPair &pair) {
  Run state{test, device, options, pair.forward};
  MAMBA_ASSIGN_OR_RETURN(state.problem, state.makeFresh());
  MAMBA_RETURN_IF_ERROR(state.verify().withContext("forward"));
  std::vector<HostTensor> &results = state.problem.results;
  return std::vector<HostTensor>(
      std::make_move_iterator(results.end() - pair.numSaved),
      std::make_move_iterator(results.end()));
}

/// The text of a case's module, without the name of the case in the first line:
/// so it is the same for all shapes that it serves, and caches know it.
static std::string textOf(const Case &test) {
  std::string text = moduleText(test);
  return text.erase(0, text.find('\n'));
}

/// The function of the case, and the states that it starts from.
static Result<std::pair<Function, std::vector<HostTensor>>>
makeFunction(const Case &test, const std::shared_ptr<Device> &device,
             const RunOptions &options) {
  MAMBA_ASSIGN_OR_RETURN(Module module,
                         Module::parse(textOf(test), "case.mlir"));
  bool saves = test.number("save") > 0;
  std::vector<HostTensor> saved;
  if (saves && test.has("grad")) {
    MAMBA_ASSIGN_OR_RETURN(
        TrainingPair pair,
        makeTrainingPair(module, "layer", test.number("save")));
    if (test.is("kind", "translate"))
      return std::pair(pair.backward, std::move(saved));
    MAMBA_ASSIGN_OR_RETURN(saved, saveStates(test, device, options, pair));
    return std::pair(pair.backward, std::move(saved));
  }
  std::string name = "layer";
  if (saves) {
    // Forward alone, of layers too whose gradients no kernel computes.
    MAMBA_ASSIGN_OR_RETURN(module,
                           module.differentiate({}, test.number("save")));
  } else if (test.has("grad")) {
    MAMBA_ASSIGN_OR_RETURN(module, module.differentiate());
    name += "_backward";
  }
  MAMBA_ASSIGN_OR_RETURN(Function function, module.function(name));
  return std::pair(std::move(function), std::move(saved));
}

static Status run(const Case &test, const std::shared_ptr<Device> &device,
                  const RunOptions &options, Outcome &outcome) {
  if (test.is("kind", "malformed"))
    return malformed(test, device);
  MAMBA_ASSIGN_OR_RETURN(auto made, makeFunction(test, device, options));
  auto &[function, saved] = made;
  if (test.is("kind", "translate"))
    return translate(function, test);
  Run state{test, device, options, function, std::move(saved)};
  MAMBA_ASSIGN_OR_RETURN(state.problem, state.makeFresh());
  Status status = runKind(state);
  outcome.worst = state.worst;
  outcome.ulps = state.ulps;
  return status;
}

Outcome numerics::runCase(const Case &test,
                          const std::shared_ptr<Device> &device,
                          const RunOptions &options) {
  Outcome outcome;
  Status status = run(test, device, options, outcome);
  if (status.ok())
    return outcome;
  outcome.message = status.message();
  outcome.kind =
      isRefusal(test, status) ? Outcome::Kind::Refused : Outcome::Kind::Failed;
  // A fault stays with the context: whatever comes after it fails as well.
  outcome.isDeviceLost =
      status.code() == StatusCode::DriverError || !device->synchronize().ok();
  return outcome;
}
