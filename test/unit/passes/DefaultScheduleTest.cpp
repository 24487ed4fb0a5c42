//===- DefaultScheduleTest.cpp - Default schedules are valid --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultSchedule.h"
#include "passes/Passes.h"
#include "passes/TunedTable.h"

#include "dialect/SSMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

#include <limits>

using namespace mlir;
using namespace mlir::ssm;

namespace {

class DefaultSchedule : public testing::Test {
protected:
  DefaultSchedule() { context.loadDialect<SSMDialect>(); }

  /// Calls `check` for extents from nothing to more than any GPU holds.
  void forEachProblem(function_ref<void(const Problem &)> check) {
    for (int64_t batch : {-1, 0, 1, 5, 64})
      for (int64_t length : {-1, 0, 1, 7, 33, 2048, 8192, 1000000})
        for (int64_t channels : {-1, 0, 1, 3, 64, 100, 5120})
          for (int64_t states : {1, 3, 16, 256})
            for (int64_t bytes : {2, 4})
              check({.batch = batch,
                     .length = length,
                     .channels = channels,
                     .states = states,
                     .bytesPerStep = bytes,
                     .tableNumbers = 2,
                     .stagedNumbers = 2});
  }

  MLIRContext context;
};

} // namespace

TEST_F(DefaultSchedule, AttributesHaveAllFields) {
  GpuScheduleFields gpu{.lanes = 2,
                        .split = 1,
                        .items = 4,
                        .channels = 4,
                        .warpsL = 3,
                        .warpsD = 1,
                        .chunks = 5,
                        .handoff = 1,
                        .carryParts = 5,
                        .lastChunk = 2,
                        .relay = 1,
                        .unroll = 2,
                        .stages = 2,
                        .prefetch = 1,
                        .packed = 1,
                        .apart = 8,
                        .atomics = 1,
                        .fmaExps = 3,
                        .minBlocks = 6};
  Location place = UnknownLoc::get(&context);
  EXPECT_EQ(fieldsOf(cast<ScheduleAttr>(attributeOf(place, gpu))), gpu);
  // Warps in turn have all channels of a block.
  gpu.relay = 0, gpu.split = 0, gpu.warpsL = 2, gpu.warpsD = 3;
  EXPECT_EQ(fieldsOf(cast<ScheduleAttr>(attributeOf(place, gpu))), gpu);
  CpuScheduleFields cpu{.vector = 8, .items = 3, .chunks = 2};
  EXPECT_EQ(fieldsOf(cast<CpuScheduleAttr>(attributeOf(place, cpu))), cpu);
}

/// What every schedule of a problem must be.
static void expectValid(MLIRContext &context, const GpuScheduleFields &s,
                        const Problem &problem, const GpuTarget &target) {
  std::string which = llvm::formatv(
      "{0}: batch {1} length {2} channels {3} states {4} saved {5}",
      target.chip, problem.batch, problem.length, problem.channels,
      problem.states, problem.savedEvery);
  EXPECT_TRUE(attributeOf(UnknownLoc::get(&context), s)) << which;
  EXPECT_LE(sharedBytesOf(s, problem), target.sharedBytes) << which;
  EXPECT_LE(s.unroll, problem.states) << which;
  // Only chunks that start independently have segments to find.
  if (s.handoff || s.chunks == 1) {
    EXPECT_EQ(s.carryParts, 1) << which;
    EXPECT_EQ(s.lastChunk, 1) << which;
  }
}

TEST_F(DefaultSchedule, GpuSchedulesAreValid) {
  for (std::string_view chip : {"sm_80", "sm_89", "sm_90a", "sm_120"}) {
    std::optional<GpuTarget> target = findGpuTarget(chip);
    ASSERT_TRUE(target);
    forEachProblem([&](Problem problem) {
      expectValid(context, defaultGpuSchedule(problem, *target), problem,
                  *target);
      problem.replays = true;
      problem.summedStates = 2;
      problem.summedSteps = 3;
      for (int64_t every : {0, 16, 32})
        for (bool areNeighbours : {false, true}) {
          problem.savedEvery = every;
          problem.areChannelsNeighbours = areNeighbours;
          expectValid(context, defaultGpuSchedule(problem, *target), problem,
                      *target);
        }
    });
  }
}

