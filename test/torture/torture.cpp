//===- torture.cpp - Processes that share a cache and are killed ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts the processes, kills one after another and starts a successor in its
// place, until all rounds are done; then looks at what they left. See
// README.md.
//
//===----------------------------------------------------------------------===//

#include "test/torture/Worker.h"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace mamba;
using namespace mamba::torture;
namespace fs = std::filesystem;

namespace {

constexpr int kEntries = 300;
/// The cache has room for one in so many.
constexpr int kPressure = 3;
/// Of so many processes, one is killed at a time: this one gets its turn rarely
/// where many run.
constexpr size_t kWorkersPerKill = 2;

struct Flags {
  int64_t processes = 64;
  int64_t rounds = 1000;
  int64_t seed = 1;
};

/// Reads "--name=number" into the flag of that name.
bool readFlag(std::string_view text, std::string_view name, int64_t &value) {
  if (!text.starts_with(name))
    return false;
  text.remove_prefix(name.size());
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Flags> parseFlags(int argc, char **argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i)
    if (!readFlag(argv[i], "--processes=", flags.processes) &&
        !readFlag(argv[i], "--rounds=", flags.rounds) &&
        !readFlag(argv[i], "--seed=", flags.seed))
      return std::nullopt;
  if (flags.processes < 1 || flags.processes > kMostProcesses ||
      flags.rounds < 1)
    return std::nullopt;
  return flags;
}

/// Runs `body` in a child, which does not outlive this process.
template <typename Body> pid_t start(Body body) {
  pid_t child = ::fork();
  if (child != 0)
    return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  body();
  ::_exit(0);
}

/// The processes of a run, of which some is killed all the time.
class Supervisor {
public:
  Supervisor(const Run &run, const Flags &flags)
      : run(run), random(static_cast<uint64_t>(flags.seed)),
        children(static_cast<size_t>(flags.processes)) {}

  /// Returns when all rounds are done.
  void supervise() {
    pid_t vandal = start([&, seed = random()] { vandalize(run, seed); });
    for (size_t index = 0; index < children.size(); ++index)
      startWorker(index);
    while (working > 0) {
      ::usleep(random() % 4000);
      for (size_t i = 0; i <= children.size() / kWorkersPerKill; ++i)
        ::kill(pickWorker(), SIGKILL);
      for (size_t index = 0; index < children.size(); ++index)
        collect(index);
    }
    run.tally->stopVandal = true;
    ::waitpid(vandal, nullptr, 0);
  }

  int64_t kills = 0;
  /// Kills that left a temporary file.
  int64_t interruptedWrites = 0;
  /// Processes that died otherwise.
  int64_t crashes = 0;

private:
  void startWorker(size_t index) {
    children[index] = start(
        [&, seed = random()] { work(run, static_cast<int>(index), seed); });
    ++working;
  }

  pid_t pickWorker() {
    size_t index = random() % children.size();
    while (children[index] == 0)
      index = (index + 1) % children.size();
    return children[index];
  }

  /// Replaces a worker that was killed.
  void collect(size_t index) {
    int status = 0;
    if (children[index] == 0 ||
        ::waitpid(children[index], &status, WNOHANG) == 0)
      return;
    pid_t child = std::exchange(children[index], 0);
    --working;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
      return;
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ++(killed ? kills : crashes);
    interruptedWrites += leftTemporary(child);
    startWorker(index);
  }

  /// Names of temporary files hold the process that writes them.
  bool leftTemporary(pid_t child) const {
    std::string part = fmt::format(".entry.{}-", child);
    for (const auto &file : fs::directory_iterator(run.options.directory))
      if (file.path().native().find(part) != std::string::npos)
        return true;
    return false;
  }

