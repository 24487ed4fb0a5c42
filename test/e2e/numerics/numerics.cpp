//===- numerics.cpp - The numerics suite ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Hundreds of layers, each compiled from its text, run on a device and compared
// with the reference. The same cases run on the CPU and on a GPU, whose
// schedules are tested beside.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Nvrtc.h"
#include "test/e2e/numerics/Minimize.h"
#include "test/e2e/numerics/ModuleText.h"
#include "test/e2e/numerics/Mutate.h"
#include "test/e2e/numerics/Report.h"
#include "test/e2e/numerics/Suite.h"
#include "tools/io/File.h"
#include "tools/problem/Choice.h"
#include "tools/problem/CommandLine.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <optional>
#include <set>

using namespace mamba;
using namespace mamba::numerics;

/// The exit status of a test that can't run here.
static constexpr int kSkipped = 77;

namespace {

struct Options {
  WorkerOptions workers;
  SuiteOptions suite;
  std::string oneCase;
  std::string filter;
  std::string schedule;
  /// Run every `shards`th case, from number `shard` on.
  int64_t shard = 0;
  int64_t shards = 1;
  std::string report;
  int64_t seed = 1;
  bool list = false;
  bool print = false;
  bool verbose = false;
  /// Minutes for which new random bodies are drawn and run; 0: the suite.
  int64_t minutes = 0;
};

} // namespace

static Flag againstBackendFlag(Options &options) {
  Flag flag = backendFlag(options.workers.run.otherBackend);
  flag.name = "against-backend";
  flag.help = "compare results with those by nvptx or nvrtc";
  return flag;
}

static std::vector<Flag> flagsOf(Options &options) {
  return {
      {"device", "DEVICE", "cpu, simt, cuda:0, ...",
       takeText(options.workers.device)},
      {"against", "DEVICE", "compare results with a second device's",
       takeText(options.workers.other)},
      backendFlag(options.workers.run.backend),
      againstBackendFlag(options),
      {"case", "\"KEY=VALUE ...\"", "only this case, as a failure names it",
       takeText(options.oneCase)},
      {"filter", "TEXT",
       "only cases whose text has TEXT in it; !TEXT: that have it not",
       takeText(options.filter)},
      {"schedule", "\"KEY=VALUE ...\"",
       "all cases have this schedule, in place of their own",
       takeText(options.schedule)},
      {"shards", "N", "parts that the cases are dealt to",
       takeNumber(options.shards, 1)},
      {"shard", "I", "the part to run, from 0", takeNumber(options.shard, 0)},
      {"quick", "", "a tenth of the cases, small ones: for compute-sanitizer",
       takeSwitch(options.suite.isQuick)},
      {"jobs", "N", "processes that run cases; 0: only this one",
       takeNumber(options.workers.jobs, 0)},
      {"timeout", "SECONDS", "after which a case counts as hung",
       takeNumber(options.workers.timeout, 1)},
      {"seed", "N", "of the choice of cases", takeNumber(options.seed, 0)},
      {"extra", "N", "cases drawn beside each covering design",
       takeNumber(options.suite.extra, 0)},
      {"malformed", "N", "modules with mistakes, a kind of body",
       takeNumber(options.suite.malformed, 0)},
      {"translate", "N",
       "in place of the suite: N random bodies, and layers, that become CUDA "
       "C++; exit status 77 where NVRTC is not found",
       takeNumber(options.suite.translated, 0)},
      {"points", "N", "points that the reference computes a case",
       takeNumber(options.workers.run.maxPoints, 1)},
      {"random", "N", "random bodies", takeNumber(options.suite.random, 0)},
      {"minutes", "N", "draw random bodies for so long, in place of the suite",
       takeNumber(options.minutes, 0)},
      {"repeats", "N", "launches of kind=repeat",
       takeNumber(options.workers.run.repeats, 2)},
      {"report", "FILE.json", "write every case's outcome",
       takeText(options.report)},
      {"list", "", "print the cases, run none", takeSwitch(options.list)},
      {"print", "", "print the cases' modules, run none",
       takeSwitch(options.print)},
      {"verbose", "", "a line a case", takeSwitch(options.verbose)},
  };
}

/// The cases of one shard. Of several, the first has those of kind `far`, which
/// need much of a device's memory, and takes longer for them than the others.
static std::vector<Case> dealt(const std::vector<Case> &cases,
                               const Options &options) {
  if (options.shards == 1)
    return cases;
  std::vector<Case> own;
  for (size_t i = 0; i < cases.size(); ++i) {
    int64_t number = static_cast<int64_t>(i) % (options.shards - 1) + 1;
    if (options.shard == (cases[i].is("kind", "far") ? 0 : number))
      own.push_back(cases[i]);
  }
  return own;
}

