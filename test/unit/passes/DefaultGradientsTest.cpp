//===- DefaultGradientsTest.cpp - Default schedules of gradients ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/DefaultSchedule.h"
#include "passes/Passes.h"

#include "dialect/SSMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::ssm;

/// The gradients of an S6 layer in bf16.
static Problem gradients(int64_t batch, int64_t length, int64_t states) {
  Problem problem{
      .batch = batch, .length = length, .channels = 2048, .states = states};
  problem.replays = true;
  problem.bytesPerStep = 8;
  problem.tableNumbers = 4;
  problem.stagedNumbers = problem.stagedHalves = 2;
  problem.summedSteps = 3 + states;
  problem.summedStates = 2;
  return problem;
}

TEST(DefaultGradients, TheLastChunkIsAsLongAsTheTurnsOfOthers) {
  GpuTarget target = *findGpuTarget("sm_90");
  Problem layer = gradients(1, 65536, 16);
  layer.channels = 1536;
  layer.savedEvery = 32;
  // Two turns of two blocks a multiprocessor: 11 units of 48 blocks.
  GpuScheduleFields saved = defaultGpuSchedule(layer, target);
  EXPECT_EQ(saved.minBlocks, 2);
  EXPECT_EQ(saved.chunks, 10);
  EXPECT_EQ(saved.lastChunk, 2);
  EXPECT_EQ(saved.carryParts, 3);
  layer.savedEvery = 0;
  EXPECT_EQ(defaultGpuSchedule(layer, target), saved);
  // One turn: no chunk is longer than others, be it full or not.
  layer.channels = 2048, layer.length = 16384;
  EXPECT_EQ(defaultGpuSchedule(layer, target).lastChunk, 1);
  layer.channels = 256, layer.length = 8192;
  GpuScheduleFields few = defaultGpuSchedule(layer, target);
  EXPECT_EQ(few.chunks, 16);
  EXPECT_EQ(few.lastChunk, 1);
}

TEST(DefaultGradients, ChunksOfFewChannelsAreAsManyAsSchedulesMayHave) {
  MLIRContext context;
  context.loadDialect<SSMDialect>();
  Problem few = gradients(1, 600000, 16);
  few.channels = 8;
  for (std::string_view chip : {"sm_80", "sm_90", "sm_120"}) {
    GpuScheduleFields s = defaultGpuSchedule(few, *findGpuTarget(chip));
    EXPECT_TRUE(attributeOf(UnknownLoc::get(&context), s)) << chip;
    EXPECT_GT(s.chunks, 500);
  }
}

TEST(DefaultGradients, PartsOfChunksAreWholeTiles) {
  Problem few = gradients(1, 8192, 16);
  few.savedEvery = 32;
  for (int64_t channels : {64, 256, 384, 1000})
    for (std::string_view chip : {"sm_80", "sm_90", "sm_120"}) {
      few.channels = channels;
      GpuScheduleFields s = defaultGpuSchedule(few, *findGpuTarget(chip));
      int64_t tiles = few.length / (s.chunkUnits() * s.tileSteps());
      EXPECT_LE(s.carryParts, std::max<int64_t>(tiles, 1)) << chip << channels;
    }
}

TEST(DefaultGradients, BlocksThatFindSegmentsFillTheGpuEvenly) {
  GpuTarget target = *findGpuTarget("sm_90");
  Problem few{.batch = 1, .length = 100000, .channels = 64, .states = 16};
  few.areChannelsNeighbours = true;
  GpuScheduleFields schedule = defaultGpuSchedule(few, target);
  EXPECT_EQ(schedule.handoff, 0);
  int64_t blocks = (schedule.chunks - 1) * schedule.carryParts;
  EXPECT_EQ(schedule.tileChannels(), 64);
  EXPECT_GT(schedule.carryParts, 1);
  EXPECT_GE(blocks * 10, (blocks + 131) / 132 * 132 * 9);
  // Fewer chunks than multiprocessors: parts keep the others busy.
  few.length = 8192;
  GpuScheduleFields fewer = defaultGpuSchedule(few, target);
  EXPECT_EQ(fewer.chunks, 16);
  EXPECT_EQ(fewer.carryParts, 8);
}

TEST(DefaultGradients, GradientsOfManyStatesLeaveRoomForASecondBlock) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  for (int64_t savedEvery : {0, 32}) {
    Problem problem = gradients(8, 2304, 64);
    problem.savedEvery = savedEvery;
    GpuScheduleFields schedule = defaultGpuSchedule(problem, h100);
    EXPECT_EQ(schedule.lanes, 4);
    EXPECT_EQ(schedule.prefetch, 0);
    EXPECT_EQ(schedule.minBlocks, 2);
    EXPECT_LE(2 * sharedBytesOf(schedule, problem), h100.sharedBytes);
  }
  EXPECT_EQ(defaultGpuSchedule(gradients(8, 2304, 16), h100).prefetch, 2);
}

TEST(DefaultGradients, GradientsOfEightLanesJoinTheirBlocks) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  GpuScheduleFields joined = defaultGpuSchedule(gradients(2, 8192, 16), h100);
  EXPECT_EQ(joined.lanes, 8);
  EXPECT_EQ(joined.warpsD, 8);
  EXPECT_EQ(joined.minBlocks, 1);
  EXPECT_EQ(defaultGpuSchedule(gradients(8, 8192, 16), h100).warpsD, 4);
  // Half of the multiprocessors would have no block.
  h100.multiprocessors *= 2;
  GpuScheduleFields few = defaultGpuSchedule(gradients(2, 8192, 16), h100);
  EXPECT_TRUE(few.lanes < 8 || few.warpsD == 4);
  // So do blocks of sixteen.
  Problem brief = gradients(2, 2048, 16);
  brief.channels = 1024;
  joined = defaultGpuSchedule(brief, *findGpuTarget("sm_90"));
  EXPECT_EQ(joined.lanes, 16);
  EXPECT_EQ(joined.warpsD, 8);
}

