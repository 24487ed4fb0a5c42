//===- ScheduleSpaceTest.cpp - Schedules near a schedule ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ScheduleSpace.h"

#include "dialect/SSMDialect.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/TunedTable.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <set>

using namespace mlir::ssm;

namespace {

const Problem kLayer = {.batch = 8,
                        .length = 2048,
                        .channels = 2048,
                        .states = 16,
                        .bytesPerStep = 6,
                        .tableNumbers = 2,
                        .stagedNumbers = 2};

bool contains(const std::vector<GpuScheduleFields> &list,
              const GpuScheduleFields &wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

TEST(ScheduleSpace, StepsAreNewAndFitTheGpu) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  for (const GpuScheduleFields &from : rankGpuSchedules(kLayer, h100)) {
    std::vector<GpuScheduleFields> near = neighboursOf(from, kLayer, h100);
    EXPECT_GT(near.size(), 10u);
    EXPECT_FALSE(contains(near, from));
    for (size_t i = 0; i < near.size(); ++i) {
      EXPECT_EQ(std::count(near.begin(), near.end(), near[i]), 1);
      EXPECT_LE(sharedBytesOf(near[i], kLayer), h100.sharedBytes);
    }
  }
}

TEST(ScheduleSpace, EveryFieldCanBeChanged) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  GpuScheduleFields from = {
      .lanes = 4, .items = 8, .warpsL = 1, .warpsD = 2, .unroll = 2};
  std::vector<GpuScheduleFields> near = neighboursOf(from, kLayer, h100);
  auto changed = [&](auto change) {
    GpuScheduleFields fields = from;
    change(fields);
    return contains(near, fields);
  };
  EXPECT_TRUE(changed([](auto &f) { f.lanes = 8; }));
  EXPECT_TRUE(changed([](auto &f) { f.lanes = 2; }));
  EXPECT_TRUE(changed([](auto &f) { f.items = 16; }));
  EXPECT_TRUE(changed([](auto &f) { f.channels = 2; }));
  EXPECT_TRUE(changed([](auto &f) { f.warpsL = 2; }));
  EXPECT_TRUE(changed([](auto &f) { f.warpsD = 4; }));
  EXPECT_TRUE(changed([](auto &f) { f.unroll = 4; }));
  EXPECT_TRUE(changed([](auto &f) { f.stages = 2; }));
  EXPECT_TRUE(changed([](auto &f) { f.fmaExps = 1; }));
  EXPECT_TRUE(changed([](auto &f) { f.prefetch = 1; }));
  EXPECT_TRUE(changed([](auto &f) { f.prefetch = 2; }));
  EXPECT_TRUE(changed([](auto &f) { f.minBlocks = 1; }));
  // 64 threads a block: 128 registers, and 80.
  EXPECT_TRUE(changed([](auto &f) { f.minBlocks = 8; }));
  EXPECT_TRUE(changed([](auto &f) { f.minBlocks = 12; }));
  EXPECT_TRUE(changed([](auto &f) { f.chunks = 2, f.handoff = 1; }));
  EXPECT_TRUE(changed([](auto &f) { f.chunks = 4; }));
}

TEST(ScheduleSpace, ChunksAreCutAndTheLastOneGrows) {
  const GpuTarget h100 = *findGpuTarget("sm_90");
  auto contains = [&](const GpuScheduleFields &from,
                      const GpuScheduleFields &other) {
    auto near = neighboursOf(from, kLayer, h100);
    return std::find(near.begin(), near.end(), other) != near.end();
  };
  GpuScheduleFields from{.chunks = 4, .carryParts = 2, .lastChunk = 2};
  for (int64_t parts : {1, 3, 4}) {
    GpuScheduleFields cut = from;
    cut.carryParts = parts;
    EXPECT_TRUE(contains(from, cut)) << parts;
  }
  // As many pieces of as many steps.
  EXPECT_TRUE(contains(from, {.chunks = 3, .carryParts = 2, .lastChunk = 3}));
  EXPECT_TRUE(contains(from, {.chunks = 5, .carryParts = 2, .lastChunk = 1}));
  // Neither says anything where chunks hand on, or where there is one.
  EXPECT_TRUE(contains(from, {.chunks = 4, .handoff = 1}));
  EXPECT_TRUE(contains(from, {.chunks = 1}));
  for (const GpuScheduleFields &near :
       neighboursOf({.chunks = 4, .handoff = 1}, kLayer, h100)) {
    EXPECT_EQ(near.carryParts, 1);
    EXPECT_EQ(near.lastChunk, 1);
  }
}

