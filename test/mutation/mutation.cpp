//===- mutation.cpp - Do the tests catch deliberate defects? -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plants each mutant in the GPU lowering, one at a time, and runs the cases
// that `make test` runs on the simulated GPU until one fails. A mutant that no
// case catches shows a hole in the tests, and is a failure.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Suite.h"
#include "test/mutation/Table.h"
#include "tools/io/File.h"
#include "tools/problem/CommandLine.h"

#include "runtime/FileIO.h"
#include <chrono>
#include <fmt/format.h>
#include <set>

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;
using mamba::Result;
using mamba::Status;

namespace {

struct Options {
  PoolOptions pool;
  int64_t mutant = -1;
  std::string oneCase;
  bool list = false;
  bool verbose = false;
  std::string check;
  std::string write;
  std::string report;
};

/// What is known of a run.
struct Run {
  explicit Run(const Options &options) : options(options) {}

  const Options &options;
  std::vector<Mutant> mutants = allMutants();
  std::vector<Case> cases;
  std::vector<Row> rows;
  std::set<size_t> used;
  bool isSound = false; ///< Number 0 passed.

  Status runMutants();
  Status runUnchanged();
  Result<bool> finish();
  void print(const Row &row) const;
};

} // namespace

static std::vector<mamba::Flag> flagsOf(Options &options) {
  using namespace mamba;
  return {
      {"mutant", "N", "only this one", takeNumber(options.mutant, 0)},
      {"case", "\"KEY=VALUE ...\"", "only this case of e2e-numerics",
       takeText(options.oneCase)},
      {"jobs", "N", "processes at one time", takeNumber(options.pool.jobs, 1)},
      {"timeout", "SECONDS", "after which a case counts as hung",
       takeNumber(options.pool.timeout, 1)},
      {"list", "", "print the mutants, run none", takeSwitch(options.list)},
      {"verbose", "", "a line a mutant, with what the suite says",
       takeSwitch(options.verbose)},
      {"check", "FILE.md", "fail where its table is not what the run finds",
       takeText(options.check)},
      {"write", "FILE.md", "put the table between its markers",
       takeText(options.write)},
      {"report", "FILE.json", "write every mutant's outcome",
       takeText(options.report)},
  };
}

void Run::print(const Row &row) const {
  const Verdict &verdict = row.finished.verdict;
  auto say = [&](std::string_view what) {
    mamba::print(fmt::format("FAILED mutation --mutant={} ({}): {}\n",
                             row.number, row.mutant->name.str(), what));
  };
  switch (verdict.kind) {
  case Verdict::Kind::Caught:
    if (options.verbose)
      mamba::print(fmt::format(
          "{} {}: {} in {:.1f} s, {} cases, the last: {}\n  {}\n", row.number,
          row.mutant->name.str(), verdict.by, row.finished.seconds,
          row.finished.used.size(), row.test, verdict.message));
    break;
  case Verdict::Kind::Survived:
    say(fmt::format("survives {} cases, required is one that catches it",
                    row.finished.used.size()));
    break;
  case Verdict::Kind::Unused:
    say("no case's code has a place for it");
    break;
  case Verdict::Kind::Broken:
    say(fmt::format("{} in case \"{}\": {}", verdict.by, row.test,
                    verdict.message));
    break;
  }
  std::fflush(stdout);
}

Status Run::runMutants() {
  std::vector<Job> jobs;
  for (size_t i = 1; i < mutants.size(); ++i)
    if (options.mutant < 0 || options.mutant == int64_t(i))
      jobs.push_back({i, orderFor(mutants[i], cases)});
  rows.resize(jobs.size());
  return runJobs(jobs, mutants, cases, options.pool,
                 [&](size_t job, const Finished &finished) {
                   size_t number = jobs[job].mutant;
                   rows[job] = {number, &mutants[number],
                                cases[finished.verdict.lastCase].text(),
                                finished};
                   used.insert(finished.used.begin(), finished.used.end());
                   print(rows[job]);
                 });
}