TEST(DefaultGradients, CopiesOfGradientsFitSharedMemory) {
  for (const char *chip : {"sm_80", "sm_86", "sm_90"})
    for (int64_t states : {16, 48, 64, 80, 96, 128, 256})
      for (int64_t bytes : {8, 20}) {
        Problem problem = gradients(1, 2048, states);
        problem.channels = 1536;
        problem.bytesPerStep = bytes;
        GpuTarget target = *findGpuTarget(chip);
        EXPECT_LE(sharedBytesOf(defaultGpuSchedule(problem, target), problem),
                  target.sharedBytes)
            << chip << " " << states << " " << bytes;
      }
}

TEST(DefaultGradients, GradientsThatOneBlockAMultiprocessorServesKeepCopies) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  Problem few = gradients(1, 2304, 64);
  few.channels = 768;
  EXPECT_EQ(defaultGpuSchedule(few, h100).prefetch, 2);
}

TEST(DefaultGradients, GradientsOfFourLanesTakeFourStatesATrip) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  Problem layer = gradients(8, 2304, 16);
  layer.savedEvery = 32;
  GpuScheduleFields halves = defaultGpuSchedule(layer, h100);
  EXPECT_EQ(halves.lanes, 4);
  EXPECT_EQ(halves.unroll, 4);
  EXPECT_EQ(halves.apart, 2);
  EXPECT_EQ(halves.packed, 0);
  EXPECT_EQ(halves.prefetch, 2);
  // Copies of five fp32 inputs would take the second block's shared memory.
  layer.bytesPerStep = 20;
  layer.stagedHalves = 0;
  GpuScheduleFields floats = defaultGpuSchedule(layer, h100);
  EXPECT_EQ(floats.unroll, 4);
  EXPECT_EQ(floats.prefetch, 0);
  EXPECT_LE(2 * sharedBytesOf(floats, layer), h100.sharedBytes);
  // Those of four fit, and pay where channels are neighbours.
  layer.bytesPerStep = 16;
  EXPECT_EQ(defaultGpuSchedule(layer, h100).prefetch, 0);
  layer.areChannelsNeighbours = true;
  EXPECT_EQ(defaultGpuSchedule(layer, h100).prefetch, 2);
  // Neighbours of independent chunks meet in shuffles.
  Problem few = gradients(1, 8192, 16);
  few.channels = 1024;
  GpuScheduleFields chunks = defaultGpuSchedule(few, h100);
  EXPECT_GT(chunks.chunks, 1);
  EXPECT_EQ(chunks.lanes, 4);
  EXPECT_EQ(chunks.unroll, 4);
  EXPECT_EQ(chunks.apart, 1);
  // States that trips of four do not divide.
  layer.states = few.states = 18;
  EXPECT_EQ(defaultGpuSchedule(layer, h100).unroll, 2);
  EXPECT_EQ(defaultGpuSchedule(few, h100).lanes, 2);
}

TEST(DefaultGradients, SumsOfManyStatesAreAddedByGroups) {
  EXPECT_EQ(statesOfGroup(16, 2, 1), 16);
  EXPECT_EQ(statesOfGroup(32, 2, 1), 32);
  EXPECT_EQ(statesOfGroup(48, 2, 1), 16);
  EXPECT_EQ(statesOfGroup(50, 2, 1), 50);
  EXPECT_EQ(statesOfGroup(64, 16, 1), 16);
  // Trips of three states do not end where groups of 16 do.
  EXPECT_EQ(statesOfGroup(48, 3, 1), 48);
  EXPECT_EQ(statesOfGroup(64, 3, 1), 16);
  // Two stages, and one where twice 16 does not divide 48.
  EXPECT_EQ(statesOfGroup(64, 2, 2), 64);
  EXPECT_EQ(statesOfGroup(48, 16, 2), 16);
  EXPECT_EQ(keptStates(16, 2, 1), 16);
  EXPECT_EQ(keptStates(32, 2, 1), 32);
  EXPECT_EQ(keptStates(48, 2, 1), 32);
  EXPECT_EQ(keptStates(256, 2, 1), 32);
  EXPECT_EQ(keptStates(64, 2, 2), 64);
}

TEST(DefaultGradients, GradientsOfOneStateTakeTwiceTheSteps) {
  std::optional<GpuTarget> h100 = findGpuTarget("sm_90");
  ASSERT_TRUE(h100);
  const Problem gradient = {.batch = 8,
                            .length = 2048,
                            .channels = 2048,
                            .states = 1,
                            .bytesPerStep = 8,
                            .areChannelsNeighbours = true,
                            .replays = true};
  auto itemsOf = [&](auto change) {
    Problem other = gradient;
    change(other);
    return defaultGpuSchedule(other, *h100).items;
  };
  EXPECT_EQ(itemsOf([](Problem &) {}), 16);
  EXPECT_EQ(itemsOf([](Problem &p) { p.states = 16; }), 8);
  EXPECT_EQ(itemsOf([](Problem &p) { p.isComplex = true; }), 8);
  EXPECT_EQ(itemsOf([](Problem &p) { p.areChannelsNeighbours = false; }), 8);
  EXPECT_EQ(itemsOf([](Problem &p) { p.bytesPerStep = 24; }), 8);
}
