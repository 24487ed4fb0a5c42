//===- DefectTest.cpp - Planted defects are reported ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One defect a test: what, which thread, where in the memory and in the source.
// Kernels that are run on GPUs too are in test/defects.
//
//===----------------------------------------------------------------------===//

#include "test/defects/KernelWords.h"
#include "test/unit/simt/SimtTesting.h"

using namespace mamba;
using namespace mamba::test;

static std::vector<float> numbers(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(i);
  return values;
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

TEST(Defect, NoBarrierBetweenWriteAndRead) {
  SimtProgram program("no-warp-barrier");
  expectReport(program.run(),
               {"race: in 'kernel', thread 1 of block 0 reads 4 bytes at byte "
                "0 of shared memory at " +
                    program.here(),
                "load float", "; thread 0 of block 0 writes at test.mlir:",
                "store float", "no barrier between"});
}

TEST(Defect, BarrierBetweenWriteAndRead) {
  SimtProgram program(takeFrom("-2", "gpu.barrier"),
                      {.threads = 64, .sharedBytes = 256});
  Status status = program.run(numbers(64), 64);
  ASSERT_TRUE(status.ok()) << status.message();
  for (size_t i = 0; i < 64; ++i)
    EXPECT_EQ(program.y[i], float(i & ~size_t(1)));
}

/// Within a warp, bar.warp.sync is enough; between warps it is not.
TEST(Defect, WarpSyncOrdersAWarp) {
  SimtProgram program("clean-warp-barrier");
  Status status = program.run();
  EXPECT_TRUE(status.ok()) << status.message();
  SimtProgram across("warp-barrier-between-warps");
  expectReport(across.run(), {"race: in 'kernel', thread 62 of block 0 reads",
                              across.here()});
}

/// Who waits for a phase sees what those who arrived did.
TEST(Defect, PhaseOrdersWarps) {
  SimtProgram program("clean-phase");
  Status status = program.run();
  ASSERT_TRUE(status.ok()) << status.message();
  for (size_t i = 32; i < 64; ++i)
    EXPECT_EQ(program.y[i], float(i - 32));
  SimtProgram unordered("phase-not-waited-for");
  expectReport(unordered.run(), {"race: in 'kernel', thread ", unordered.here(),
                                 "no barrier between"});
}

/// One lane does not speak for what the others have just done.
TEST(Defect, ArrivalOfAWarpThatHasNotMet) {
  SimtProgram program(handOver("1", kFirstArrives, kWaitForPhase),
                      {.threads = 64, .sharedBytes = 144});
  expectReport(
      program.run(numbers(64), 64),
      {"race: in 'kernel', thread ", " of block 0 reads", program.here()});
}

TEST(Defect, PhaseThatNeverEnds) {
  SimtProgram program(handOver("33", kAllArrive, kWaitForPhase),
                      {.threads = 64, .sharedBytes = 144});
  expectReport(program.run(numbers(64), 64),
               {"open phase: in 'kernel', thread 32 of block 0 waits for 8 "
                "bytes at byte ",
                "no thread is left that could end the phase"});
}

TEST(Defect, PhasesThatNobodyPrepared) {
  SimtProgram program(R"(
%phase = nvvm.mbarrier.arrive %shared : !llvm.ptr<3> -> i64 // HERE
)",
                      {.threads = 32, .sharedBytes = 16});
  expectReport(program.run(numbers(32), 32),
               {"uninitialized: in 'kernel', thread 0 of block 0 arrives at 8 "
                "bytes at byte 0 of shared memory at " +
                program.here()});
}

/// A copy of 16 bytes whose last ones are past the end of x.
TEST(Defect, CopyPastTheEnd) {
  SimtProgram program(R"(
%from = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
%to = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<4xf32>
nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1> // HERE
)",
                      {.threads = 32, .sharedBytes = 512});
  expectReport(program.run(numbers(126), 32),
               {"out of bounds: in 'kernel', thread 31 of block 0 reads 16 "
                "bytes at byte 496 of input 'x' at " +
                program.here()});
}

/// Another thread's copy is not seen without a barrier.
TEST(Defect, CopyOfAnotherThread) {
  SimtProgram program(R"(
%from = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
%to = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<4xf32>
nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
nvvm.cp.async.commit.group
nvvm.cp.async.wait.group 0
%one = arith.constant 1 : i32
%other = arith.xori %i, %one : i32
%at = llvm.getelementptr %shared[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<4xf32>
%got = llvm.load %at : !llvm.ptr<3> -> f32 // HERE
%yAt = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
llvm.store %got, %yAt : f32, !llvm.ptr<1>
)",
                      {.threads = 32, .sharedBytes = 512});
  expectReport(program.run(numbers(128), 32), {"in 'kernel'", program.here()});
}

