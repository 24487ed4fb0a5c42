//===- mamba-tune.cpp - Find the fastest schedule -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tuner from a shell. What it finds is what later launches use, of any
// program of this user.
//
//===----------------------------------------------------------------------===//

#include "runtime/Buffer.h"
#include "runtime/jit/Tune.h"
#include "tools/io/File.h"
#include "tools/problem/Choice.h"
#include "tools/problem/Json.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

using namespace mamba;

using Outcome = TuneCandidate::Outcome;

namespace {

struct Options : InputOptions, ChoiceOptions {
  std::string file;
  std::string device = "cuda:0";
  int64_t seconds = 60;
  bool again = false;
  bool fromModel = false;
  std::vector<std::string> schedules;
  Backend backend = Backend::Auto;
  int64_t show = 10;
  std::string report;

  CommandLine commandLine();
};

} // namespace

CommandLine Options::commandLine() {
  CommandLine line{"mamba-tune",
                   "Finds the schedule that a function runs fastest with, and "
                   "keeps it for all later launches.",
                   "FILE.mlir",
                   {}};
  line.flags = {
      {"device", "DEVICE", "cuda:N (default cuda:0), cpu or simt",
       takeText(device)},
      {"seconds", "N", "start no measurement after this time (default 60)",
       takeNumber(seconds, 1)},
      {"again", "", "search although a schedule is known", takeSwitch(again)},
      {"from-model", "",
       "search as for a problem that the table which comes with the compiler "
       "does not have, and keep nothing",
       takeSwitch(fromModel)},
      {"schedule", "ATTRIBUTE",
       "measure this one, and others given so, in place of a search; "
       "repeatable",
       [this](std::string_view value) {
         return takeText(schedules.emplace_back())(value);
       }},
      backendFlag(backend),
      {"show", "N", "schedules to print (default 10)", takeNumber(show, 0)},
      {"report", "FILE.json", "write all that were tried", takeText(report)}};
  for (auto flags : {ChoiceOptions::flags(), InputOptions::flags()})
    line.flags.insert(line.flags.end(), flags.begin(), flags.end());
  return line;
}

//===----------------------------------------------------------------------===//
// Progress
//===----------------------------------------------------------------------===//

/// One line that renews itself on a terminal; elsewhere a line whenever
/// something faster is found.
static void showProgress(const TuneProgress &progress) {
  constexpr int kBarWidth = 20;
  double share = std::min(progress.spentSeconds / progress.budgetSeconds, 1.0);
  std::string line =
      fmt::format("[{:<{}}] {:.0f} s, {} tried, {:.1f} us with {}",
                  std::string(static_cast<size_t>(share * kBarWidth), '#'),
                  kBarWidth, progress.spentSeconds, progress.tried,
                  progress.best->seconds * 1e6, progress.best->schedule);
  if (isatty(STDERR_FILENO))
    print(fmt::format("\r\033[K{}", line), stderr);
  else if (progress.last == progress.best)
    print(fmt::format("{}\n", line), stderr);
}

static void endProgress() {
  if (isatty(STDERR_FILENO))
    print("\r\033[K", stderr);
}

//===----------------------------------------------------------------------===//
// Report
//===----------------------------------------------------------------------===//

static std::string nameOf(Outcome outcome) {
  switch (outcome) {
  case Outcome::Timed:
    return "timed";
  case Outcome::Refused:
    return "refused";
  case Outcome::Spills:
    return "spills";
  case Outcome::Wrong:
    return "wrong";
  }
  return "";
}

static std::vector<const TuneCandidate *> sorted(const TuneReport &report) {
  std::vector<const TuneCandidate *> list;
  for (const TuneCandidate &candidate : report.candidates)
    list.push_back(&candidate);
  std::sort(list.begin(), list.end(), [](auto *a, auto *b) {
    auto order = [](const TuneCandidate *c) {
      return std::pair(c->outcome, c->seconds);
    };
    return order(a) < order(b);
  });
  return list;
}

/// Said where it is not the usual one.
static std::string roadOf(Backend backend) {
  return backend == Backend::Nvrtc ? ", by nvrtc" : "";
}

/// What a GPU's code takes: nothing is known of others.
static std::string occupancyOf(const TuneCandidate &candidate) {
  if (candidate.registers == 0)
    return "";
  return fmt::format(" {:4} registers {:3} blocks", candidate.registers,
                     candidate.blocksPerMultiprocessor);
}

static std::string candidateLine(const TuneCandidate &candidate) {
  std::string facts = candidate.outcome == Outcome::Timed
                          ? fmt::format("{:9.2f} us", candidate.seconds * 1e6)
                          : fmt::format("{:>12}", nameOf(candidate.outcome));
  std::string text =
      fmt::format("  {}{}  {}{}\n", facts, occupancyOf(candidate),
                  candidate.schedule, roadOf(candidate.backend));
  if (!candidate.reason.empty())
    text += fmt::format("               {}\n", candidate.reason);
  return text;
}

/// Why no more were tried.
static std::string_view endOf(const TuneReport &report,
                              const Options &options) {
  if (!options.schedules.empty())
    return "those that were given";
  return report.isExhausted ? "nothing near is faster" : "the time is over";
}

