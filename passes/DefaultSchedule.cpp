//===- DefaultSchedule.cpp - A schedule for a problem no one tuned --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultSchedule.h"
#include "passes/DefaultChunks.h"
#include "passes/DefaultGradients.h"
#include "passes/Occupancy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <span>

using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Arithmetic of schedules
//===----------------------------------------------------------------------===//

/// Unknown extents become those of the shape that performance is quoted for.
/// Others are bounded: more changes no choice, and the estimates multiply them;
/// where there is nothing, a kernel must still fit.
static Problem withUsualExtents(Problem problem) {
  if (problem.batch < 0)
    problem.batch = 8;
  if (problem.length < 0)
    problem.length = 2048;
  if (problem.channels < 0)
    problem.channels = 2048;
  for (int64_t *extent :
       {&problem.batch, &problem.length, &problem.channels, &problem.states})
    *extent = std::clamp<int64_t>(*extent, 1, 1 << 20);
  return problem;
}

static int64_t nextPowerOf2(int64_t value) {
  return static_cast<int64_t>(
      std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(value, 1))));
}

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t mlir::ssm::tableRowWords(int64_t states, int64_t channels,
                                 int64_t unroll) {
  int64_t together = channels == 1 ? 1 : std::gcd<int64_t>(unroll, 4);
  return (ceilDiv(states, together) | 1) * together;
}

int64_t mlir::ssm::stagedSegmentBytes(int64_t items, int64_t elementBytes) {
  constexpr int64_t kWord = 16;
  int64_t bytes = items * elementBytes;
  return bytes % kWord == 0 ? (bytes / kWord | 1) * kWord : (items | 1) * 4;
}

int64_t mlir::ssm::summedRowWords(int64_t states) { return states | 1; }

int64_t mlir::ssm::summedTileWords(int64_t tileSteps) { return tileSteps + 4; }

int64_t mlir::ssm::statesOfTrip(int64_t states, int64_t unroll) {
  while (states % unroll != 0)
    --unroll;
  return unroll;
}

bool mlir::ssm::isExpOnFma(int64_t step, int64_t count) {
  int64_t place = step % 8;
  return (place + 1) * count / 8 > place * count / 8;
}

bool mlir::ssm::dividesIntoStages(int64_t states, int64_t unroll,
                                  int64_t stages) {
  return stages == 2 && states % (2 * statesOfTrip(states, unroll)) == 0;
}

int64_t mlir::ssm::statesOfGroup(int64_t states, int64_t unroll,
                                 int64_t stages) {
  constexpr int64_t kGroup = 16;
  int64_t trip = statesOfTrip(states, unroll);
  bool divides = states % kGroup == 0 && kGroup % trip == 0;
  // Two stages begin states of the next group before they end this one's.
  return divides && !dividesIntoStages(states, unroll, stages) &&
                 states > 2 * kGroup
             ? kGroup
             : states;
}

int64_t mlir::ssm::keptStates(int64_t states, int64_t unroll, int64_t stages) {
  return std::min(states, 2 * statesOfGroup(states, unroll, stages));
}

bool mlir::ssm::maySplitStates(const Problem &problem, int64_t lanes) {
  return !problem.replays && problem.summedSteps == 0 &&
         !problem.sumsChannels() && problem.states % lanes == 0;
}