TEST(Defect, NoBarrierBeforeTheNextWrite) {
  SimtProgram program(takeFrom("-2", "gpu.barrier", R"(
llvm.store %got, %mine : f32, !llvm.ptr<3>
)"),
                      {.threads = 32, .sharedBytes = 128});
  expectReport(program.run(numbers(32), 32),
               {"race: in 'kernel', thread 1 of block 0 reads 4 bytes at byte "
                "0 of shared memory at " +
                    program.here(),
                "; thread 0 of block 0 writes at test.mlir:"});
}

TEST(Defect, TwoThreadsWriteOneResult) {
  SimtProgram program("two-threads-one-result");
  expectReport(program.run(),
               {"race: in 'kernel', thread 1 of block 0 writes 4 bytes at byte "
                "0 of result 'y' at " +
                    program.here(),
                "thread 0 of block 0 writes"});
}

TEST(Defect, TwoBlocksWriteOneResult) {
  SimtProgram program("two-blocks-one-result");
  expectReport(program.run(),
               {"race: in 'kernel', thread 0 of block ",
                "writes 4 bytes at byte 0 of result 'y' at " + program.here(),
                "nothing orders the blocks of a launch"});
}

/// The same from one launch to the next is no race.
TEST(Defect, LaunchesAreOrdered) {
  SimtProgram program((*findPlanted("two-blocks-one-result"))->kernel.body, {});
  for (int i = 0; i < 3; ++i) {
    Status status = program.run({1}, 1);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST(Defect, BlocksUpdateByAtomics) {
  SimtProgram program(R"(
%sum = llvm.getelementptr %shared[0] : (!llvm.ptr<3>) -> !llvm.ptr<3>, f32
%zero = arith.constant 0 : i32
%nothing = arith.constant 0.0 : f32
%first = arith.cmpi eq, %i, %zero : i32
scf.if %first {
  llvm.store %nothing, %sum : f32, !llvm.ptr<3>
}
gpu.barrier
)" + kLoadX + R"(
%old = llvm.atomicrmw fadd %sum, %value monotonic : !llvm.ptr<3>, f32
gpu.barrier
scf.if %first {
  %total = llvm.load %sum : !llvm.ptr<3> -> f32
  %at = llvm.getelementptr %y[%b] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
  llvm.store %total, %at : f32, !llvm.ptr<1>
}
)",
                      {.blocks = 3, .threads = 64, .sharedBytes = 4});
  Status status = program.run(numbers(64), 3);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(program.y, std::vector<float>(3, 2016));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(Defect, StoreBehindAResult) {
  SimtProgram program("store-behind-result");
  expectReport(program.run(),
               {"out of bounds: in 'kernel', thread 31 of block 0 writes 4 "
                "bytes at byte 124 of result 'y' at " +
                    program.here(),
                "store float", "its memory is bytes 0 to 124"});
}

TEST(Defect, LoadBeforeAnInput) {
  SimtProgram program("load-before-input");
  expectReport(program.run(),
               {"out of bounds: in 'kernel', thread 0 of block 0 reads 4 bytes "
                "at byte -4 of input 'x' at " +
                program.here()});
}

TEST(Defect, StoreBehindSharedMemory) {
  SimtProgram program("shared-store-next");
  expectReport(program.run(),
               {"out of bounds: in 'kernel', thread 16 of block 0 writes 4 "
                "bytes at byte 64 of shared memory at " +
                    program.here(),
                "a block has 64"});
}

/// An address that does not come from one argument is found by its value.
TEST(Defect, LoadThroughAPointerOfSeveralArguments) {
  SimtProgram program(kYAt + R"(
%five = arith.constant 5 : i32
%isLow = arith.cmpi ult, %i, %five : i32
%either = arith.select %isLow, %x, %y : !llvm.ptr<1>
%at = llvm.getelementptr %either[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
%value = llvm.load %at : !llvm.ptr<1> -> f32 // HERE
%more = arith.addf %value, %value : f32
llvm.store %more, %yAt : f32, !llvm.ptr<1>
)",
                      {});
  expectReport(program.run(numbers(4), 32),
               {"out of bounds: in 'kernel', thread 4 of block 0 reads 4 bytes "
                "at address 0x",
                program.here(), "no memory of the device is there"});
  expectReport(program.run(numbers(5), 32),
               {"uninitialized: in 'kernel', thread 5 of block 0 reads 4 bytes "
                "at byte 20 of result 'y' at " +
                program.here()});
}

TEST(Defect, StoreToAnInput) {
  SimtProgram program("write-to-input");
  expectReport(program.run(),
               {"write to an input: in 'kernel', thread 0 of block 0 writes 4 "
                "bytes at byte 0 of input 'x' at " +
                program.here()});
}

TEST(Defect, MisalignedVector) {
  SimtProgram program("misaligned-load");
  expectReport(program.run(),
               {"misaligned: in 'kernel', thread 1 of block 0 reads 16 bytes "
                "at byte 4 of input 'x' at " +
                    program.here(),
                "required is a multiple of 16"});
}

TEST(Defect, SharedMemoryThatNobodyWrote) {
  SimtProgram program("unwritten-shared");
  expectReport(program.run(),
               {"uninitialized: in 'kernel', thread 0 of block 0 reads 4 bytes "
                "at byte 0 of shared memory at " +
                    program.here(),
                "nothing was written there before"});
}

/// Shared memory does not outlive its block.
TEST(Defect, SharedMemoryOfAnEarlierBlock) {
  SimtProgram program(kMyShared + kLoadX + R"(
%zero = arith.constant 0 : i32
%first = arith.cmpi eq, %b, %zero : i32
scf.if %first {
  llvm.store %value, %mine : f32, !llvm.ptr<3>
}
%got = llvm.load %mine : !llvm.ptr<3> -> f32 // HERE
%more = arith.addf %got, %value : f32
llvm.store %more, %mine : f32, !llvm.ptr<3>
)",
                      {.blocks = 2, .sharedBytes = 128});
  expectReport(program.run(numbers(32), 1),
               {"uninitialized: in 'kernel', thread 0 of block 1 reads",
                program.here()});
}

TEST(Defect, ResultThatNobodyWrote) {
  SimtProgram program("unwritten-result");
  expectReport(program.run(),
               {"uninitialized: in 'kernel', thread 0 of block 0 reads 4 bytes "
                "at byte 0 of result 'y' at " +
                program.here()});
}

//===----------------------------------------------------------------------===//
// Barriers and shuffles
//===----------------------------------------------------------------------===//

TEST(Defect, BarrierThatSomeThreadsMiss) {
  SimtProgram program(isBelow("16") + R"(
scf.if %isLow {
  gpu.barrier // HERE
}
)",
                      {});
  expectReport(program.run({1}, 1),
               {"divergent barrier: in 'kernel', thread 0 of block 0 waits at "
                "a barrier at " +
                    program.here(),
                "barrier.cta.sync", "of block 0 has exited"});
}

