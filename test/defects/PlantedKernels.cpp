//===- PlantedKernels.cpp - Kernels with one defect each ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel for a tool that looks at barriers may wait for ever without it. All
// others end on a GPU too: whoever is waited for in vain has exited.
//
//===----------------------------------------------------------------------===//

#include "test/defects/PlantedKernels.h"

#include "test/defects/KernelWords.h"

#include <fmt/format.h>
#include <numeric>

using namespace mamba;
using namespace mamba::test;

/// %<name> = the float number %<index> of %<base>, which is in `space`.
static std::string element(std::string_view name, std::string_view base,
                           std::string_view index, int space) {
  return fmt::format("%{} = llvm.getelementptr %{}[%{}] : (!llvm.ptr<{}>, i32) "
                     "-> !llvm.ptr<{}>, f32\n",
                     name, base, index, space, space);
}

/// %<name>, an i32.
static std::string number(std::string_view name, int64_t value) {
  return fmt::format("%{} = arith.constant {} : i32\n", name, value);
}

/// %<name> = %i + `distance`.
static std::string farIndex(std::string_view name, int64_t distance) {
  return number("distance", distance) +
         fmt::format("%{} = arith.addi %i, %distance : i32\n", name);
}

//===----------------------------------------------------------------------===//
// Bounds and alignment
//===----------------------------------------------------------------------===//

static const std::string kCopy = kLoadX + kYAt + R"(
llvm.store %value, %yAt : f32, !llvm.ptr<1> // HERE
)";

static const std::string kLoadBehind = kYAt + R"(
%xAt = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
%value = llvm.load %xAt : !llvm.ptr<1> -> f32 // HERE
llvm.store %value, %yAt : f32, !llvm.ptr<1>
)";

static const std::string kLoadBefore = kYAt + R"(
%before = llvm.getelementptr %x[-1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
%value = llvm.load %before : !llvm.ptr<1> -> f32 // HERE
llvm.store %value, %yAt : f32, !llvm.ptr<1>
)";

static std::string updateBehind() {
  return kLoadX + farIndex("far", 64) + element("yFar", "y", "far", 1) + R"(
%old = llvm.atomicrmw fadd %yFar, %value monotonic : !llvm.ptr<1>, f32 // HERE
)";
}

static const std::string kMisalignedLoad = R"(
%at = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
%four = llvm.load %at {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32> // HERE
%yAt = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
llvm.store %four, %yAt {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
)";

/// Three floats a thread, and pairs are stored: every second address is odd.
static std::string misalignedSharedStore() {
  return kLoadX + kYAt + number("three", 3) +
         "%start = arith.muli %i, %three : i32\n" +
         element("pairAt", "shared", "start", 3) + R"(
%pair = vector.broadcast %value : f32 to vector<2xf32>
llvm.store %pair, %pairAt {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<3> // HERE
gpu.barrier
%back = llvm.load %pairAt : !llvm.ptr<3> -> f32
llvm.store %back, %yAt : f32, !llvm.ptr<1>
)";
}

/// As far outside as no rounding of the block's memory reaches.
static std::string sharedStoreBehind() {
  return kLoadX + kYAt + farIndex("far", 16384) +
         element("outside", "shared", "far", 3) + R"(
llvm.store %value, %outside : f32, !llvm.ptr<3> // HERE
gpu.barrier
%back = llvm.load %outside : !llvm.ptr<3> -> f32
llvm.store %back, %yAt : f32, !llvm.ptr<1>
)";
}

static std::string sharedLoadBehind() {
  return kYAt + farIndex("far", 16384) +
         element("outside", "shared", "far", 3) +
         R"(
%value = llvm.load %outside : !llvm.ptr<3> -> f32 // HERE
llvm.store %value, %yAt : f32, !llvm.ptr<1>
)";
}

