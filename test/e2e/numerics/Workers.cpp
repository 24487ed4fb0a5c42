//===- Workers.cpp - Cases in processes of their own ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The numbers of cases go down one pipe to each worker, and outcomes come up
// another, in messages of a fixed head and a text.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Workers.h"

#include "test/e2e/numerics/Pipe.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mamba;
using namespace mamba::numerics;

using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The device, with the compiler registered so that it can load kernels.
static Result<std::shared_ptr<Device>> openDevice(const std::string &name) {
  MAMBA_RETURN_IF_ERROR(registerCompiler());
  return Device::open(name);
}

static Finished runTimed(const Case &test,
                         const std::shared_ptr<Device> &device,
                         const RunOptions &options) {
  Clock::time_point start = Clock::now();
  Finished finished;
  finished.outcome = runCase(test, device, options);
  finished.seconds = secondsSince(start);
  return finished;
}

/// Opens the second device, if there is to be one.
static Status openOther(const WorkerOptions &options, RunOptions &run) {
  run = options.run;
  if (options.other.empty())
    return Status();
  MAMBA_ASSIGN_OR_RETURN(run.other, Device::open(options.other));
  return Status();
}

static Status runHere(const std::vector<Case> &cases,
                      const WorkerOptions &options,
                      const OnFinished &onFinished) {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         openDevice(options.device));
  RunOptions run;
  MAMBA_RETURN_IF_ERROR(openOther(options, run));
  for (size_t i = 0; i < cases.size(); ++i) {
    Finished finished = runTimed(cases[i], device, run);
    onFinished(i, finished);
    if (finished.outcome.isDeviceLost)
      return Status(StatusCode::DriverError,
                    fmt::format("the device is lost after case {} of {}", i + 1,
                                cases.size()));
  }
  return Status();
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

namespace {

/// What a worker says: of the device (once), or of a case.
struct MessageHead {
  bool isOfDevice;
  Outcome::Kind kind;
  bool isDeviceLost;
  double worst;
  double ulps;
  double seconds;
  uint64_t textBytes;
};

struct Message {
  MessageHead head;
  std::string text;
};

} // namespace

static bool sendMessage(int file, MessageHead head, const std::string &text) {
  head.textBytes = text.size();
  return writeAll(file, &head, sizeof(head)) &&
         writeAll(file, text.data(), text.size());
}

static std::optional<Message> receiveMessage(int file) {
  Message message;
  if (!readAll(file, &message.head, sizeof(message.head)))
    return std::nullopt;
  message.text.resize(message.head.textBytes);
  if (!readAll(file, message.text.data(), message.text.size()))
    return std::nullopt;
  return message;
}

//===----------------------------------------------------------------------===//
// Worker
//===----------------------------------------------------------------------===//

/// A worker's whole life; returns when there are no more cases.
static void work(const std::vector<Case> &cases, const WorkerOptions &options,
                 int orders, int answers) {
  Result<std::shared_ptr<Device>> device = openDevice(options.device);
  RunOptions run;
  Status opened = device.ok() ? openOther(options, run) : device.status();
  MessageHead head = {};
  head.isOfDevice = true;
  head.kind = opened.ok() ? Outcome::Kind::Passed : Outcome::Kind::Failed;
  sendMessage(answers, head, opened.message());
  size_t index = 0;
  while (opened.ok() && readAll(orders, &index, sizeof(index))) {
    Finished finished = runTimed(cases[index], *device, run);
    const Outcome &outcome = finished.outcome;
    sendMessage(answers,
                {false, outcome.kind, outcome.isDeviceLost, outcome.worst,
                 outcome.ulps, finished.seconds, 0},
                outcome.message);
    if (outcome.isDeviceLost)
      return;
  }
}

namespace {

struct Worker {
  pid_t process = -1;
  int orders = -1;
  int answers = -1;
  bool isReady = false;
  std::optional<size_t> current;
  Clock::time_point since;

  bool isAlive() const { return process > 0; }
};

/// Hands out cases and collects outcomes.
class Pool {
public:
  Pool(const std::vector<Case> &cases, const WorkerOptions &options,
       const OnFinished &onFinished)
      : cases(cases), options(options), onFinished(onFinished) {}

  Status run();

private:
  Status start(Worker &worker);
  void order(Worker &worker);
  Status listen(Worker &worker);
  void end(Worker &worker, const std::string &reason);
  void endHung();

