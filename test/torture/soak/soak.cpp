//===- soak.cpp - Random shapes for long, in threads ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Watches the threads and the memory, and judges at the end. See
// test/torture/README.md.
//
//===----------------------------------------------------------------------===//

#include "test/ResidentMemory.h"
#include "test/torture/soak/Crew.h"
#include "tools/io/File.h"
#include "tools/problem/CommandLine.h"
#include "tools/problem/Json.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <tuple>

using namespace mamba;
using namespace mamba::soak;

namespace {

/// Memory may be so much larger in the last third than in the one before: what
/// the allocators of host and driver do not give back at once.
constexpr int64_t kMostHostGrowth = int64_t(8) << 20;
constexpr int64_t kMostDeviceGrowth = int64_t(4) << 20;
/// The warm-up is this part of the time, and each of the two that are compared.
constexpr double kWarmUp = 1.0 / 3;
/// A run with fewer launches shows little.
constexpr double kLeastLaunchesPerSecond = 5;

/// With fewer no gradients are drawn that a bound holds for.
constexpr int64_t kLeastPoints = int64_t(1) << 14;

/// The exit status by which ctest knows that nothing was tested.
constexpr int kSkipped = 77;

struct Flags {
  std::string device;
  int64_t threads = 8;
  int64_t seconds = 60;
  int64_t minutes = 0;
  int64_t seed = 1;
  int64_t kernels = 72;
  int64_t points = int64_t(1) << 18;
  std::string report;