static std::vector<PlantedKernel> memoryKernels() {
  const std::string bounds = "out of bounds", misaligned = "misaligned";
  return {
      PlantedKernel("store-behind-result", "memcheck", bounds,
                    "the last thread stores behind a result", {kCopy}, 32, 31),
      PlantedKernel("load-behind-input", "memcheck", bounds,
                    "the last thread loads from behind an input", {kLoadBehind},
                    31, 32),
      PlantedKernel("load-before-input", "memcheck", bounds,
                    "all threads load from before an input", {kLoadBefore}, 32,
                    32),
      PlantedKernel("atomic-behind-result", "memcheck", bounds,
                    "atomic updates behind a result", {updateBehind()}, 32, 32),
      PlantedKernel("misaligned-load", "memcheck", misaligned,
                    "16 bytes of global memory are loaded from a multiple of 4",
                    {kMisalignedLoad}, 64, 128),
      PlantedKernel("misaligned-shared-store", "memcheck", misaligned,
                    "8 bytes of shared memory are stored to a multiple of 4",
                    {misalignedSharedStore(), 1, 32, 384}, 32, 32),
      PlantedKernel("shared-store-behind", "memcheck", bounds,
                    "a store 64 KiB behind shared memory",
                    {sharedStoreBehind(), 1, 32, 256}, 32, 32),
      PlantedKernel("shared-load-behind", "memcheck", bounds,
                    "a load from 64 KiB behind shared memory",
                    {sharedLoadBehind(), 1, 32, 256}, 32, 32),
  };
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

/// What is read back behind a barrier is what a thread wrote last.
static const std::string kReadBack = R"(
gpu.barrier
%back = llvm.load %mine : !llvm.ptr<3> -> f32
llvm.store %back, %yAt : f32, !llvm.ptr<1>
)";

/// Every slot is written, so that whoever reads too early is no worse than
/// that.
static const std::string kWriteZeros = R"(
%slotAt = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%zero = arith.constant 0.0 : f32
llvm.store %zero, %slotAt : f32, !llvm.ptr<3>
gpu.barrier
)";

/// The value that is read is doubled and stored where others read.
static const std::string kStoreDouble = R"(
%double = arith.addf %got, %got : f32
llvm.store %double, %mine : f32, !llvm.ptr<3>
)";

/// Every slot belongs to one thread of each warp.
static std::string writeTwice() {
  return kLoadX + kYAt + number("mask", 31) +
         "%slot = arith.andi %i, %mask : i32\n" +
         element("mine", "shared", "slot", 3) + R"(
llvm.store %value, %mine : f32, !llvm.ptr<3> // HERE
)" + kReadBack;
}

/// Sums over the warps, step by step; `atEnd` stands at the end of each step.
static std::string steps(const std::string &atEnd) {
  return kMyShared + kLoadX + kYAt + number("mask", 31) + R"(
%other = arith.andi %i, %mask : i32
%theirs = llvm.getelementptr %shared[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%from = arith.constant 0 : index
%to = arith.constant 4 : index
%step = arith.constant 1 : index
%last = scf.for %n = %from to %to step %step iter_args(%sum = %value) -> (f32) {
  llvm.store %sum, %mine : f32, !llvm.ptr<3>
  gpu.barrier
  %got = llvm.load %theirs : !llvm.ptr<3> -> f32 // HERE
  %next = arith.addf %sum, %got : f32
)" + atEnd +
         R"(
  scf.yield %next : f32
}
llvm.store %last, %yAt : f32, !llvm.ptr<1>
)";
}

static const std::string kShuffleValue = R"(
%everyLane = arith.constant -1 : i32
%distance = arith.constant 1 : i32
%clamp = arith.constant 31 : i32
%shuffled = nvvm.shfl.sync bfly %everyLane, %value, %distance, %clamp : f32 -> f32
)";
static const std::string kAddShuffled = R"(
%both = arith.addf %got, %shuffled : f32
llvm.store %both, %yAt : f32, !llvm.ptr<1>
)";