TEST(ScheduleSpace, NoStepUnrollsMoreThanSchedulesMay) {
  Problem sums = kLayer;
  sums.states = 64;
  sums.summedStates = 2;
  sums.stagedHalves = 2;
  GpuScheduleFields from{.lanes = 4, .items = 2, .unroll = 16, .packed = 1};
  for (const GpuScheduleFields &near :
       neighboursOf(from, sums, *findGpuTarget("sm_90")))
    EXPECT_LE(near.unroll, 16);
}

TEST(ScheduleSpace, EachStepChangesSomeExponential) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  auto counts = [&](int64_t items, int64_t fmaExps) {
    GpuScheduleFields from{.lanes = 4, .items = items, .fmaExps = fmaExps};
    std::set<int64_t> numbers;
    for (const GpuScheduleFields &near : neighboursOf(from, kLayer, h100))
      if (near.items == items)
        numbers.insert(near.fmaExps);
    numbers.erase(fmaExps);
    return numbers;
  };
  EXPECT_EQ(counts(8, 0), (std::set<int64_t>{1}));
  EXPECT_EQ(counts(8, 2), (std::set<int64_t>{1, 3}));
  EXPECT_EQ(counts(8, 3), (std::set<int64_t>{2}));
  // Four steps: none of two of eight is among them, one of four is.
  EXPECT_EQ(counts(4, 0), (std::set<int64_t>{2}));
}

TEST(ScheduleSpace, StepsOfGradientsThatPayTogetherOnly) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  Problem sums = kLayer;
  sums.summedStates = 2;
  sums.stagedHalves = 2;
  GpuScheduleFields from{.lanes = 4, .warpsD = 4, .unroll = 2, .packed = 1};
  from.minBlocks = 2;
  std::vector<GpuScheduleFields> near = neighboursOf(from, sums, h100);
  GpuScheduleFields apart = from;
  apart.apart = 2, apart.unroll = 4, apart.packed = 0;
  EXPECT_TRUE(contains(near, apart));
  EXPECT_FALSE(contains(neighboursOf(from, kLayer, h100), apart));
  GpuScheduleFields halved = from;
  halved.warpsD = 8, halved.minBlocks = 1;
  EXPECT_TRUE(contains(near, halved));
}

TEST(ScheduleSpace, SumsOverChannelsStayApartWhereThereAreSome) {
  GpuTarget target = *findGpuTarget("sm_90");
  GpuScheduleFields from{.lanes = 4, .warpsD = 4, .apart = 2};
  Problem sums = kLayer;
  sums.summedStates = 2;
  auto apart = [&](const Problem &problem) {
    std::set<int64_t> numbers;
    for (const GpuScheduleFields &near : neighboursOf(from, problem, target))
      numbers.insert(near.apart);
    return numbers;
  };
  EXPECT_EQ(apart(sums), (std::set<int64_t>{1, 2, 4}));
  EXPECT_EQ(apart(kLayer), (std::set<int64_t>{2}));
  // They take shared memory, as many times as there are sums.
  GpuScheduleFields together = from;
  together.apart = 1;
  EXPECT_GT(sharedBytesOf(from, sums), sharedBytesOf(together, sums));
  // Half of the lanes along the channels at most.
  GpuScheduleFields most{.lanes = 8, .apart = 16};
  EXPECT_EQ(most.sumsApart(), 2);
}