TEST_F(DefaultSchedule, CpuSchedulesAreValid) {
  auto report = [&] { return emitError(UnknownLoc::get(&context)); };
  forEachProblem([&](const Problem &problem) {
    CpuScheduleFields s = defaultCpuSchedule(problem, {});
    EXPECT_TRUE(CpuScheduleAttr::getChecked(report, &context, s.vector, s.items,
                                            s.chunks));
  });
}

TEST_F(DefaultSchedule, UnknownExtentsAreTheUsualOnes) {
  GpuTarget target = *findGpuTarget("sm_90");
  EXPECT_EQ(defaultGpuSchedule({}, target),
            defaultGpuSchedule({.batch = 8, .length = 2048, .channels = 2048},
                               target));
}

TEST_F(DefaultSchedule, ChainedRecurrencesShareNoSequence) {
  Problem problem{.batch = 1, .length = 262144, .channels = 64};
  GpuTarget target = *findGpuTarget("sm_90");
  EXPECT_GT(defaultGpuSchedule(problem, target).chunks, 1);
  EXPECT_GT(defaultCpuSchedule(problem, {.threads = 64}).chunks, 1);
  problem.isChained = true;
  EXPECT_EQ(defaultGpuSchedule(problem, target).chunks, 1);
  EXPECT_EQ(defaultCpuSchedule(problem, {.threads = 64}).chunks, 1);
}

TEST_F(DefaultSchedule, TilesDoNotExceedSmallProblems) {
  GpuTarget target = *findGpuTarget("sm_90");
  for (int64_t length : {1, 2, 16, 64})
    EXPECT_LE(defaultGpuSchedule({.batch = 1, .length = length, .channels = 64},
                                 target)
                  .tileSteps(),
              length);
}

TEST_F(DefaultSchedule, ThreadsFillTheGpuInWholeTurns) {
  GpuTarget target = *findGpuTarget("sm_90");
  auto choose = [&](int64_t batch, int64_t channels) {
    Problem problem{.batch = batch, .length = 2048, .channels = channels};
    return defaultGpuSchedule(problem, target);
  };
  // 32,768 threads with 255 registers are nearly all that 132 multiprocessors
  // hold at a time; so are 49,152 with 168; 98,304 are nearly three turns.
  GpuScheduleFields one = choose(8, 2048), three = choose(8, 1536);
  EXPECT_EQ(one.lanes, 2);
  EXPECT_EQ(one.items, 16);
  EXPECT_EQ(32 * one.warpsD * one.minBlocks, 256);
  EXPECT_EQ(three.lanes, 8);
  EXPECT_EQ(32 * three.warpsD * three.minBlocks, 256);
  GpuScheduleFields narrow = choose(1, 1536);
  EXPECT_EQ(narrow.lanes, 32);
  EXPECT_EQ(narrow.items, 8);
  EXPECT_EQ(32 * narrow.warpsD * narrow.minBlocks, 384);
  EXPECT_EQ(choose(1, 2048).lanes, 16);
  // However few channels, blocks keep their warps while they fit.
  GpuScheduleFields few = defaultGpuSchedule({.batch = 1,
                                              .length = 16384,
                                              .channels = 512,
                                              .states = 8,
                                              .tableNumbers = 2,
                                              .stagedNumbers = 2},
                                             target);
  EXPECT_EQ(few.lanes, 32);
  EXPECT_EQ(few.warpsD, 4);
  EXPECT_EQ(choose(64, 1536).lanes, 1);
}