  const Run &run;
  std::mt19937_64 random;
  std::vector<pid_t> children; ///< 0 where all rounds are done.
  int64_t working = 0;
};

struct FolderFacts {
  int64_t temporaries = 0;
  int64_t entryBytes = 0;
};

FolderFacts look(const std::string &folder) {
  FolderFacts facts;
  for (const fs::directory_entry &file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".tmp")
      ++facts.temporaries;
    else
      facts.entryBytes += static_cast<int64_t>(file.file_size());
  }
  return facts;
}

/// What the next program finds: only right bytes, no rests, no more than fits.
bool checkNextStart(const Run &run) {
  Cache cache(run.options);
  cache.store("next-start", "x");
  FolderFacts facts = look(run.options.directory);
  if (facts.temporaries != 0)
    fmt::print(stderr, "cache-torture: {} temporary files are left\n",
               facts.temporaries);
  if (facts.entryBytes > run.options.diskBytes)
    fmt::print(stderr,
               "cache-torture: the entries have {} bytes, allowed are "
               "{}\n",
               facts.entryBytes, run.options.diskBytes);
  bool right = true;
  for (const Entry &entry : run.entries)
    right &= readEntry(cache, entry, *run.tally);
  return right && facts.temporaries == 0 &&
         facts.entryBytes <= run.options.diskBytes;
}

/// A run in which nothing happened shows nothing.
bool checkEventful(const Tally &tally, int64_t kills) {
  bool eventful = kills > 0 && tally.hits > 0 && tally.misses > 0 &&
                  tally.removals > 0 && tally.damages > 0 && tally.warnings > 0;
  if (!eventful)
    fmt::print(stderr, "cache-torture: required are kills, hits, misses, "
                       "removals, damages and warnings, each more than 0: give "
                       "more --rounds\n");
  return eventful;
}

/// In memory that the processes share; null if there is none.
Tally *shareTally() {
  void *memory = ::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Tally;
}

void report(const Flags &flags, const Tally &tally,
            const Supervisor &supervisor, double seconds) {
  fmt::print("{} processes, {} rounds each, seed {}: {} kills ({} amid a "
             "write), {} hits, {} "
             "misses, {} removals, {} damaged files, {} warnings, {} crashes, "
             "{} failures; {:.1f} s\n",
             flags.processes, flags.rounds, flags.seed, supervisor.kills,
             supervisor.interruptedWrites, tally.hits.load(),
             tally.misses.load(), tally.removals.load(), tally.damages.load(),
             tally.warnings.load(), supervisor.crashes, tally.failures.load(),
             seconds);
}

/// All of a run; true if nothing went wrong.
bool runAll(const Flags &flags, Run run) {
  auto begin = std::chrono::steady_clock::now();
  Supervisor supervisor(run, flags);
  supervisor.supervise();
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  countWarnings(*run.tally);
  bool clean = checkNextStart(run);
  report(flags, *run.tally, supervisor, seconds.count());
  return clean && run.tally->failures == 0 && supervisor.crashes == 0 &&
         checkEventful(*run.tally, supervisor.kills);
}

} // namespace

int main(int argc, char **argv) {
  std::optional<Flags> flags = parseFlags(argc, argv);
  if (!flags) {
    fmt::print(stderr,
               "usage: cache-torture [--processes=N] [--rounds=N] [--seed=N]; "
               "processes are 1 to {}, rounds at least 1\n",
               kMostProcesses);
    return 2;
  }
  std::string folder = fs::temp_directory_path() / "cache-torture-XXXXXX";
  Tally *tally = shareTally();
  if (!tally || !::mkdtemp(folder.data())) {
    fmt::print(stderr, "cache-torture: cannot share memory, or create '{}'\n",
               folder);
    return 1;
  }
  auto entries = makeEntries(kEntries, static_cast<uint64_t>(flags->seed));
  CacheOptions options{folder, totalBytes(entries) / kPressure, 1 << 20};
  bool passed =
      runAll(*flags, {options, std::move(entries), flags->rounds, tally});
  fs::remove_all(folder);
  return passed ? 0 : 1;
}