TEST(ScheduleSpace, WarpsTakeTurnsAndScanTogetherAgain) {
  GpuTarget target = *findGpuTarget("sm_90");
  GpuScheduleFields together{.lanes = 4, .warpsD = 8};
  auto near = neighboursOf(together, kLayer, target);
  GpuScheduleFields inTurn{.lanes = 4, .warpsL = 8, .relay = 1};
  EXPECT_EQ(std::count(near.begin(), near.end(), inTurn), 1);
  near = neighboursOf(inTurn, kLayer, target);
  EXPECT_EQ(std::count(near.begin(), near.end(), together), 1);
  for (const GpuScheduleFields &schedule : near)
    EXPECT_TRUE(!schedule.relay ||
                (schedule.warpsL >= 4 && schedule.warpsD == 1));
}

TEST(ScheduleSpace, LanesSplitStatesAndStepsAgain) {
  GpuTarget target = *findGpuTarget("sm_90");
  GpuScheduleFields steps{.lanes = 2, .items = 16};
  auto near = neighboursOf(steps, kLayer, target);
  GpuScheduleFields states{.lanes = 2, .split = 1, .items = 8};
  EXPECT_EQ(std::count(near.begin(), near.end(), states), 1);
  near = neighboursOf(states, kLayer, target);
  EXPECT_EQ(std::count(near.begin(), near.end(), steps), 1);
  for (const GpuScheduleFields &schedule : near)
    EXPECT_TRUE(!schedule.split ||
                (schedule.stateItems() <= 32 && schedule.lanes > 1 &&
                 (schedule.warpsL == 1 || schedule.relay)));
}

TEST(ScheduleSpace, ChainedRecurrencesShareNoSequence) {
  Problem chained = kLayer;
  chained.isChained = true;
  for (const GpuScheduleFields &near :
       neighboursOf(GpuScheduleFields(), chained, *findGpuTarget("sm_90")))
    EXPECT_EQ(near.chunks, 1);
  for (const CpuScheduleFields &near :
       neighboursOf(CpuScheduleFields(), chained))
    EXPECT_EQ(near.chunks, 1);
}

TEST(ScheduleSpace, TilesStayNearTheProblem) {
  Problem small = kLayer;
  small.length = 16;
  small.channels = 32;
  GpuScheduleFields from = {.lanes = 1, .items = 16};
  for (const GpuScheduleFields &near :
       neighboursOf(from, small, *findGpuTarget("sm_90"))) {
    EXPECT_LT(near.tileSteps() * near.chunks, 32);
    EXPECT_LT(near.tileChannels(), 64);
  }
}

TEST(TunedTable, RowsAreSchedulesAndAreFound) {
  mlir::MLIRContext context;
  context.loadDialect<SSMDialect>();
  std::set<std::tuple<std::string_view, int64_t, std::string_view>> keys;
  for (const TunedRow &row : tunedRows()) {
    EXPECT_TRUE(
        keys.insert({row.chip, row.multiprocessors, row.problem}).second)
        << row.problem;
    EXPECT_TRUE(mlir::isa_and_present<ScheduleAttr>(
        mlir::parseAttribute(llvm::StringRef(row.schedule), &context)))
        << row.schedule;
    EXPECT_TRUE(findGpuTarget(row.chip)) << row.chip;
  }
}

TEST(TunedTable, KnowsTheLayerThatMambaHas) {
  GpuTarget h100 = *findGpuTarget("sm_90");
  EXPECT_EQ(toString(kLayer), "b=8 l=2048 d=2048 n=16 bytes=6 order=bdl "
                              "chained=0 tables=2 staged=2");
  EXPECT_TRUE(findTunedSchedule(kLayer, h100));
  Problem other = kLayer;
  other.channels = 2049;
  EXPECT_FALSE(findTunedSchedule(other, h100));
  GpuTarget cut = h100;
  cut.multiprocessors = 7;
  EXPECT_FALSE(findTunedSchedule(kLayer, cut));
}

} // namespace