static std::string table(const TuneReport &report, const Device &device,
                         const std::string &function, const Options &options) {
  std::string text = fmt::format("@{} on {} ({})\n", function, device.name(),
                                 device.info().model);
  if (report.wasKnown)
    return text + fmt::format("  known     {:.2f} us  {}\n  --again searches "
                              "anew\n",
                              report.seconds * 1e6, report.schedule);
  std::string counts;
  for (Outcome outcome :
       {Outcome::Timed, Outcome::Refused, Outcome::Spills, Outcome::Wrong}) {
    auto count = std::count_if(
        report.candidates.begin(), report.candidates.end(),
        [&](const TuneCandidate &c) { return c.outcome == outcome; });
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count,
                          nameOf(outcome));
  }
  text += fmt::format("  tried     {} schedules in {:.1f} s ({}); {}\n",
                      report.candidates.size(), report.spentSeconds, counts,
                      endOf(report, options));
  text += fmt::format(
      "  default   {:.2f} us  {}\n  fastest   {:.2f} us  {}{}\n",
      report.defaultSeconds * 1e6, report.candidates.front().schedule,
      report.seconds * 1e6, report.schedule, roadOf(report.backend));
  int64_t show = options.show;
  for (const TuneCandidate *candidate : sorted(report))
    if (show-- > 0)
      text += candidateLine(*candidate);
  return text;
}

static std::string json(const TuneReport &report, const Device &device,
                        const HostProblem &problem) {
  std::string list;
  for (const TuneCandidate &candidate : report.candidates)
    list += fmt::format(
        "{}\n    {{\"schedule\": {}, \"backend\": {}, \"outcome\": {}, "
        "\"us\": {}, "
        "\"error_over_bound\": {}, \"registers\": {}, \"blocks\": {}, "
        "\"reason\": {}}}",
        list.empty() ? "" : ",", jsonText(candidate.schedule),
        jsonText(toString(candidate.backend)),
        jsonText(nameOf(candidate.outcome)),
        jsonNumber(candidate.seconds * 1e6),
        jsonNumber(candidate.errorOverBound), candidate.registers,
        candidate.blocksPerMultiprocessor, jsonText(candidate.reason));
  return fmt::format(
      "{{\"kernel\": {}, \"model\": {}, \"target\": {}, "
      "\"multiprocessors\": {}, \"extents\": {{{}}},\n \"problem\": {},\n "
      "\"schedule\": {}, \"backend\": {}, \"us\": {}, "
      "\"default_us\": {}, \"seconds\": {}, \"known\": {}, "
      "\"exhausted\": {},\n \"candidates\": [{}\n ]}}\n",
      jsonText(problem.info.name), jsonText(device.info().model),
      jsonText(device.info().architecture), device.multiprocessors(),
      jsonMembers(problem.extents.list()), jsonText(report.problem),
      jsonText(report.schedule), jsonText(toString(report.backend)),
      jsonNumber(report.seconds * 1e6), jsonNumber(report.defaultSeconds * 1e6),
      jsonNumber(report.spentSeconds), report.wasKnown, report.isExhausted,
      list);
}

//===----------------------------------------------------------------------===//
// Main
//===----------------------------------------------------------------------===//

/// The problem's tensors on the device.
static Status copyToDevice(const HostProblem &problem,
                           const std::shared_ptr<Device> &device,
                           std::vector<DeviceTensor> &tensors) {
  for (const std::vector<HostTensor> *side :
       {&problem.inputs, &problem.results})
    for (const HostTensor &host : *side) {
      MAMBA_ASSIGN_OR_RETURN(DeviceTensor copy,
                             DeviceTensor::copyOf(host, device));
      tensors.push_back(std::move(copy));
    }
  return Status();
}

static Status run(const Options &options) {
  if (options.fromModel && !options.schedules.empty())
    return Status(StatusCode::InvalidArgument,
                  "found --from-model, which is for searches, and --schedule, "
                  "which replaces them; give one of them");
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(options.file));
  MAMBA_ASSIGN_OR_RETURN(
      Choice choice, chooseFunction(module, options, options.problem.extents));
  const Function &function = choice.function;
  MAMBA_ASSIGN_OR_RETURN(HostProblem problem, makeProblem(choice, options));
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         Device::open(options.device));
  std::vector<DeviceTensor> tensors;
  MAMBA_RETURN_IF_ERROR(copyToDevice(problem, device, tensors));
  std::vector<TensorView> views;
  for (const DeviceTensor &tensor : tensors)
    views.push_back(tensor.view());
  TuneOptions wanted;
  wanted.seconds = static_cast<double>(options.seconds);
  wanted.searchesAgain = options.again || options.fromModel;
  wanted.usesTable = !options.fromModel;
  wanted.schedules = options.schedules;
  wanted.backend = options.backend;
  wanted.onProgress = showProgress;
  Result<TuneReport> report = autotune(function, device, views, wanted);
  endProgress();
  MAMBA_RETURN_IF_ERROR(report.status());
  std::string text = table(*report, *device, function.info().name, options);
  print(text);
  if (options.report.empty())
    return Status();
  return writeFile(options.report, {json(*report, *device, problem)});
}

int main(int argc, char **argv) {
  Options options;
  return runOnFile(options.commandLine(), argc, argv, options.file,
                   [&] { return run(options); });
}