/// Gives all cases one schedule. What differed in nothing else is one case
/// then.
static std::vector<Case> withSchedule(const std::vector<Case> &cases,
                                      const Case &schedule) {
  std::vector<Case> changed;
  std::set<std::string> texts;
  for (Case test : cases) {
    test.setSchedule(schedule);
    test.reset("seed");
    if (texts.insert(test.text()).second)
      changed.push_back(test);
  }
  return changed;
}

/// True if `filter` is in the text of `test`, or is !TEXT and TEXT is not.
static bool isChosen(const Case &test, std::string_view filter) {
  bool isNot = filter.starts_with("!");
  filter.remove_prefix(isNot ? 1 : 0);
  return (test.text().find(filter) != std::string::npos) != isNot;
}

static Result<std::vector<Case>> chooseCases(const Options &options) {
  std::vector<Case> cases;
  if (!options.oneCase.empty()) {
    MAMBA_ASSIGN_OR_RETURN(Case one, Case::parse(options.oneCase));
    cases.push_back(one);
    return cases;
  }
  SuiteOptions suite = options.suite;
  suite.isCuda = options.workers.device.starts_with("cuda");
  suite.isSimt = options.workers.device == "simt";
  suite.seed = static_cast<uint64_t>(options.seed);
  std::vector<Case> all = makeSuite(suite);
  if (!options.schedule.empty()) {
    MAMBA_ASSIGN_OR_RETURN(Case schedule, Case::parse(options.schedule));
    all = withSchedule(all, schedule);
  }
  for (const Case &test : all)
    if (isChosen(test, options.filter))
      cases.push_back(test);
  return dealt(cases, options);
}

/// What a message says, without its numbers and names: two failures with the
/// same words are taken for one defect.
static std::string wordsOf(std::string_view message) {
  std::string words;
  bool isQuoted = false;
  for (char c : message) {
    isQuoted ^= c == '\'';
    if (!isQuoted && std::isalpha(static_cast<unsigned char>(c)))
      words += c;
  }
  return words.substr(0, 24);
}

/// The outcome of one case, in a process of its own.
static Outcome tryCase(const Case &test, const WorkerOptions &options) {
  Outcome outcome;
  WorkerOptions alone = options;
  alone.jobs = 1;
  Status status =
      runCases({test}, alone, [&](size_t, const Finished &finished) {
        outcome = finished.outcome;
      });
  if (!status.ok())
    outcome = {Outcome::Kind::Failed, status.message()};
  return outcome;
}

/// Shrinks a failing case, and prints its module and how to run it.
static void printSmallest(const Options &options, const Case &test,
                          const std::string &message) {
  constexpr int64_t kTries = 300;
  Case smallest = minimize(test, kTries, [&](const Case &simpler) {
    Outcome outcome = tryCase(simpler, options.workers);
    return outcome.kind == Outcome::Kind::Failed &&
           wordsOf(outcome.message) == wordsOf(message);
  });
  print(fmt::format("The smallest case that fails so:\n"
                    "  e2e-numerics --device={} --case=\"{}\"\n  {}\n{}",
                    options.workers.device, smallest.text(),
                    tryCase(smallest, options.workers).message,
                    moduleText(smallest)));
  std::fflush(stdout);
}

static void printFailure(const Options &options, const Case &test,
                         const Outcome &outcome) {
  print(fmt::format("FAILED e2e-numerics --device={} --case=\"{}\"\n  {}\n",
                    options.workers.device, test.text(), outcome.message));
  std::fflush(stdout);
}

/// Facts of the device, for the report; none where it can't be opened any more.
static DeviceInfo infoOf(const std::string &name) {
  Result<std::shared_ptr<Device>> device = Device::open(name);
  return device.ok() ? (*device)->info() : DeviceInfo();
}

/// Runs the cases side by side, then those of kind `far` one by one.
static Status runInTwoParts(const Options &options,
                            const std::vector<Case> &cases,
                            const OnFinished &onFinished) {
  auto firstFar =
      std::find_if(cases.begin(), cases.end(),
                   [](const Case &test) { return test.is("kind", "far"); });
  std::vector<Case> usual(cases.begin(), firstFar), far(firstFar, cases.end());
  MAMBA_RETURN_IF_ERROR(runCases(usual, options.workers, onFinished));
  WorkerOptions workers = options.workers;
  workers.jobs = std::min<int64_t>(workers.jobs, 1);
  return runCases(far, workers, [&](size_t index, const Finished &finished) {
    onFinished(usual.size() + index, finished);
  });
}