TEST_F(DefaultSchedule, WarpsTakeTurnsInLongSequences) {
  GpuTarget target = *findGpuTarget("sm_90");
  const Problem layer{.batch = 2,
                      .length = 65536,
                      .channels = 2048,
                      .states = 16,
                      .bytesPerStep = 6,
                      .tableNumbers = 2,
                      .stagedNumbers = 2};
  auto choose = [&](auto change) {
    Problem problem = layer;
    change(problem);
    return defaultGpuSchedule(problem, target);
  };
  // 128 columns of 32 channels for 132 multiprocessors.
  GpuScheduleFields schedule = choose([](Problem &) {});
  EXPECT_EQ(schedule.relay, 1);
  EXPECT_EQ(schedule.lanes, 1);
  EXPECT_EQ(schedule.warpsL, 12);
  EXPECT_EQ(schedule.chunks, 1);
  EXPECT_EQ(schedule.prefetch, 2);
  // Elements that are loaded one by one take more registers.
  GpuScheduleFields single = choose([](Problem &p) {
    p.areChannelsNeighbours = true;
    p.channels = 2047;
  });
  EXPECT_EQ(single.warpsL, 8);
  EXPECT_EQ(single.prefetch, 1);
  // 160 columns: five quarters of a turn.
  GpuScheduleFields wide = choose(
      [](Problem &p) { p.batch = 1, p.channels = 5120, p.length = 8192; });
  EXPECT_EQ(wide.relay, 1);
  EXPECT_EQ(wide.chunks, 4);
  EXPECT_EQ(wide.handoff, 1);
  // Few channels: lanes along L besides.
  GpuScheduleFields few =
      choose([](Problem &p) { p.batch = 1, p.channels = 512; });
  EXPECT_EQ(few.relay, 1);
  EXPECT_EQ(few.lanes, 8);
  // What a warp alone stages of many states needs registers.
  EXPECT_NE(choose([](Problem &p) { p.states = 64; }).warpsL, 12);
  EXPECT_EQ(choose([](Problem &p) { p.length = 64; }).relay, 0);
  EXPECT_EQ(choose([](Problem &p) { p.states = 2; }).relay, 0);
  EXPECT_EQ(choose([](Problem &p) { p.isChained = true; }).relay, 0);
  EXPECT_EQ(choose([](Problem &p) { p.tableNumbers = 4; }).relay, 0);
  EXPECT_EQ(choose([](Problem &p) { p.isComplex = true; }).relay, 0);
  // Threads that cannot sleep at a barrier would ask again and again.
  EXPECT_EQ(defaultGpuSchedule(layer, *findGpuTarget("sm_80")).relay, 0);
}

TEST_F(DefaultSchedule, LanesSplitStates) {
  GpuTarget target = *findGpuTarget("sm_90");
  const Problem layer{.batch = 1,
                      .length = 2048,
                      .channels = 2048,
                      .states = 16,
                      .bytesPerStep = 6,
                      .tableNumbers = 2,
                      .stagedNumbers = 2,
                      .stagedHalves = 2};
  auto choose = [&](auto change) {
    Problem problem = layer;
    change(problem);
    return defaultGpuSchedule(problem, target);
  };
  // 128 columns of 16 channels, each with a multiprocessor to itself.
  GpuScheduleFields few = choose([](Problem &) {});
  EXPECT_EQ(few.split, 1);
  EXPECT_EQ(few.relay, 1);
  EXPECT_EQ(few.stateItems(), 16);
  // Many states, of a layer that fills the GPU.
  auto many = [](Problem &p) { p.batch = 8, p.states = 64; };
  GpuScheduleFields full = choose(many);
  EXPECT_EQ(full.split, 1);
  EXPECT_EQ(full.relay, 0);
  EXPECT_EQ(choose([&](Problem &p) { many(p), p.bytesPerStep = 12; }).split, 0);
  EXPECT_EQ(choose([&](Problem &p) { many(p), p.states = 63; }).split, 0);
  EXPECT_EQ(choose([&](Problem &p) { many(p), p.summedChannels = 1; }).split,
            0);
  EXPECT_EQ(choose([&](Problem &p) { many(p), p.replays = true; }).split, 0);
}