int64_t mlir::ssm::sharedBytesOf(const GpuScheduleFields &schedule,
                                 const Problem &problem) {
  int64_t teams = schedule.teams(), items = schedule.stateItems();
  int64_t halves = schedule.packs() ? problem.stagedHalves : 0;
  int64_t segment =
      stagedSegmentBytes(items, 4) * (problem.stagedNumbers - halves) +
      stagedSegmentBytes(items, 2) * halves;
  int64_t summed =
      problem.summedChannels +
      problem.summedStates *
          keptStates(problem.states, schedule.unroll, schedule.stages);
  int64_t bytes =
      4 * tableRowWords(problem.states, schedule.channels, schedule.unroll) *
          schedule.tileChannels() * problem.tableNumbers +
      problem.states * teams * segment * (schedule.tileSteps() / items) +
      4 * schedule.threads() * schedule.channels * problem.summedSteps +
      4 * teams * schedule.warpsD * schedule.sumsApart() *
          summedTileWords(schedule.tileSteps()) * summed;
  // Steps that are copied ahead, in two buffers; half as much between rows.
  if (schedule.prefetch == 2)
    bytes += 2 * schedule.threads() * schedule.channels * schedule.items *
             problem.bytesPerStep * 3 / 2;
  // A barrier for each team, trip and recurrence, of which there are no more
  // than tables.
  if (schedule.relay) {
    int64_t states = problem.states / schedule.stateLanes();
    bytes += 8 * teams * states * problem.tableNumbers /
             std::gcd(states, schedule.unroll);
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// GPU
//===----------------------------------------------------------------------===//

/// Warps along the channels where lanes lie along L: they share what a block
/// stages.
static constexpr int64_t kWarpsOfLanes = 4;

/// Turns that `threads` take where a GPU holds `held` of them at a time,
/// `warps` a scheduler. With fewer warps in the last turn, each of them is
/// faster.
static double turnsOf(int64_t threads, int64_t held, int64_t warps) {
  double turns = static_cast<double>(threads / held);
  int64_t rest = ceilDiv(threads % held * warps, held);
  if (rest == 0)
    return turns;
  return turns + 0.2 + 0.8 * static_cast<double>(rest) / warps;
}

/// Steps of a thread that take as long as handing its states on and starting
/// the next block, on an H100.
static constexpr double kHandoffSteps = 14;
static constexpr int64_t kMostHandoffs = 32;

/// Chunks that are handed on, and the turns that they take together.
struct Handoff {
  int64_t chunks = 1;
  double turns = 0;
};

/// How threads, or blocks, of which there are more than a GPU holds, but not a
/// multiple of that, share it best: by chunks that fill the last turn;
/// `turnsWith` gives the turns of so many. Fewer than it holds would wait for
/// each other.
template <typename Turns>
static Handoff chooseHandoff(int64_t threads, int64_t held, Turns turnsWith) {
  Handoff best;
  if (threads <= held)
    return best;
  for (int64_t chunks = 2; chunks <= kMostHandoffs; ++chunks) {
    double turns = turnsWith(chunks);
    if (best.chunks == 1 || turns < best.turns)
      best = {chunks, turns};
  }
  return best;
}

/// What they reach of a full H100: nearly everything is computed twice.
static constexpr double kSpeedOfChunks = 0.5;

/// Lanes along L, and what threads hold for them.
struct WarpChoice {
  int64_t lanes = 2;
  Occupancy occupancy = occupanciesFor(Problem())[1];
  int64_t handoffs = 1; ///< Chunks that are handed on.
};

/// The part of a GPU's speed that a number of threads leaves, with so many
/// chunks that are handed on.
struct Pace {
  double speed = 0;
  int64_t handoffs = 1;
};

static Pace paceOf(const Problem &problem, const GpuTarget &target,
                   const Occupancy &choice, size_t logLanes) {
  int64_t threads = (problem.batch * problem.channels) << logLanes;
  int64_t held = choice.threads * target.multiprocessors;
  // A multiprocessor has four schedulers.
  double turns = turnsOf(threads, held, choice.threads / 128);
  Pace pace;
  auto steps = static_cast<double>(problem.length >> logLanes);
  Handoff handoff = chooseHandoff(threads, held, [&](int64_t chunks) {
    return static_cast<double>(ceilDiv(threads * chunks, held)) /
               static_cast<double>(chunks) +
           static_cast<double>(chunks) * kHandoffSteps / steps;
  });
  GpuScheduleFields schedule;
  schedule.lanes = int64_t(1) << logLanes;
  schedule.items = choice.items;
  schedule.unroll = choice.unroll;
  schedule.warpsD = kWarpsOfLanes;
  if (handoff.chunks > 1 && handoff.turns < turns &&
      sharedBytesOf(schedule, problem) <=
          sharedShare(choice, schedule.warpsD, target)) {
    turns = handoff.turns;
    pace.handoffs = handoff.chunks;
  }
  if (turns > 0)
    pace.speed = static_cast<double>(threads) / (turns * held);
  return pace;
}

/// Steps that a block of warps in turn loses while its first warp has started
/// and its last has not, and at the end.
static constexpr double kRelayStartSteps = 240;

/// States that so many warps in turn are sure to keep apart.
static constexpr int64_t kRelayStates = 16;

static GpuScheduleFields relayOf(const Occupancy &choice, size_t logLanes) {
  GpuScheduleFields schedule;
  schedule.lanes = int64_t(1) << logLanes;
  schedule.items = choice.items;
  schedule.unroll = choice.unroll;
  schedule.stages = choice.stages;
  schedule.channels = choice.channels;
  schedule.prefetch = choice.prefetch;
  schedule.packed = choice.packed;
  schedule.split = choice.split;
  schedule.warpsL = choice.relayWarps;
  schedule.relay = 1;
  return schedule;
}

/// Words that a thread holds of steps loaded a tile ahead, of halves. Where
/// channels are neighbours, a single one takes a word an element.
static int64_t wordsAhead(const Problem &problem, const Occupancy &choice) {
  if (choice.prefetch == 2)
    return 0;
  bool isPaired = !problem.areChannelsNeighbours || choice.channels > 1;
  return problem.bytesPerStep * choice.items * choice.channels /
         (isPaired ? 4 : 2);
}

/// True where a thread's registers hold what it does in a relay. Of real
/// numbers alone: complex ones take twice as many.
static bool fitsRelay(const Problem &problem, const Occupancy &choice,
                      size_t logLanes) {
  constexpr int64_t kTables = 2;
  // A warp stages its tiles alone, in runs of eight halves; only a few of them
  // are loaded ahead.
  constexpr int64_t kRun = 8;
  int64_t runs =
      ceilDiv(problem.states * (choice.items << logLanes), 32 * kRun);
  int64_t staged =
      runs > kRunsAhead ? 0 : runs * problem.stagedNumbers * kRun / 2;
  int64_t words = wordsAhead(problem, choice) + staged;
  if (choice.packed && problem.stagedHalves < problem.stagedNumbers)
    return false;
  return problem.tableNumbers <= kTables && !problem.isComplex &&
         !problem.isChained && words <= (choice.threads > 256 ? 32 : 64);
}

/// As paceOf, for a relay.
static Pace relayPaceOf(const Problem &problem, const GpuTarget &target,
                        const Occupancy &choice, size_t logLanes) {
  GpuScheduleFields schedule = relayOf(choice, logLanes);
  Pace pace;
  // Where waits are not suspended, no one has measured it.
  if (problem.replays || !target.suspendsWaits ||
      !fitsRelay(problem, choice, logLanes) ||
      problem.states % kRelayStates != 0 ||
      problem.length < schedule.tileSteps() * choice.relayWarps ||
      sharedBytesOf(schedule, problem) * choice.relayBlocks() >
          target.sharedBytes)
    return pace;
  int64_t columns = blocksOf(schedule, problem);
  int64_t held = target.multiprocessors * choice.relayBlocks();
  // Where there are several blocks, others work meanwhile.
  double start = kRelayStartSteps /
                 static_cast<double>(problem.length * choice.relayBlocks());
  auto turnsWith = [&](int64_t chunks) {
    auto turns = static_cast<double>(ceilDiv(columns * chunks, held));
    return turns / static_cast<double>(chunks) + turns * start;
  };
  double turns = turnsWith(1);
  Handoff handoff = chooseHandoff(columns, held, turnsWith);
  if (handoff.chunks > 1 && handoff.turns < turns) {
    turns = handoff.turns;
    pace.handoffs = handoff.chunks;
  }
  double filled = static_cast<double>(problem.batch * problem.channels) /
                  static_cast<double>(schedule.tileChannels());
  pace.speed = filled / (turns * static_cast<double>(held));
  return pace;
}

/// Lanes along L cost shuffles but bring threads where sequences and channels
/// are few: all there are, the ones that leave the GPU fastest first.
static std::vector<WarpChoice> rankWarps(const Problem &given,
                                         const GpuTarget &target) {
  Problem problem = withUsualExtents(given);
  std::vector<std::pair<double, WarpChoice>> ranked;
  for (size_t log = 0; log < Occupancy().speeds.size(); ++log)
    for (const Occupancy &choice : occupanciesFor(problem)) {
      if (!fits(given, choice, log))
        continue;
      Pace pace = choice.relayWarps ? relayPaceOf(problem, target, choice, log)
                                    : paceOf(problem, target, choice, log);
      double speed =
          pace.speed * choice.speeds[log] * shareOfTorn(problem, choice, log);
      // What chunks cost is known less well than what lanes do.
      if (pace.handoffs > 1)
        speed /= 1.03;
      auto slower =
          std::find_if(ranked.begin(), ranked.end(),
                       [&](const auto &other) { return other.first < speed; });
      if (speed > 0)
        ranked.insert(slower,
                      {speed, {int64_t(1) << log, choice, pace.handoffs}});
    }
  std::vector<WarpChoice> choices;
  bool isLeft = wantsChunks(problem);
  for (auto &[speed, choice] : ranked) {
    if (isLeft && speed < kSpeedOfChunks) {
      choices.push_back({});
      isLeft = false;
    }
    choices.push_back(choice);
  }
  if (choices.empty())
    choices.push_back({});
  return choices;
}

/// Registers for steps that are loaded a tile ahead: more cost what they bring.
static constexpr int64_t kPrefetchedWords = 48;

/// States that a thread computes together, in stages where they can be; steps
/// asked for ahead, copied ones where a block has room for them.
static void chooseOverlap(GpuScheduleFields &schedule, const Problem &problem,
                          const GpuTarget &target, const Occupancy &occupancy) {
  schedule.unroll = std::min(occupancy.unroll, problem.states);
  schedule.stages = occupancy.stages;
  if (problem.states % (schedule.stages * schedule.unroll) != 0) {
    // The chains of as many states, without the stages.
    schedule.unroll =
        std::min(occupancy.unroll * schedule.stages, problem.states);
    schedule.stages = 1;
  }
  if (occupancy.prefetch == 2 ||
      problem.bytesPerStep * schedule.items <= 4 * kPrefetchedWords)
    schedule.prefetch = occupancy.prefetch;
  if (schedule.prefetch == 2 &&
      sharedBytesOf(schedule, problem) > target.sharedBytes)
    schedule.prefetch = 0;
}

/// No tile much larger than the problem.
static void fitExtents(GpuScheduleFields &schedule, const Problem &problem) {
  int64_t steps = nextPowerOf2(problem.length);
  while (schedule.tileSteps() > steps && schedule.lanes > 1)
    schedule.lanes /= 2;
  while (schedule.tileSteps() > steps && schedule.items > 1)
    schedule.items /= 2;
  while (schedule.tileChannels() > problem.channels && schedule.warpsD > 1)
    schedule.warpsD /= 2;
  // Lanes without a channel do better along L.
  while (schedule.tileChannels() > problem.channels && schedule.lanes < 32 &&
         2 * schedule.tileSteps() <= steps)
    schedule.lanes *= 2;
}

/// As many blocks as the occupancy has should fit a multiprocessor, one must.
static void fitSharedMemory(GpuScheduleFields &schedule, const Problem &problem,
                            const GpuTarget &target,
                            const Occupancy &occupancy) {
  while (sharedBytesOf(schedule, problem) >
         sharedShare(occupancy, schedule.warpsD, target)) {
    // Sums over channels take shared memory by the step, and global memory by
    // the block: one a multiprocessor is better than several of fewer channels.
    bool sums = problem.sumsChannels();
    bool isAlone = sums && schedule.lanes <= 8 &&
                   sharedBytesOf(schedule, problem) <= target.sharedBytes;
    if (isAlone)
      break;
    if (schedule.warpsD > 1 && !(sums && schedule.lanes > 8))
      schedule.warpsD /= 2;
    else if (schedule.lanes > 8)
      schedule.lanes /= 2;
    else
      break;
  }
  if (sharedBytesOf(schedule, problem) <= target.sharedBytes)
    return;
  // Many states: few channels a warp, then few steps a lane.
  while (sharedBytesOf(schedule, problem) > target.sharedBytes &&
         schedule.items > 1)
    schedule.items /= 2;
  while (sharedBytesOf(schedule, problem) > target.sharedBytes &&
         schedule.lanes < 32)
    schedule.lanes *= 2;
}

/// Blocks that a multiprocessor must hold at a time: what the occupancy says,
/// or all that there are.
static int64_t chooseMinBlocks(const GpuScheduleFields &schedule,
                               const Problem &problem, const GpuTarget &target,
                               const Occupancy &occupancy) {
  int64_t held = occupancy.threads / (32 * schedule.warpsL * schedule.warpsD);
  int64_t blocks = blocksOf(schedule, problem) * schedule.chunks;
  return std::clamp<int64_t>(ceilDiv(blocks, target.multiprocessors), 1, held);
}

/// States of a single step that a thread computes together where no other warp
/// hides their latency (one sequence of 2,048 channels takes 2.7 us, and 2.9
/// with two at a time), and where others do (eight sequences: 2.8 us, and 3.0
/// with two).
static constexpr int64_t kStatesOfStep = 16, kFewestStatesOfStep = 4;

/// Warps that fill tables and store states of what one of them computes.
static constexpr int64_t kWarpsOfStep = 4;

/// A single step has nothing to keep in registers: many threads, as few
/// registers as ptxas likes, and memory is what binds. Where a multiprocessor
/// has one block or none, latency does: a thread computes many states at once
/// (gradients, whose states take more registers, were not measured), and the
/// block has warps that have no turn but share the loads of the one that has:
/// 2.13 us instead of 2.22.
static void fitSingleStep(GpuScheduleFields &schedule, const Problem &problem,
                          const GpuTarget &target) {
  schedule.warpsD = 1;
  int64_t blocks = blocksOf(schedule, problem);
  if (blocks > kWarpsOfLanes * target.multiprocessors &&
      sharedBytesOf(schedule, problem) * kWarpsOfLanes <= target.sharedBytes)
    schedule.warpsD = kWarpsOfLanes;
  schedule.minBlocks = 0;
  if (problem.replays)
    return;
  bool isAlone = blocks <= target.multiprocessors;
  int64_t together =
      std::gcd(problem.states, isAlone ? kStatesOfStep : kFewestStatesOfStep);
  if (together > schedule.unroll * schedule.stages) {
    schedule.unroll = together;
    schedule.stages = 1;
  }
  GpuScheduleFields shared = schedule;
  shared.warpsL = kWarpsOfStep;
  shared.relay = 1;
  if (isAlone && schedule.lanes == 1 && problem.tableNumbers > 0 &&
      target.suspendsWaits && !problem.isComplex && !problem.isChained &&
      sharedBytesOf(shared, problem) <= target.sharedBytes)
    schedule = shared;
}

static GpuScheduleFields scheduleOf(const WarpChoice &choice,
                                    const Problem &problem,
                                    const GpuTarget &target) {
  const auto &[lanes, occupancy, handoffs] = choice;
  GpuScheduleFields schedule;
  if (occupancy.relayWarps) {
    schedule =
        relayOf(occupancy, std::countr_zero(static_cast<uint64_t>(lanes)));
    schedule.minBlocks = occupancy.relayBlocks();
    schedule.chunks = handoffs;
    schedule.handoff = handoffs > 1 ? 1 : 0;
    return schedule;
  }
  bool isSplit = wantsReplayChunks(problem, lanes);
  int64_t wanted = isSplit ? lanesOfChunks(problem) : lanes;
  if (problem.replays)
    wanted = std::max(wanted, fewestLanes(problem, occupancy));
  schedule.lanes = wanted;
  schedule.items = occupancy.items;
  schedule.warpsD = wanted == 1 ? 1 : kWarpsOfLanes;
  schedule.packed = problem.stagedHalves > 0 ? occupancy.packed : 0;
  fitExtents(schedule, problem);
  fitSharedMemory(schedule, problem, target, occupancy);
  if (schedule.lanes == lanes && schedule.items == occupancy.items)
    schedule.split = occupancy.split;
  chooseOverlap(schedule, problem, target, occupancy);
  widenTrips(schedule, problem, target, occupancy, isSplit);
  fitSecondBlock(schedule, problem, target, occupancy);
  fitChunks(schedule, problem, target, occupancy.threads, isSplit);
  if (schedule.chunks == 1 && schedule.lanes == lanes && handoffs > 1) {
    schedule.chunks = handoffs;
    schedule.handoff = 1;
  }
  joinBlocks(schedule, problem, target, occupancy);
  schedule.carryParts = chooseCarryParts(schedule, problem, target);
  schedule.minBlocks = chooseMinBlocks(schedule, problem, target, occupancy);
  if (problem.length == 1)
    fitSingleStep(schedule, problem, target);
  return schedule;
}

std::vector<GpuScheduleFields>
mlir::ssm::rankGpuSchedules(const Problem &given, const GpuTarget &target) {
  Problem problem = withUsualExtents(given);
  std::vector<GpuScheduleFields> ranked;
  for (const WarpChoice &choice : rankWarps(given, target)) {
    GpuScheduleFields schedule = scheduleOf(choice, problem, target);
    if (std::find(ranked.begin(), ranked.end(), schedule) == ranked.end())
      ranked.push_back(schedule);
  }
  return ranked;
}

GpuScheduleFields mlir::ssm::defaultGpuSchedule(const Problem &given,
                                                const GpuTarget &target) {
  Problem problem = withUsualExtents(given);
  return scheduleOf(rankWarps(given, target).front(), problem, target);
}

//===----------------------------------------------------------------------===//
// CPU
//===----------------------------------------------------------------------===//

CpuScheduleFields mlir::ssm::defaultCpuSchedule(const Problem &given,
                                                const CpuTarget &target) {
  Problem problem = withUsualExtents(given);
  CpuScheduleFields schedule;
  schedule.vector = std::min<int64_t>(16, nextPowerOf2(problem.channels));
  // Memory holds the states at the start of each tile.
  if (problem.replays)
    schedule.items = 64;
  auto tileBytes = [&] {
    return 4 * problem.states * schedule.items * schedule.vector;
  };
  while (tileBytes() > target.cacheBytes && schedule.items > 1)
    schedule.items /= 2;
  int64_t tasks = problem.batch * ceilDiv(problem.channels, schedule.vector);
  int64_t wanted = 1 + (target.threads - 1) / std::max<int64_t>(tasks, 1);
  int64_t most = std::clamp<int64_t>(problem.length / 1024, 1, 1024);
  int64_t chunks = std::min(wanted, most);
  // As on a GPU: a chunk is computed nearly twice.
  if (!problem.isChained && !problem.replays && chunks >= 3)
    schedule.chunks = chunks;
  return schedule;
}