static Result<bool> runSuite(const Options &options,
                             const std::vector<Case> &cases) {
  auto start = std::chrono::steady_clock::now();
  Report report(options.workers.device, cases);
  std::optional<std::pair<size_t, std::string>> firstFailure;
  auto onFinished = [&](size_t index, const Finished &finished) {
    report.add(index, finished);
    if (finished.outcome.kind == Outcome::Kind::Failed) {
      printFailure(options, cases[index], finished.outcome);
      if (!firstFailure)
        firstFailure = {index, finished.outcome.message};
    } else if (options.verbose)
      print(fmt::format("{} {:.3f} s, {:.3f} of the bound: {} {}\n",
                        toString(finished.outcome.kind), finished.seconds,
                        finished.outcome.worst, cases[index].text(),
                        finished.outcome.message));
  };
  Status status = runInTwoParts(options, cases, onFinished);
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  // Workers are forked, which a device in this process would forbid.
  if (firstFailure && options.workers.jobs > 0)
    printSmallest(options, cases[firstFailure->first], firstFailure->second);
  if (!options.report.empty())
    MAMBA_RETURN_IF_ERROR(writeFile(
        options.report,
        {report.json(infoOf(options.workers.device), seconds.count())}));
  MAMBA_RETURN_IF_ERROR(status);
  print(fmt::format("{}{}{}", report.summary(), report.differences(),
                    options.verbose ? report.extremes() : ""));
  print(fmt::format("{}: {} passed, {} failed, {} refused in {:.0f} s\n",
                    options.workers.device, report.count(Outcome::Kind::Passed),
                    report.count(Outcome::Kind::Failed),
                    report.count(Outcome::Kind::Refused), seconds.count()));
  if (report.count(Outcome::Kind::Passed) == 0)
    return Status(StatusCode::Internal, "no case passed");
  return report.count(Outcome::Kind::Failed) == 0;
}

/// The module that `test` compiles.
static std::string caseText(const Case &test) {
  std::string text = moduleText(test);
  return test.is("kind", "malformed")
             ? mutate(text, static_cast<uint64_t>(test.number("seed")))
             : text;
}

/// Batches of random bodies with ever new seeds, until one fails or time is up.
static Result<bool> runForMinutes(const Options &options) {
  auto end =
      std::chrono::steady_clock::now() + std::chrono::minutes(options.minutes);
  Options batch = options;
  batch.filter = "body=random";
  batch.suite.random = std::max<int64_t>(batch.suite.random, 200);
  while (std::chrono::steady_clock::now() < end) {
    print(fmt::format("seed {}\n", batch.seed));
    MAMBA_ASSIGN_OR_RETURN(std::vector<Case> cases, chooseCases(batch));
    MAMBA_ASSIGN_OR_RETURN(bool passed, runSuite(batch, cases));
    if (!passed)
      return false;
    ++batch.seed;
  }
  return true;
}

static Result<bool> run(const Options &options) {
  if (options.shard >= options.shards)
    return Status(StatusCode::InvalidArgument,
                  fmt::format("--shard={} is not one of {}: give 0 to {}",
                              options.shard, options.shards,
                              options.shards - 1));
  if (options.minutes > 0)
    return runForMinutes(options);
  MAMBA_ASSIGN_OR_RETURN(std::vector<Case> cases, chooseCases(options));
  if (options.print || options.list) {
    for (const Case &test : cases)
      std::puts((options.print ? caseText(test) : test.text()).c_str());
    MAMBA_RETURN_IF_ERROR(flushPrinted());
    return true;
  }
  return runSuite(options, cases);
}

int main(int argc, char **argv) {
  Options options;
  CommandLine line{"e2e-numerics",
                   "Compares compiled layers with the reference, on many "
                   "shapes, memories and schedules.",
                   "", flagsOf(options)};
  if (wantsHelp(argc, argv)) {
    std::puts((line.help() + "\nkeys of a case [default]:").c_str());
    std::fputs(keysHelp().c_str(), stdout);
    Status printed = flushPrinted();
    return printed.ok() ? 0 : reportError(printed);
  }
  Result<std::vector<std::string>> others = line.parse(argc, argv);
  if (!others.ok())
    return reportError(others.status());
  if (options.suite.translated > 0)
    if (Status status = cuda::Nvrtc::get().status(); !status.ok()) {
      reportError(status);
      return kSkipped;
    }
  Result<bool> passed = run(options);
  if (!passed.ok())
    return reportError(passed.status());
  return *passed ? 0 : 1;
}