static std::vector<PlantedKernel> raceKernels() {
  const std::string race = "race";
  return {
      PlantedKernel(
          "no-barrier-before-read", "racecheck", race,
          "a warp reads what another one writes, with no barrier between",
          {kWriteZeros + takeFrom("31", ""), 1, 64, 256}),
      PlantedKernel(
          "no-barrier-before-write", "racecheck", race,
          "a warp overwrites what another one reads, with no barrier between",
          {takeFrom("31", "gpu.barrier", kStoreDouble + kReadBack), 1, 64,
           256}),
      PlantedKernel("no-barrier-between-steps", "racecheck", race,
                    "a step of a loop overwrites what the one before reads",
                    {steps(""), 1, 64, 256}),
      PlantedKernel(
          "two-writes", "racecheck", race,
          "threads of two warps write different values to one address",
          {writeTwice(), 1, 64, 128}),
      PlantedKernel(
          "no-warp-barrier", "racecheck", race,
          "a lane reads what another one writes, with no barrier between",
          {kWriteZeros + takeFrom("-2", ""), 1, 64, 256}),
      PlantedKernel(
          "warp-barrier-between-warps", "racecheck", race,
          "a barrier of each warp stands where one of the block is needed",
          {kWriteZeros + takeFrom("31", kWarpSync), 1, 64, 256}),
      PlantedKernel(
          "phase-not-waited-for", "racecheck", race,
          "a warp reads what another one hands over, without waiting for it",
          {handOver("32", kAllArrive, ""), 1, 64, 144}),
      PlantedKernel(
          "shuffle-for-barrier", "racecheck", race,
          "a shuffle, which orders no memory, stands for a barrier of the warp",
          {kWriteZeros + takeFrom("-2", kShuffleValue, kAddShuffled), 1, 64,
           256}),
  };
}

/// Races in global memory, which racecheck does not look at.
static const std::string kAllWriteOne = kLoadX + R"(
llvm.store %value, %y : f32, !llvm.ptr<1> // HERE
)";

static const std::string kFirstThreadsWriteOne = isBelow("1") + R"(
scf.if %isLow {
  %number = arith.sitofp %b : i32 to f32
  llvm.store %number, %y : f32, !llvm.ptr<1> // HERE
}
)";

static const std::string kDoubleInput = kLoadX + R"(
%more = arith.addf %value, %value : f32
llvm.store %more, %xAt : f32, !llvm.ptr<1> // HERE
)";

static const std::string kSharedStoreNext = kMyShared + kLoadX + R"(
llvm.store %value, %mine : f32, !llvm.ptr<3> // HERE
)";

static std::vector<PlantedKernel> unseenKernels() {
  return {
      PlantedKernel("two-threads-one-result", "none", "race",
                    "all threads of a block write one float of a result",
                    {kAllWriteOne}, 32, 1),
      PlantedKernel("two-blocks-one-result", "none", "race",
                    "two blocks write one float of a result",
                    {kFirstThreadsWriteOne, 2}, 1, 1),
      PlantedKernel("write-to-input", "none", "write to an input",
                    "a kernel writes to an input", {kDoubleInput}, 32, 1),
      PlantedKernel(
          "shared-store-next", "memcheck", "out of bounds",
          "a store just behind shared memory, which hardware rounds up",
          {kSharedStoreNext, 1, 32, 64}, 32, 1),
  };
}

//===----------------------------------------------------------------------===//
// Memory that nothing wrote
//===----------------------------------------------------------------------===//

static const std::string kIncrementResult = kYAt + R"(
%value = llvm.load %yAt : !llvm.ptr<1> -> f32 // HERE
%more = arith.addf %value, %value : f32
llvm.store %more, %yAt : f32, !llvm.ptr<1>
)";

/// The first warp writes, and behind a barrier the tail is read.
static std::string unwrittenTail() {
  return kLoadX + kYAt + isBelow("32") + R"(
scf.if %isLow {
  llvm.store %value, %yAt : f32, !llvm.ptr<1>
}
gpu.barrier
)" + number("end", 63) +
         "%opposite = arith.subi %end, %i : i32\n" +
         element("oppositeAt", "y", "opposite", 1) + farIndex("far", 64) +
         element("yFar", "y", "far", 1) + R"(