// A lane that has all steps of its channel writes its trip's states side by
// side.
TEST_F(DefaultSchedule, SavedStatesLeaveInRuns) {
  GpuTarget target = *findGpuTarget("sm_90");
  for (int64_t batch : {1, 2, 8, 64})
    for (int64_t channels : {512, 1536, 2048, 5120})
      for (int64_t length : {256, 2048, 65536}) {
        Problem problem{.batch = batch,
                        .length = length,
                        .channels = channels,
                        .states = 16};
        problem.savesStates = true;
        GpuScheduleFields schedule = defaultGpuSchedule(problem, target);
        EXPECT_TRUE(schedule.lanes > 1 ||
                    (schedule.unroll > 1 && schedule.channels == 1))
            << "B = " << batch << ", D = " << channels << ", L = " << length;
      }
  Problem saving{.batch = 8, .length = 2048, .channels = 2048};
  saving.savesStates = true;
  EXPECT_NE(toString(saving).find(" saves=1"), std::string::npos);
}

TEST_F(DefaultSchedule, ChunksFillTheLastTurn) {
  GpuTarget target = *findGpuTarget("sm_90");
  auto choose = [&](int64_t channels, int64_t length) {
    return defaultGpuSchedule({.length = length, .channels = channels}, target);
  };
  // 8 x 5,120 threads are 1.2 turns of 33,792: five of eight quarters are busy.
  Problem wide{.batch = 1, .length = 8192, .channels = 5120};
  GpuScheduleFields handed = defaultGpuSchedule(wide, target);
  EXPECT_EQ(handed.lanes, 8);
  EXPECT_EQ(handed.handoff, 1);
  EXPECT_EQ(handed.chunks, 4);
  // Recurrences that read each other may be handed on too.
  wide.isChained = true;
  EXPECT_EQ(defaultGpuSchedule(wide, target).handoff, 1);
  // Whole turns need no chunks, nor do sequences that start up for longer than
  // a chunk takes.
  EXPECT_EQ(choose(2048, 2048).handoff, 0);
  EXPECT_EQ(
      defaultGpuSchedule({.batch = 1, .length = 256, .channels = 5120}, target)
          .handoff,
      0);
}

TEST_F(DefaultSchedule, StatesOverlapWhereTheirNumberAllows) {
  GpuTarget target = *findGpuTarget("sm_90");
  auto choose = [&](int64_t states) {
    return defaultGpuSchedule({.states = states}, target);
  };
  EXPECT_EQ(choose(16).stages, 2);
  EXPECT_EQ(choose(16).unroll, 1);
  EXPECT_EQ(choose(3).stages, 1);
  EXPECT_EQ(choose(3).unroll, 2);
  EXPECT_EQ(choose(1).unroll, 1);
}

TEST_F(DefaultSchedule, StepsAreLoadedAheadWhileRegistersAllow) {
  GpuTarget target = *findGpuTarget("sm_90");
  auto choose = [&](int64_t bytes) {
    return defaultGpuSchedule({.bytesPerStep = bytes}, target).prefetch;
  };
  // u, delta and z in bf16, in f32, and five more such inputs.
  EXPECT_EQ(choose(6), 1);
  EXPECT_EQ(choose(12), 1);
  EXPECT_EQ(choose(32), 0);
}

TEST_F(DefaultSchedule, UnknownChipsAreRefused) {
  EXPECT_FALSE(findGpuTarget("sm_12"));
  EXPECT_FALSE(findGpuTarget(""));
  EXPECT_FALSE(findGpuTarget("a"));
  EXPECT_EQ(findGpuTarget("sm_90a")->chip, "sm_90a");
}

/// A decode step of an S6 layer with 2,048 channels.
static Problem decodeStep(int64_t batch, int64_t states) {
  return {.batch = batch,
          .length = 1,
          .channels = 2048,
          .states = states,
          .bytesPerStep = 6,
          .areChannelsNeighbours = true,
          .tableNumbers = 3,
          .stagedNumbers = 2};
}

TEST_F(DefaultSchedule, SingleStepsNeedThreadsNotRegisters) {
  std::optional<GpuTarget> h100 = findGpuTarget("sm_90");
  ASSERT_TRUE(h100);
  Problem step = decodeStep(512, 16);
  GpuScheduleFields many = defaultGpuSchedule(step, *h100);
  EXPECT_EQ(many.tileSteps(), 1);
  EXPECT_EQ(many.warpsD, 4);
  EXPECT_EQ(many.minBlocks, 0);
  EXPECT_LT(many.unroll, 16);
  // Few channels: as many multiprocessors as there are warps.
  step.batch = 1;
  EXPECT_EQ(defaultGpuSchedule(step, *h100).warpsD, 1);
  // More than one warp a multiprocessor: some states under way.
  step.batch = 8;
  GpuScheduleFields few = defaultGpuSchedule(step, *h100);
  EXPECT_GE(few.unroll * few.stages, 4);
  EXPECT_EQ(few.relay, 0);
}