  double duration() const {
    return static_cast<double>(minutes > 0 ? 60 * minutes : seconds);
  }
};

std::vector<Flag> flagsOf(Flags &flags) {
  return {
      {"device", "NAME,...",
       "cpu, simt or cuda:N; default: a GPU if there is one; of several, "
       "threads take one each, in turns",
       takeText(flags.device)},
      {"threads", "N", "threads, each with a stream (default 8)",
       takeNumber(flags.threads, 1)},
      {"seconds", "N", "of random shapes, after the first ones (default 60)",
       takeNumber(flags.seconds, 1)},
      {"minutes", "N", "the same, in minutes", takeNumber(flags.minutes, 1)},
      {"seed", "N", "of layers, shapes and values (default 1)",
       takeNumber(flags.seed, 0)},
      {"kernels", "N", "kernels that the shapes are for (default 72)",
       takeNumber(flags.kernels, 1)},
      {"points", "N",
       "points (b, l, d, n) of a shape that the reference computes, at least "
       "16384 (default 262144)",
       takeNumber(flags.points, kLeastPoints)},
      {"report", "FILE", "write what was found as JSON",
       takeText(flags.report)}};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

struct Sample {
  double seconds = 0;
  int64_t hostBytes = 0;
  int64_t deviceBytes = 0;
  Tally tally;
};

/// Of all devices together.
Result<int64_t> bytesInUse(const Devices &devices) {
  int64_t sum = 0;
  for (const std::shared_ptr<Device> &device : devices) {
    MAMBA_ASSIGN_OR_RETURN(int64_t bytes, device->bytesInUse());
    sum += bytes;
  }
  return sum;
}

/// While no thread is in a case.
Result<Sample> look(Crew &crew, const Devices &devices, double seconds) {
  Sample sample;
  crew.halt();
  Result<int64_t> deviceBytes = bytesInUse(devices);
  sample.hostBytes = test::residentBytes();
  sample.tally = crew.tally();
  crew.resume();
  MAMBA_ASSIGN_OR_RETURN(sample.deviceBytes, std::move(deviceBytes));
  sample.seconds = seconds;
  return sample;
}

double mebibytes(int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

void printSample(const Sample &sample) {
  print(fmt::format(
      "{:6.1f} s: {} launches, {} shapes, {} kernels compiled, {} "
      "failures; {:.1f} MiB of the host, {:.1f} MiB of the device\n",
      sample.seconds, sample.tally.launches, sample.tally.shapes,
      sample.tally.compiled, sample.tally.failures, mebibytes(sample.hostBytes),
      mebibytes(sample.deviceBytes)));
  std::fflush(stdout);
}

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

/// What the first shapes left, then one sample every few seconds.
Result<std::vector<Sample>> watch(const Flags &flags, Crew &crew,
                                  const Devices &devices) {
  using Clock = std::chrono::steady_clock;
  constexpr double kMostSamples = 360;
  double step = std::max(flags.duration() / kMostSamples,
                         std::min(5.0, flags.duration() / 24));
  crew.waitForFirsts();
  Clock::time_point begin = Clock::now();
  std::vector<Sample> samples;
  for (double next = 0;; next += step) {
    std::this_thread::sleep_until(begin +
                                  std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(next)));
    std::chrono::duration<double> seconds = Clock::now() - begin;
    MAMBA_ASSIGN_OR_RETURN(Sample sample, look(crew, devices, seconds.count()));
    printSample(sample);
    samples.push_back(sample);
    if (crew.isDeviceLost() || seconds.count() >= flags.duration())
      return samples;
  }
}

struct Growth {
  int64_t host = 0;
  int64_t device = 0;
};

/// The median in a part of the time, its ends included: what the allocators
/// keep for a while comes and goes.
int64_t medianOf(const std::vector<Sample> &samples, double begin, double end,
                 int64_t Sample::*bytes) {
  std::vector<int64_t> found;
  for (const Sample &sample : samples)
    if (double part = sample.seconds / samples.back().seconds;
        begin <= part && part <= end)
      found.push_back(sample.*bytes);
  std::sort(found.begin(), found.end());
  return found.empty() ? 0 : found[found.size() / 2];
}

/// From the second third of the time to the last.
int64_t growthOf(const std::vector<Sample> &samples, int64_t Sample::*bytes) {
  // A lost device ends a run before there is much to compare.
  if (samples.size() < 4)
    return 0;
  return medianOf(samples, 2 * kWarmUp, 1, bytes) -
         medianOf(samples, kWarmUp, 2 * kWarmUp, bytes);
}

Growth growthOf(const std::vector<Sample> &samples) {
  return {growthOf(samples, &Sample::hostBytes),
          growthOf(samples, &Sample::deviceBytes)};
}

/// Devices of one kind share what is compiled.
int64_t mostKernels(const Flags &flags, const Devices &devices) {
  std::set<std::pair<std::string, int>> kinds;
  for (const std::shared_ptr<Device> &device : devices)
    kinds.emplace(device->target(), device->multiprocessors());
  return flags.kernels * std::ssize(kinds);
}

/// What was wrong with a run, a line each.
std::vector<std::string> judge(const Flags &flags, const Devices &devices,
                               const std::vector<Sample> &samples) {
  std::vector<std::string> complaints;
  const Sample &last = samples.back();
  if (last.tally.failures > 0)
    complaints.push_back(fmt::format("{} of {} cases failed",
                                     last.tally.failures, last.tally.cases));
  Growth growth = growthOf(samples);
  for (auto [name, bytes, most] :
       {std::tuple("host", growth.host, kMostHostGrowth),
        std::tuple("device", growth.device, kMostDeviceGrowth)})
    if (bytes > most)
      complaints.push_back(fmt::format(
          "memory of the {} grew by {:.1f} MiB from the second third of the "
          "time to the last, allowed are {:.1f} MiB",
          name, mebibytes(bytes), mebibytes(most)));
  if (int64_t most = mostKernels(flags, devices); last.tally.compiled > most)
    complaints.push_back(fmt::format("{} kernels were compiled, required are "
                                     "at most the {} that the shapes are for",
                                     last.tally.compiled, most));
  auto launches =
      static_cast<double>(last.tally.launches - samples.front().tally.launches);
  if (launches < kLeastLaunchesPerSecond * last.seconds)
    complaints.push_back(
        fmt::format("{} launches in {:.0f} s, required are {} a second: give "
                    "fewer --points",
                    launches, last.seconds, kLeastLaunchesPerSecond));
  return complaints;
}

std::string json(const Sample &sample) {
  return fmt::format("{{\"seconds\": {:.1f}, \"launches\": {}, \"cases\": {}, "
                     "\"shapes\": {}, \"host_bytes\": {}, \"device_bytes\": "
                     "{}}}",
                     sample.seconds, sample.tally.launches, sample.tally.cases,
                     sample.tally.shapes, sample.hostBytes, sample.deviceBytes);
}

/// The names of devices, or their models, with commas between.
std::string join(const Devices &devices, std::string DeviceInfo::*text) {
  std::string all;
  for (const std::shared_ptr<Device> &device : devices)
    all += (all.empty() ? "" : ",") + device->info().*text;
  return all;
}

std::string json(const Flags &flags, const Devices &devices,
                 const std::vector<Sample> &samples) {
  Growth growth = growthOf(samples);
  const Sample &last = samples.back();
  std::string text = fmt::format(
      "{{\"device\": {}, \"model\": {}, \"threads\": {}, \"seed\": {}, "
      "\"compiled\": {}, \"failures\": {}, \"worst\": {}, \"host_growth\": {}, "
      "\"device_growth\": {},\n \"samples\": [",
      jsonText(join(devices, &DeviceInfo::name)),
      jsonText(join(devices, &DeviceInfo::model)), flags.threads, flags.seed,
      last.tally.compiled, last.tally.failures, jsonNumber(last.tally.worst),
      growth.host, growth.device);
  for (const Sample &sample : samples)
    text += (&sample == samples.data() ? "\n  " : ",\n  ") + json(sample);
  return text + "]}\n";
}

void summarize(const Flags &flags, const Devices &devices,
               const std::vector<Sample> &samples) {
  const Sample &last = samples.back();
  Growth growth = growthOf(samples);
  print(fmt::format(
      "{}, {} threads, seed {}: {} launches of {} shapes in {:.0f} s, "
      "{} kernels compiled, worst error in fp32 {:.2f} of its bound, {} "
      "failures; in the last third {:+.1f} MiB of the host, {:+.1f} MiB "
      "of the device\n",
      join(devices, &DeviceInfo::name), flags.threads, flags.seed,
      last.tally.launches, last.tally.shapes, last.seconds, last.tally.compiled,
      last.tally.worst, last.tally.failures, mebibytes(growth.host),
      mebibytes(growth.device)));
}

/// The devices that `names`, with commas between, say.
Result<Devices> openDevices(std::string_view names) {
  Devices devices;
  while (!names.empty()) {
    size_t end = std::min(names.find(','), names.size());
    MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                           Device::open(names.substr(0, end)));
    if (std::find(devices.begin(), devices.end(), device) != devices.end())
      return Status(StatusCode::InvalidArgument,
                    fmt::format("device {} was given twice", device->name()));
    devices.push_back(std::move(device));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return devices;
}

Result<bool> run(const Flags &flags, bool &isSkipped) {
  MAMBA_RETURN_IF_ERROR(registerCompiler());
  std::string names = flags.device;
  if (names.empty())
    names = Device::hasCuda() ? "cuda:0" : "cpu";
  Result<Devices> opened = openDevices(names);
  // Several GPUs are more than most machines have.
  isSkipped = opened.code() == StatusCode::NotFound &&
              names.find(',') != std::string::npos;
  if (isSkipped) {
    print(fmt::format("soak-torture: skipped, for {} are not all here: {}\n",
                      names, opened.status().message()));
    return false;
  }
  MAMBA_ASSIGN_OR_RETURN(Devices devices, std::move(opened));
  if (flags.threads < std::ssize(devices))
    return Status(StatusCode::InvalidArgument,
                  fmt::format("found {} threads, required is one for each of "
                              "{} devices",
                              flags.threads, devices.size()));
  MAMBA_RETURN_IF_ERROR(checkNeighbours(devices));
  auto seed = static_cast<uint64_t>(flags.seed);
  std::vector<std::unique_ptr<Subject>> subjects =
      drawSubjects(flags.kernels, seed, flags.points);
  Crew crew({devices, flags.threads, seed, flags.points}, subjects);
  MAMBA_ASSIGN_OR_RETURN(std::vector<Sample> samples,
                         watch(flags, crew, devices));
  summarize(flags, devices, samples);
  if (!flags.report.empty())
    MAMBA_RETURN_IF_ERROR(
        writeFile(flags.report, {json(flags, devices, samples)}));
  std::vector<std::string> complaints = judge(flags, devices, samples);
  for (const std::string &complaint : complaints)
    print(fmt::format("soak-torture: {}\n", complaint), stderr);
  return complaints.empty();
}

} // namespace

int main(int argc, char **argv) {
  Flags flags;
  CommandLine line{"soak-torture",
                   "Launches random shapes from many threads, compares every "
                   "result, and requires that memory does not grow.",
                   "", flagsOf(flags)};
  bool isSkipped = false;
  int status =
      runChecks(line, argc, argv, [&] { return run(flags, isSkipped); });
  return isSkipped ? kSkipped : status;
}
