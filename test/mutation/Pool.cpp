//===- Pool.cpp - Trials in processes of their own -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A process tells which case it is at, so that the case is known if the process
// dies. What it says is a head of a fixed size and a text.
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Pool.h"

#include "test/e2e/numerics/Pipe.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;
using mamba::numerics::readAll;
using mamba::numerics::writeAll;

using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

namespace {

/// A case begins, its changed code runs, or the trial is over.
struct Head {
  enum class Kind : uint8_t { Begin, Launch, Verdict } kind;
  Verdict::Kind verdict;
  size_t number;
  size_t catcherBytes;
  size_t messageBytes;
};

} // namespace

static bool receiveText(int file, size_t bytes, std::string &text) {
  text.resize(bytes);
  return readAll(file, text.data(), bytes);
}

//===----------------------------------------------------------------------===//
// A process
//===----------------------------------------------------------------------===//

namespace {

struct Worker {
  pid_t process = -1;
  int answers = -1;
  size_t job = 0;
  Clock::time_point start, caseStart;
  Finished finished;
  bool isLaunched = false;
  bool hasVerdict = false;

  bool isAlive() const { return process > 0; }
};

class Pool {
public:
  Pool(const std::vector<Job> &jobs, const std::vector<Mutant> &mutants,
       const std::vector<Case> &cases, const PoolOptions &options,
       const std::function<void(size_t, const Finished &)> &onFinished)
      : jobs(jobs), mutants(mutants), cases(cases), options(options),
        onFinished(onFinished) {}

  mamba::Status run();

private:
  mamba::Status start(Worker &worker);
  void work(const Job &job, int answers);
  void listen(Worker &worker);
  void end(Worker &worker, StringRef reason);

  const std::vector<Job> &jobs;
  const std::vector<Mutant> &mutants;
  const std::vector<Case> &cases;
  const PoolOptions &options;
  const std::function<void(size_t, const Finished &)> &onFinished;
  std::vector<Worker> workers;
  size_t next = 0;
};

} // namespace

/// The whole life of a process.
void Pool::work(const Job &job, int answers) {
  auto onCase = [&](size_t number, bool isLaunched) {
    Head head = {};
    head.kind = isLaunched ? Head::Kind::Launch : Head::Kind::Begin;
    head.number = number;
    writeAll(answers, &head, sizeof(head));
  };
  Verdict verdict = runTrial(mutants[job.mutant], cases, job.order, onCase);
  Head head = {};
  head.kind = Head::Kind::Verdict;
  head.verdict = verdict.kind;
  head.number = verdict.lastCase;
  head.catcherBytes = verdict.by.size();
  head.messageBytes = verdict.message.size();
  writeAll(answers, &head, sizeof(head));
  writeAll(answers, verdict.by.data(), verdict.by.size());
  writeAll(answers, verdict.message.data(), verdict.message.size());
}

mamba::Status Pool::start(Worker &worker) {
  int up[2];
  if (pipe(up) != 0)
    return mamba::Status(mamba::StatusCode::IoError, "cannot make a pipe");
  worker = Worker();
  worker.job = next++;
  worker.start = worker.caseStart = Clock::now();
  pid_t process = fork();
  if (process < 0)
    return mamba::Status(mamba::StatusCode::IoError, "cannot fork");
  if (process == 0) {
    close(up[0]);
    work(jobs[worker.job], up[1]);
    // Destructors of the parent's objects are not this process's.
    _exit(0);
  }
  close(up[1]);
  worker.process = process;
  worker.answers = up[0];
  return mamba::Status();
}

void Pool::listen(Worker &worker) {
  Head head;
  Verdict &verdict = worker.finished.verdict;
  if (!readAll(worker.answers, &head, sizeof(head)))
    return end(worker, "");
  worker.caseStart = Clock::now();
  verdict.lastCase = head.number;
  worker.isLaunched = head.kind == Head::Kind::Launch;
  if (worker.isLaunched)
    worker.finished.used.push_back(head.number);
  if (head.kind != Head::Kind::Verdict)
    return;
  verdict.kind = head.verdict;
  worker.hasVerdict =
      receiveText(worker.answers, head.catcherBytes, verdict.by) &&
      receiveText(worker.answers, head.messageBytes, verdict.message);
  end(worker, "");
}

/// Takes leave of a process; without a verdict, its last case killed it.
void Pool::end(Worker &worker, StringRef reason) {
  close(worker.answers);
  int status = 0;
  waitpid(worker.process, &status, 0);
  worker.process = -1;
  Verdict &verdict = worker.finished.verdict;
  if (!worker.hasVerdict) {
    // Before its code runs, it is the compiler or this test that failed.
    verdict.kind =
        worker.isLaunched ? Verdict::Kind::Caught : Verdict::Kind::Broken;
    verdict.by = reason.empty() ? "crash" : reason;
    if (WIFSIGNALED(status))
      verdict.message = strsignal(WTERMSIG(status));
  }
  worker.finished.seconds = secondsSince(worker.start);
  onFinished(worker.job, worker.finished);
}

mamba::Status Pool::run() {
  workers.resize(static_cast<size_t>(options.jobs));
  while (true) {
    std::vector<pollfd> files;
    std::vector<Worker *> listening;
    for (Worker &worker : workers) {
      if (!worker.isAlive() && next < jobs.size())
        MAMBA_RETURN_IF_ERROR(start(worker));
      if (!worker.isAlive())
        continue;
      files.push_back({worker.answers, POLLIN, 0});
      listening.push_back(&worker);
    }
    if (files.empty())
      return mamba::Status();
    poll(files.data(), files.size(), 1000);
    for (auto [file, worker] : llvm::zip(files, listening)) {
      if (file.revents) {
        listen(*worker);
      } else if (secondsSince(worker->caseStart) > double(options.timeout)) {
        kill(worker->process, SIGKILL);
        end(*worker, "time-out");
      }
    }
  }
}

mamba::Status mutation::runJobs(
    const std::vector<Job> &jobs, const std::vector<Mutant> &mutants,
    const std::vector<Case> &cases, const PoolOptions &options,
    const std::function<void(size_t, const Finished &)> &onFinished) {
  return Pool(jobs, mutants, cases, options, onFinished).run();
}