%got = llvm.load %oppositeAt : !llvm.ptr<1> -> f32 // HERE
llvm.store %got, %yFar : f32, !llvm.ptr<1>
)";
}

static const std::string kCopyShared = kMyShared + kYAt + R"(
%value = llvm.load %mine : !llvm.ptr<3> -> f32 // HERE
llvm.store %value, %yAt : f32, !llvm.ptr<1>
)";

static std::vector<PlantedKernel> unwrittenKernels() {
  const std::string uninitialized = "uninitialized";
  return {
      PlantedKernel("unwritten-result", "initcheck", uninitialized,
                    "a result is read that nothing wrote", {kIncrementResult},
                    1, 32),
      PlantedKernel(
          "unwritten-tail", "initcheck", uninitialized,
          "the tail of a result is read, and only its head was written",
          {unwrittenTail(), 1, 64}, 64, 128),
      PlantedKernel("unwritten-shared", "initcheck-shared", uninitialized,
                    "shared memory is read that nothing wrote",
                    {kCopyShared, 1, 32, 128}, 1, 32),
  };
}

//===----------------------------------------------------------------------===//
// Barriers and shuffles
//===----------------------------------------------------------------------===//

/// The last lanes of the last warp miss a barrier, as in a tail, and have
/// exited.
static const std::string kExitBeforeBarrier =
    kMyShared + kLoadX + kYAt + isBelow("48") + R"(
scf.if %isLow {
  llvm.store %value, %mine : f32, !llvm.ptr<3>
  gpu.barrier // HERE
  %last = llvm.load %mine : !llvm.ptr<3> -> f32
  llvm.store %last, %yAt : f32, !llvm.ptr<1>
}
)";

/// They miss the second barrier, and go on.
static const std::string kTailMissesBarrier =
    kMyShared + kLoadX + kYAt + isBelow("48") + R"(
llvm.store %value, %mine : f32, !llvm.ptr<3>
gpu.barrier
scf.if %isLow {
  %first = llvm.load %mine : !llvm.ptr<3> -> f32
  %double = arith.addf %first, %first : f32
  llvm.store %double, %mine : f32, !llvm.ptr<3>
  gpu.barrier // HERE
}
%last = llvm.load %mine : !llvm.ptr<3> -> f32
llvm.store %last, %yAt : f32, !llvm.ptr<1>
)";

/// A warp waits at one barrier, the other warp at another; PTX lets them pass.
/// Branches that began or ended alike would become one.
static const std::string kTwoBarriers = kYAt + isBelow("32") + R"(
%one = arith.constant 1.0 : f32
%two = arith.constant 2.0 : f32
scf.if %isLow {
  gpu.barrier
  llvm.store %one, %yAt : f32, !llvm.ptr<1>
} else {
  llvm.store %two, %yAt : f32, !llvm.ptr<1>
  gpu.barrier // HERE
}
)";

/// Lanes 0 to 15 are named, and lane 16 comes too. The last barrier keeps the
/// other lanes: without them ptxas makes nothing of the warp's.
static const std::string kUnnamedLane =
    kMyShared + kLoadX + kYAt + kWarpSync + isBelow("16") + R"(
%mask = nvvm.vote.sync ballot %all, %isLow -> i32
%next = arith.constant 17 : i32
%isNext = arith.cmpi ult, %i, %next : i32
scf.if %isNext {
  llvm.store %value, %mine : f32, !llvm.ptr<3>
  nvvm.bar.warp.sync %mask : i32 // HERE
  %got = llvm.load %mine : !llvm.ptr<3> -> f32
  llvm.store %got, %yAt : f32, !llvm.ptr<1>
}
gpu.barrier
)";