TEST(Defect, TwoBarriersAtOneTime) {
  SimtProgram program(isBelow("16") + kYAt + R"(
%one = arith.constant 1.0 : f32
scf.if %isLow {
  gpu.barrier
  llvm.store %one, %yAt : f32, !llvm.ptr<1>
} else {
  gpu.barrier // HERE
}
)",
                      {});
  expectReport(program.run({1}, 32),
               {"divergent barrier: in 'kernel', thread 16 of block 0 waits at "
                "a barrier at " +
                    program.here(),
                "; thread 0 of block 0 waits at a barrier at test.mlir:"});
}

TEST(Defect, ShuffleWithLanesThatHaveExited) {
  SimtProgram program("shuffle-exited-lanes");
  expectReport(program.run(), {"inactive lane: in 'kernel', thread ",
                               "takes part in a shuffle at " + program.here(),
                               "shfl.sync.up", "of block 0 has exited"});
}

TEST(Defect, ShuffleOfALaneThatIsNotNamed) {
  SimtProgram program(shuffle("15"), {});
  expectReport(program.run(numbers(32), 32),
               {"inactive lane: in 'kernel', thread 4 of block 0 takes part in "
                "a shuffle at " +
                    program.here(),
                "is not among the lanes that it names"});
}

TEST(Defect, ShuffleOfHalfAWarp) {
  SimtProgram program("clean-shuffle");
  Status status = program.run();
  ASSERT_TRUE(status.ok()) << status.message();
  for (size_t i = 0; i < 16; ++i)
    EXPECT_EQ(program.y[i], float(i == 0 ? 0 : i - 1));
}

TEST(Defect, ShuffleWhileOthersWaitAtABarrier) {
  SimtProgram program(shuffle("-1") + "\ngpu.barrier\n", {});
  expectReport(
      program.run(numbers(32), 32),
      {"inactive lane: in 'kernel'", program.here(), "waits at a barrier"});
}

/// A launch that failed leaves a device that runs others.
TEST(Defect, NextLaunchAfterADefect) {
  SimtProgram program(kLoadX + kYAt + R"(
llvm.store %value, %yAt : f32, !llvm.ptr<1>
gpu.barrier
)",
                      {.blocks = 1, .threads = 256});
  for (int i = 0; i < 4; ++i) {
    expectReport(program.run(numbers(256), 100), {"out of bounds"});
    Status status = program.run(numbers(256), 256);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(program.y, numbers(256));
  }
}