  const std::vector<Case> &cases;
  const WorkerOptions &options;
  const OnFinished &onFinished;
  std::vector<Worker> workers;
  size_t next = 0;
};

} // namespace

Status Pool::start(Worker &worker) {
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0)
    return Status(StatusCode::IoError, "cannot make a pipe");
  // Or the worker prints once more what is buffered here.
  std::fflush(nullptr);
  pid_t process = fork();
  if (process < 0)
    return Status(StatusCode::IoError, "cannot fork");
  if (process == 0) {
    close(down[1]);
    close(up[0]);
    // An end of another worker's pipe held here would hide that one's death.
    for (const Worker &other : workers)
      if (other.isAlive()) {
        close(other.orders);
        close(other.answers);
      }
    work(cases, options, down[0], up[1]);
    std::fflush(nullptr);
    _exit(0);
  }
  close(down[0]);
  close(up[1]);
  worker = {process, down[1], up[0], false, std::nullopt, Clock::now()};
  return Status();
}

/// Gives the worker its next case, or tells it that there is none.
void Pool::order(Worker &worker) {
  worker.current.reset();
  if (next == cases.size())
    return end(worker, "");
  worker.current = next++;
  worker.since = Clock::now();
  writeAll(worker.orders, &*worker.current, sizeof(size_t));
}

void Pool::end(Worker &worker, const std::string &reason) {
  close(worker.orders);
  close(worker.answers);
  int status = 0;
  waitpid(worker.process, &status, 0);
  worker.process = -1;
  if (!worker.current)
    return;
  Finished finished;
  finished.seconds = secondsSince(worker.since);
  finished.outcome.kind = Outcome::Kind::Failed;
  finished.outcome.message = reason;
  if (reason.empty())
    finished.outcome.message =
        WIFSIGNALED(status)
            ? fmt::format("killed by signal {} ({})", WTERMSIG(status),
                          strsignal(WTERMSIG(status)))
            : fmt::format("ended with status {}", WEXITSTATUS(status));
  onFinished(*worker.current, finished);
  worker.current.reset();
}

Status Pool::listen(Worker &worker) {
  std::optional<Message> message = receiveMessage(worker.answers);
  if (!message) {
    bool wasReady = worker.isReady;
    end(worker, "");
    return wasReady ? Status()
                    : Status(StatusCode::Internal,
                             "a worker ended before it opened the device");
  }
  const MessageHead &head = message->head;
  if (head.isOfDevice) {
    worker.isReady = true;
    if (head.kind != Outcome::Kind::Passed)
      return Status(StatusCode::NotFound, message->text);
    order(worker);
    return Status();
  }
  Finished finished;
  finished.outcome = {head.kind, message->text, head.worst, head.isDeviceLost,
                      head.ulps};
  finished.seconds = head.seconds;
  onFinished(*worker.current, finished);
  worker.current.reset();
  if (head.isDeviceLost)
    end(worker, "");
  else
    order(worker);
  return Status();
}

void Pool::endHung() {
  for (Worker &worker : workers)
    if (worker.isAlive() && worker.current &&
        secondsSince(worker.since) > double(options.timeout)) {
      kill(worker.process, SIGKILL);
      end(worker, fmt::format("no end after {} s", options.timeout));
    }
}

Status Pool::run() {
  workers.resize(std::min(cases.size(), static_cast<size_t>(options.jobs)));
  while (true) {
    std::vector<pollfd> files;
    for (Worker &worker : workers) {
      if (!worker.isAlive() && next < cases.size())
        MAMBA_RETURN_IF_ERROR(start(worker));
      if (worker.isAlive())
        files.push_back({worker.answers, POLLIN, 0});
    }
    if (files.empty())
      return Status();
    poll(files.data(), files.size(), 1000);
    for (Worker &worker : workers)
      for (const pollfd &file : files)
        if (worker.isAlive() && worker.answers == file.fd && file.revents)
          MAMBA_RETURN_IF_ERROR(listen(worker));
    endHung();
  }
}

Status numerics::runCases(const std::vector<Case> &cases,
                          const WorkerOptions &options,
                          const OnFinished &onFinished) {
  if (options.jobs == 0)
    return runHere(cases, options, onFinished);
  signal(SIGPIPE, SIG_IGN);
  return Pool(cases, options, onFinished).run();
}