static std::vector<PlantedKernel> barrierKernels() {
  const std::string divergent = "divergent barrier", lane = "inactive lane";
  return {
      PlantedKernel(
          "tail-misses-barrier", "synccheck", divergent,
          "some lanes of a warp do not come to a barrier of the block",
          {kTailMissesBarrier, 1, 64, 256}),
      PlantedKernel(
          "warp-barrier-unnamed-lane", "synccheck", lane,
          "a lane comes to a barrier of the warp that does not name it",
          {kUnnamedLane, 1, 32, 128}, 32, 32),
      PlantedKernel(
          "exit-before-barrier", "none", divergent,
          "some lanes of a warp exit before the others come to a barrier",
          {kExitBeforeBarrier, 1, 64, 256}),
      PlantedKernel(
          "two-barriers", "synccheck", divergent,
          "one warp waits at one barrier of the block, one at another",
          {kTwoBarriers, 1, 64}, 1, 64),
      PlantedKernel("shuffle-exited-lanes", "none", lane,
                    "a shuffle names lanes that have exited", {shuffle("-1")},
                    32, 32),
  };
}

//===----------------------------------------------------------------------===//
// No defect
//===----------------------------------------------------------------------===//

/// The threads of a block add up their numbers.
static std::string addUpThreads() {
  return R"(
%sum = llvm.getelementptr %shared[0] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i32
)" + isBelow("1") +
         number("none", 0) + R"(
scf.if %isLow {
  llvm.store %none, %sum : i32, !llvm.ptr<3>
}
gpu.barrier
%old = llvm.atomicrmw add %sum, %i monotonic : !llvm.ptr<3>, i32
gpu.barrier
scf.if %isLow {
  %total = llvm.load %sum : !llvm.ptr<3> -> i32
  %float = arith.sitofp %total : i32 to f32
)" + element("at", "y", "b", 1) +
         R"(
  llvm.store %float, %at : f32, !llvm.ptr<1>
}
)";
}

static const std::string kAlignedCopy = R"(
%at = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
%four = llvm.load %at {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
%yAt = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
llvm.store %four, %yAt {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
)";

static std::vector<PlantedKernel> cleanKernels() {
  return {
      PlantedKernel("clean-barrier", "all", "",
                    "warps read each other's values",
                    {takeFrom("31", "gpu.barrier"), 1, 64, 256}),
      PlantedKernel("clean-steps", "all", "", "two barriers a step of a loop",
                    {steps("gpu.barrier"), 1, 64, 256}),
      PlantedKernel("clean-warp-barrier", "all", "",
                    "lanes read each other's values",
                    {takeFrom("-2", kWarpSync), 1, 64, 256}),
      PlantedKernel("clean-phase", "all", "",
                    "a warp waits for what another one hands over",
                    {handOver("32", kAllArrive, kWaitForPhase), 1, 64, 144}),
      PlantedKernel("clean-atomics", "all", "",
                    "atomics in shared memory, three blocks",
                    {addUpThreads(), 3, 64, 4}, 1, 3),
      PlantedKernel("clean-shuffle", "all", "", "half a warp shuffles",
                    {shuffle("65535")}, 32, 32),
      PlantedKernel("clean-vectors", "all", "", "16 bytes at multiples of 16",
                    {kAlignedCopy}, 128, 128),
  };
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

std::vector<float> PlantedKernel::x() const {
  std::vector<float> values(inputs);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

const std::vector<PlantedKernel> &mamba::test::plantedKernels() {
  static const std::vector<PlantedKernel> kernels = [] {
    std::vector<PlantedKernel> all;
    for (auto &part : {memoryKernels(), raceKernels(), unwrittenKernels(),
                       barrierKernels(), unseenKernels(), cleanKernels()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kernels;
}

Result<const PlantedKernel *> mamba::test::findPlanted(std::string_view name) {
  std::string names;
  for (const PlantedKernel &planted : plantedKernels()) {
    if (planted.name == name)
      return &planted;
    names += (names.empty() ? "" : ", ") + planted.name;
  }
  return Status(
      StatusCode::NotFound,
      fmt::format("there is no kernel '{}'; there are {}", name, names));
}