/// Without a mutant, all cases that were used pass: it was the mutants that
/// made them fail.
Status Run::runUnchanged() {
  std::vector<Job> jobs(static_cast<size_t>(options.pool.jobs));
  for (size_t number : used)
    jobs[number % jobs.size()].order.push_back(number);
  isSound = true;
  return runJobs(
      jobs, mutants, cases, options.pool,
      [&](size_t job, const Finished &finished) {
        const Verdict &verdict = finished.verdict;
        if (jobs[job].order.empty() || verdict.kind == Verdict::Kind::Survived)
          return;
        isSound = false;
        mamba::print(fmt::format("FAILED without a mutant: {} in case \"{}\": "
                                 "{}\n",
                                 verdict.by, cases[verdict.lastCase].text(),
                                 verdict.message));
      });
}

/// Writes and compares what was asked for; true if all is well.
Result<bool> Run::finish() {
  size_t numCaught =
      llvm::count_if(rows, [](const Row &row) { return row.isCaught(); });
  std::vector<std::pair<std::string, bool>> others = {{"none", isSound}};
  bool isTableRight = true;
  if (!options.check.empty()) {
    MAMBA_ASSIGN_OR_RETURN(std::string text, mamba::readFile(options.check));
    std::string lines = differences(rows, text);
    isTableRight = lines.empty();
    others.push_back({"table", isTableRight});
    if (!isTableRight)
      mamba::print(fmt::format("FAILED {}, which --write={} makes right:\n{}",
                               options.check, options.check, lines));
  }
  if (!options.write.empty()) {
    MAMBA_ASSIGN_OR_RETURN(std::string text, mamba::readFile(options.write));
    MAMBA_RETURN_IF_ERROR(
        mamba::writeFile(options.write, {replaceTable(text, rows)}));
  }
  if (!options.report.empty())
    MAMBA_RETURN_IF_ERROR(
        mamba::writeFile(options.report, {json(rows, others)}));
  if (options.check.empty() && options.write.empty())
    mamba::print(markdown(rows));
  mamba::print(fmt::format("{} of {} mutants caught, {} cases{} without\n",
                           numCaught, rows.size(), used.size(),
                           isSound ? " pass" : ", not all passing,"));
  return numCaught == rows.size() && isSound && isTableRight;
}

/// The suite's cases, as `make test` runs them on simt.
static Result<std::vector<Case>> chooseCases(const Options &options) {
  if (options.oneCase.empty()) {
    mamba::numerics::SuiteOptions suite;
    suite.isSimt = true;
    suite.malformed = 0;
    return mamba::numerics::makeSuite(suite);
  }
  MAMBA_ASSIGN_OR_RETURN(Case one, Case::parse(options.oneCase));
  return std::vector<Case>{one};
}

static Result<bool> run(const Options &options) {
  Run run(options);
  if (options.list) {
    for (auto [number, mutant] : llvm::enumerate(run.mutants))
      mamba::print(fmt::format("{:3} {:24} {}\n", number, mutant.name.str(),
                               mutant.imitates.str()));
    return true;
  }
  if (options.mutant >= int64_t(run.mutants.size()))
    return Status(mamba::StatusCode::InvalidArgument,
                  fmt::format("found mutant {}, required is 0 to {}",
                              options.mutant, run.mutants.size() - 1));
  MAMBA_ASSIGN_OR_RETURN(run.cases, chooseCases(options));
  if (options.mutant == 0)
    for (size_t i = 0; i < run.cases.size(); ++i)
      run.used.insert(i);
  MAMBA_RETURN_IF_ERROR(run.runMutants());
  MAMBA_RETURN_IF_ERROR(run.runUnchanged());
  return run.finish();
}

int main(int argc, char **argv) {
  Options options;
  mamba::CommandLine line{"mutation",
                          "Plants defects in GPU kernels and tells which test "
                          "catches each.",
                          "", flagsOf(options)};
  return mamba::runChecks(line, argc, argv, [&] { return run(options); });
}