TEST_F(DefaultSchedule, TheDefaultOneIsRankedFirst) {
  std::optional<GpuTarget> h100 = findGpuTarget("sm_90");
  ASSERT_TRUE(h100);
  forEachProblem([&](const Problem &problem) {
    std::vector<GpuScheduleFields> ranked = rankGpuSchedules(problem, *h100);
    ASSERT_FALSE(ranked.empty());
    EXPECT_EQ(ranked.front(), defaultGpuSchedule(problem, *h100));
    for (size_t i = 1; i < ranked.size(); ++i)
      EXPECT_EQ(std::find(ranked.begin(), ranked.begin() + i, ranked[i]),
                ranked.begin() + i);
  });
}

/// Where a multiprocessor has one warp, all states are under way at once.
TEST_F(DefaultSchedule, AStepOfOneSequenceHidesItsOwnLatency) {
  std::optional<GpuTarget> h100 = findGpuTarget("sm_90");
  ASSERT_TRUE(h100);
  Problem step = decodeStep(1, 64);
  EXPECT_EQ(defaultGpuSchedule(step, *h100).unroll, 16);
  step.states = 12;
  EXPECT_EQ(defaultGpuSchedule(step, *h100).unroll, 4);
}

/// Warps that have no turn share the loads of the one that has, but where warps
/// in turn were never measured or are not possible.
TEST_F(DefaultSchedule, AStepOfOneSequenceHasWarpsThatLoad) {
  std::optional<GpuTarget> h100 = findGpuTarget("sm_90");
  ASSERT_TRUE(h100);
  const Problem step = decodeStep(1, 16);
  GpuScheduleFields alone = defaultGpuSchedule(step, *h100);
  EXPECT_EQ(alone.relay, 1);
  EXPECT_EQ(alone.threads(), 128);
  EXPECT_EQ(alone.tileSteps(), 1);
  auto hasTurns = [&](auto change, const char *chip = "sm_90") {
    Problem other = step;
    change(other);
    return defaultGpuSchedule(other, *findGpuTarget(chip)).relay != 0;
  };
  EXPECT_FALSE(hasTurns([](Problem &p) { p.replays = true; }));
  EXPECT_FALSE(hasTurns([](Problem &p) { p.isComplex = true; }));
  EXPECT_FALSE(hasTurns([](Problem &p) { p.isChained = true; }));
  EXPECT_FALSE(hasTurns([](Problem &p) { p.tableNumbers = 0; }));
  EXPECT_FALSE(hasTurns([](Problem &) {}, "sm_80"));
  // Nor where each warp's numbers find no room.
  for (int64_t states = 1; states <= 4096; ++states) {
    const Problem wide = decodeStep(1, states);
    ASSERT_LE(sharedBytesOf(defaultGpuSchedule(wide, *h100), wide),
              std::max(h100->sharedBytes,
                       sharedBytesOf({.items = 1, .unroll = 1}, wide)))
        << states;
  }
}

/// Extents and threads come from command lines.
TEST_F(DefaultSchedule, AnyNumbersHaveASchedule) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CpuTarget threads;
  threads.threads = kMost;
  EXPECT_EQ(defaultCpuSchedule({.batch = 1, .length = 1 << 22, .channels = 16},
                               threads)
                .chunks,
            1024);
  std::optional<GpuTarget> h100 = findGpuTarget("sm_90");
  ASSERT_TRUE(h100);
  Problem huge = {.batch = kMost, .length = kMost, .channels = kMost};
  EXPECT_GE(defaultGpuSchedule(huge, *h100).tileSteps(), 1);
  EXPECT_EQ(defaultCpuSchedule(huge, CpuTarget()).chunks, 1);
}
