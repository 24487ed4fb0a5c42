//===- DefaultSchedule.h - Schedules for untuned problems -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pure functions (problem, target) -> schedule, on plain structs, so that they
// can be called, tested and tuned without a compiler around them. No other
// file knows a block size.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_DEFAULTSCHEDULE_H
#define MAMBA_PASSES_DEFAULTSCHEDULE_H

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::ssm {

/// What the choice of a schedule depends on. Extents are -1 where unknown.
struct Problem {
  int64_t batch = -1;
  int64_t length = -1;
  int64_t channels = -1;
  int64_t states = 1;       ///< Of a channel; 1 without a state axis.
  int64_t bytesPerStep = 4; ///< Of all inputs with l and d, but without n.
  /// Memory has neighbouring channels, not neighbouring steps, side by side.
  bool areChannelsNeighbours = false;
  /// One recurrence needs what another one computes, so a chunk's carry needs
  /// the carries before it: blocks and tasks cannot share a sequence.
  bool isChained = false;
  /// Recurrences run in both directions, and those of one are replayed, tile by
  /// tile: the tiles of a sequence follow each other.
  bool replays = false;
  /// Steps between the states that they may be replayed from, which another
  /// function saved; 0 for none.
  int64_t savedEvery = 0;
  /// It saves states on the way, for a function that replays it.
  bool savesStates = false;
  /// Some recurrence has complex states.
  bool isComplex = false;
  /// Numbers that a kernel keeps for each channel and state: what does not
  /// depend on l, and the carries of the recurrences. Complex ones count twice.
  int64_t tableNumbers = 1;
  /// Numbers that it keeps for each step and state, for all channels.
  int64_t stagedNumbers = 0;
  /// How many of these are inputs of 16-bit floats as they are.
  int64_t stagedHalves = 0;
  /// Numbers that a thread adds up over its steps for each of its channels, of
  /// all states; and those that a block adds up over its channels at each step,
  /// and at each step and state.
  int64_t summedSteps = 0;
  int64_t summedChannels = 0;
  int64_t summedStates = 0;

  bool sumsChannels() const { return summedChannels > 0 || summedStates > 0; }
};

/// A GPU, as far as schedules depend on it.
struct GpuTarget {
  std::string_view chip; ///< As LLVM names it: "sm_90".
  int64_t multiprocessors;
  int64_t sharedBytes; ///< That one block may have.
  bool suspendsWaits;  ///< Threads sleep while they wait for an mbarrier.
};

/// A CPU, as far as schedules depend on it.
struct CpuTarget {
  int64_t threads = 16;            ///< That run tasks at one time.
  int64_t cacheBytes = 128 * 1024; ///< That a task may fill.
};

/// Runs that a thread stages with its operands in registers; more are loaded
/// when they are staged.
inline constexpr int64_t kRunsAhead = 4;

/// Blocks that are worth sharing a chunk, of those that a schedule may have.
inline constexpr int64_t kMostCarryParts = 16;

/// The fields of #ssm.schedule; SSMAttrs.td says what they mean.
struct GpuScheduleFields {
  int64_t lanes = 1;
  int64_t split = 0;
  int64_t items = 8;
  int64_t channels = 1;
  int64_t warpsL = 1;
  int64_t warpsD = 1;
  int64_t chunks = 1;
  int64_t handoff = 0;
  int64_t carryParts = 1;
  int64_t lastChunk = 1;
  int64_t relay = 0;
  int64_t unroll = 1;
  int64_t stages = 1;
  int64_t prefetch = 0;
  int64_t packed = 0;
  int64_t apart = 1;
  int64_t atomics = 0;
  int64_t fmaExps = 0;
  int64_t minBlocks = 0;

  bool operator==(const GpuScheduleFields &) const = default;
  int64_t channelLanes() const { return 32 / lanes; }
  int64_t tileChannels() const { return channelLanes() * channels * warpsD; }
  int64_t teams() const { return relay ? warpsL : 1; }
  int64_t threads() const { return 32 * warpsL * warpsD; }
  int64_t tileSteps() const { return lanes * items * warpsL / teams(); }
  /// The parts of a sequence, of which the last chunk has several.
  int64_t chunkUnits() const { return chunks - 1 + lastChunk; }
  int64_t stateLanes() const { return split ? lanes : 1; }
  int64_t stateItems() const { return stateLanes() * items; }
  bool packs() const { return packed && stateItems() % 8 == 0; }
  int64_t sumsApart() const {
    return std::clamp<int64_t>(channelLanes() / 2, 1, apart);
  }
};

/// The fields of #ssm.cpu_schedule.
struct CpuScheduleFields {
  int64_t vector = 16;
  int64_t items = 16;
  int64_t chunks = 1;

  bool operator==(const CpuScheduleFields &) const = default;
};

/// The usual GPU of the architecture `chip` ("sm_90", "sm_90a"); nothing for
/// an architecture that no one has described here.
std::optional<GpuTarget> findGpuTarget(std::string_view chip);

/// The chips that findGpuTarget knows: "sm_80, sm_86, ...".
std::string knownGpuTargets();

/// Floats from one channel's row of a table of states to the next channel's: an
/// odd number of reads, so that neighbouring channels lie in different banks.
/// Where a thread has several channels, ptxas knows how its rows are aligned,
/// and reads four aligned words at once. Rows then start at such words: else a
/// read would take in a word of other states, which is another thread's to
/// write.
int64_t tableRowWords(int64_t states, int64_t channels, int64_t unroll);

/// Bytes from one thread's segment of a staged tile to the next one's, of
/// elements of so many bytes: an odd number of 16-byte words where they fill
/// words, so that the reads of neighbouring segments fall into different banks.
int64_t stagedSegmentBytes(int64_t items, int64_t elementBytes);

/// Floats from one channel's row of sums over steps to the next one's, and
/// from one state's row of sums over channels to the next one's: apart by
/// numbers that leave neighbours in different banks.
int64_t summedRowWords(int64_t states);
int64_t summedTileWords(int64_t tileSteps);

/// States that a thread computes together, of `unroll` that a schedule asks
/// for: as many as divide them.
int64_t statesOfTrip(int64_t states, int64_t unroll);

/// True for a thread's steps, by number, whose exponentials in loops over n are
/// polynomials: `count` of eight, far from each other.
bool isExpOnFma(int64_t step, int64_t count);

/// True where a schedule's two stages divide the states: a trip begins the next
/// one's before it ends its own.
bool dividesIntoStages(int64_t states, int64_t unroll, int64_t stages);

/// States whose sums over channels a tile adds up at a time, behind their
/// trips: of many states, so few that their sums leave shared memory for other
/// blocks.
int64_t statesOfGroup(int64_t states, int64_t unroll, int64_t stages);

/// States whose sums over channels shared memory holds: while one group is
/// added up, warps write those of the next one.
int64_t keptStates(int64_t states, int64_t unroll, int64_t stages);

/// True where so many lanes may split the states of a problem.
bool maySplitStates(const Problem &problem, int64_t lanes);

/// Bytes of shared memory that a block needs, about.
int64_t sharedBytesOf(const GpuScheduleFields &schedule,
                      const Problem &problem);

/// A valid schedule for every problem, fast where its extents are known.
/// Unknown extents are taken as 8 sequences of 2048 steps and 2048 channels.
GpuScheduleFields defaultGpuSchedule(const Problem &problem,
                                     const GpuTarget &target);
/// One schedule for each way to share out a multiprocessor's registers, the
/// ones that should be fastest first: the default one leads.
std::vector<GpuScheduleFields> rankGpuSchedules(const Problem &problem,
                                                const GpuTarget &target);
CpuScheduleFields defaultCpuSchedule(const Problem &problem,
                                     const CpuTarget &target);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_DEFAULTSCHEDULE_H
