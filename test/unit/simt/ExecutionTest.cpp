//===- ExecutionTest.cpp - Kernels compute what a GPU computes ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/simt/SimtTesting.h"

#include "runtime/simt/Approximations.h"
#include "runtime/simt/Permutation.h"

#include <cmath>
#include <limits>
#include <set>

using namespace mamba;
using namespace mamba::test;

/// Computes %result of %value, the thread's number of x.
static std::string mapX(const std::string &body) {
  return R"(
%xAt = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
%value = llvm.load %xAt : !llvm.ptr<1> -> f32
%all = arith.constant -1 : i32
%zero = arith.constant 0 : i32
%one = arith.constant 1 : i32
%five = arith.constant 5 : i32
%last = arith.constant 31 : i32
)" + body +
         R"(
%yAt = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
llvm.store %result, %yAt : f32, !llvm.ptr<1>
)";
}

/// What `body` makes of 0, 1, 2, ..., one a thread.
static std::vector<float> resultsOf(const std::string &body,
                                    const SimtLaunch &launch) {
  std::vector<float> x(launch.threads);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i);
  SimtProgram program(mapX(body), launch);
  Status status = program.run(x, x.size());
  EXPECT_TRUE(status.ok()) << status.message();
  return program.y;
}

static void expectEach(const std::vector<float> &found,
                       float (*expected)(size_t)) {
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i], expected(i)) << i;
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

TEST(Execution, ShuffleUp) {
  auto found = resultsOf(
      "%result = nvvm.shfl.sync up %all, %value, %five, %zero : f32 -> f32",
      {.threads = 64});
  expectEach(found, [](size_t i) { return float(i % 32 < 5 ? i : i - 5); });
}

TEST(Execution, ShuffleDownSaysWhatIsInRange) {
  auto found = resultsOf(R"(
%pair = nvvm.shfl.sync down %all, %value, %five, %last {return_value_and_is_valid} : f32 -> !llvm.struct<(f32, i1)>
%got = llvm.extractvalue %pair[0] : !llvm.struct<(f32, i1)>
%isValid = llvm.extractvalue %pair[1] : !llvm.struct<(f32, i1)>
%nothing = arith.constant -1.0 : f32
%result = arith.select %isValid, %got, %nothing : f32
)",
                         {.threads = 64});
  expectEach(found, [](size_t i) { return i % 32 < 27 ? float(i + 5) : -1; });
}

TEST(Execution, ShuffleButterfly) {
  auto found = resultsOf(
      "%result = nvvm.shfl.sync bfly %all, %value, %five, %last : f32 -> f32",
      {.threads = 64});
  expectEach(found, [](size_t i) { return float(i ^ 5); });
}

/// Segments of 8 lanes: the upper bits of the clamp say so.
TEST(Execution, ShuffleIndexInSegments) {
  auto found = resultsOf(R"(
%clamp = arith.constant 6175 : i32
%result = nvvm.shfl.sync idx %all, %value, %one, %clamp : f32 -> f32
)",
                         {.threads = 32});
  expectEach(found, [](size_t i) { return float(i / 8 * 8 + 1); });
}

TEST(Execution, Votes) {
  auto found = resultsOf(R"(
%isSmall = arith.cmpi ult, %i, %five : i32
%ballot = nvvm.vote.sync ballot %all, %isSmall -> i32
%any = nvvm.vote.sync any %all, %isSmall -> i1
%every = nvvm.vote.sync all %all, %isSmall -> i1
%uniform = nvvm.vote.sync uni %all, %isSmall -> i1
%a = arith.extui %any : i1 to i32
%b2 = arith.extui %every : i1 to i32
%c = arith.extui %uniform : i1 to i32
%hundred = arith.constant 100 : i32
%ten = arith.constant 10 : i32
%p = arith.muli %ballot, %hundred : i32
%q = arith.muli %a, %ten : i32
%r = arith.addi %p, %q : i32
%s = arith.addi %b2, %c : i32
%t = arith.addi %r, %s : i32
%result = arith.sitofp %t : i32 to f32
)",
                         {.threads = 64});
  // The second warp agrees that no lane is small.
  expectEach(found, [](size_t i) { return i < 32 ? 3110.0f : 1.0f; });
}

TEST(Execution, WarpsOfHalfABlock) {
  auto found = resultsOf(R"(
%half = arith.constant 65535 : i32
%isSecond = arith.cmpi ugt, %i, %last : i32
%mask = arith.select %isSecond, %half, %all : i32
%result = nvvm.shfl.sync bfly %mask, %value, %one, %last : f32 -> f32
gpu.barrier
)",
                         {.threads = 48});
  expectEach(found, [](size_t i) { return float(i ^ 1); });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static const char *const kArrays = R"(
llvm.mlir.global internal @first() {addr_space = 3 : i32, alignment = 4 : i64} : !llvm.array<3 x f32>
llvm.mlir.global internal @second() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<32 x f32>
)";

/// Arrays of a size lie before the dynamic one, each as aligned as it asks.
TEST(Execution, ArraysInSharedMemory) {
  SimtProgram program(mapX(R"(
%first = llvm.mlir.addressof @first : !llvm.ptr<3>
%second = llvm.mlir.addressof @second : !llvm.ptr<3>
%mine = llvm.getelementptr %second[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%other = arith.xori %i, %one : i32
%theirs = llvm.getelementptr %second[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%dynamic = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%isFirst = arith.cmpi eq, %i, %zero : i32
%hundred = arith.constant 100.0 : f32
scf.if %isFirst {
  llvm.store %hundred, %first : f32, !llvm.ptr<3>
}
llvm.store %value, %mine : f32, !llvm.ptr<3>
llvm.store %value, %dynamic : f32, !llvm.ptr<3>
gpu.barrier
%a = llvm.load %first : !llvm.ptr<3> -> f32
%b1 = llvm.load %theirs : !llvm.ptr<3> -> f32
%sum = arith.addf %a, %b1 : f32
%result = arith.addf %sum, %value : f32
)"),
                      {.threads = 32, .sharedBytes = 128}, kArrays);
  std::vector<float> x(32, 1.0f);
  Status status = program.run(x, 32);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(program.y, std::vector<float>(32, 102.0f));
}

/// A generic pointer may be of shared, of global, or of the thread's memory.
static const char *const kGeneric = R"(
%sharedAt = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
llvm.store %value, %sharedAt : f32, !llvm.ptr<3>
%isLow = arith.cmpi ult, %i, %five : i32
%a = llvm.addrspacecast %sharedAt : !llvm.ptr<3> to !llvm.ptr
%b1 = llvm.addrspacecast %xAt : !llvm.ptr<1> to !llvm.ptr
%both = arith.select %isLow, %a, %b1 : !llvm.ptr
%own = llvm.alloca %all2 x f32 : (i32) -> !llvm.ptr
%ownAt = llvm.getelementptr %own[%low] : (!llvm.ptr, i32) -> !llvm.ptr, f32
llvm.store %value, %ownAt : f32, !llvm.ptr
%got = llvm.load volatile %both : !llvm.ptr -> f32
%kept = llvm.load volatile %ownAt : !llvm.ptr -> f32
%result = arith.addf %got, %kept : f32
)";

/// Each thread copies four floats of its own, as `copy` says, and gives the
/// `element`th of them.
static std::string copied(const std::string &copy, const std::string &wait,
                          const std::string &element) {
  return R"(
%four = arith.constant 4 : i32
%word = arith.muli %i, %four : i32
%to = llvm.getelementptr %shared[%word] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%from = llvm.getelementptr %x[%word] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
)" + copy +
         R"(
nvvm.cp.async.commit.group
)" + wait +
         R"(
%got = llvm.getelementptr %to[)" +
         element + R"(] : (!llvm.ptr<3>) -> !llvm.ptr<3>, f32
%result = llvm.load %got : !llvm.ptr<3> -> f32
%yAt = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
llvm.store %result, %yAt : f32, !llvm.ptr<1>
)";
}

static constexpr const char *kWholeCopy =
    "nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, "
    "!llvm.ptr<1>";
static constexpr const char *kHalfCopy = R"(
%eight = arith.constant 8 : i32
nvvm.cp.async.shared.global %to, %from, 16, cache = cg, %eight : !llvm.ptr<3>, !llvm.ptr<1>, i32
)";
static constexpr const char *kWaitForAll = "nvvm.cp.async.wait.group 0";

/// What threads get of `body`, whose x is 0, 1, 2, ..., four a thread.
static std::vector<float> resultsOfCopies(const std::string &body) {
  std::vector<float> x(128);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i);
  SimtProgram program(body, {.threads = 32, .sharedBytes = 512});
  Status status = program.run(x, 32);
  EXPECT_TRUE(status.ok()) << status.message();
  return program.y;
}

TEST(Execution, CopiesAreThereAfterTheWait) {
  expectEach(resultsOfCopies(copied(kWholeCopy, kWaitForAll, "3")),
             [](size_t i) { return float(4 * i + 3); });
}

TEST(Execution, CopiesHaveZerosBehindTheirBytes) {
  expectEach(resultsOfCopies(copied(kHalfCopy, kWaitForAll, "1")),
             [](size_t i) { return float(4 * i + 1); });
  expectEach(resultsOfCopies(copied(kHalfCopy, kWaitForAll, "2")),
             [](size_t) { return 0.0f; });
}

TEST(Execution, CopiesNobodyWaitedForAreNaNs) {
  for (const char *wait : {"", "nvvm.cp.async.wait.group 1"})
    for (float found : resultsOfCopies(copied(kWholeCopy, wait, "0")))
      EXPECT_TRUE(std::isnan(found));
}

TEST(Execution, GenericPointers) {
  SimtLaunch launch{.threads = 32, .sharedBytes = 128};
  std::string body = R"(
%all2 = arith.constant 8 : i32
%seven = arith.constant 7 : i32
%low = arith.andi %i, %seven : i32
)";
  expectEach(resultsOf(body + kGeneric, launch),
             [](size_t i) { return float(2 * i); });
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// A quotient by zero is any number on a GPU; hosts would end the process.
TEST(Execution, IntegerDivisionByZeroGoesOn) {
  auto found = resultsOf(R"(
%n = arith.fptosi %value : f32 to i32
%divisor = arith.subi %n, %five : i32
%hundred = arith.constant 100 : i32
%q = arith.divsi %hundred, %divisor : i32
%u = arith.remui %hundred, %divisor : i32
%sum = arith.addi %q, %u : i32
%result = arith.sitofp %sum : i32 to f32
)",
                         {.threads = 32});
  for (int i = 0; i < 32; ++i)
    if (i != 5)
      EXPECT_EQ(found[i], float(100 / (i - 5) + int(100u % unsigned(i - 5))))
          << i;
}

TEST(Execution, ApproximateInstructions) {
  auto found = resultsOf(R"(
%e = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%value) : (f32) -> f32
%l = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%e) : (f32) -> f32
%r = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%e) : (f32) -> f32
%q = arith.mulf %r, %e : f32
%s = llvm.call_intrinsic "llvm.nvvm.sqrt.approx.ftz.f"(%e) : (f32) -> f32
%t = llvm.call_intrinsic "llvm.nvvm.rsqrt.approx.ftz.f"(%e) : (f32) -> f32
%u = arith.mulf %s, %t : f32
%v = arith.addf %l, %q : f32
%result = arith.addf %u, %v : f32
)",
                         {.threads = 64});
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], float(i) + 2, 1e-5) << i;
}

TEST(Execution, ApproximationsFlushSubnormals) {
  using namespace mamba::simt;
  constexpr float kTiny = 1e-40f,
                  kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(approximateExp2(kTiny), 1.0f);
  EXPECT_EQ(approximateExp2(-127), 0.0f);
  EXPECT_EQ(approximateExp2(-126), std::numeric_limits<float>::min());
  EXPECT_EQ(approximateExp2(128), kInfinity);
  EXPECT_EQ(approximateLog2(kTiny), -kInfinity);
  EXPECT_TRUE(std::isnan(approximateLog2(-1)));
  EXPECT_EQ(approximateReciprocal(-kTiny), -kInfinity);
  EXPECT_TRUE(std::signbit(approximateReciprocal(-3e38f)));
  EXPECT_EQ(approximateReciprocal(-3e38f), 0.0f);
  EXPECT_EQ(approximateReciprocal(-kInfinity), 0.0f);
  EXPECT_EQ(approximateSquareRoot(kTiny), 0.0f);
  EXPECT_EQ(approximateReciprocalSquareRoot(kTiny), kInfinity);
  EXPECT_EQ(approximateReciprocalSquareRoot(4), 0.5f);
}

/// Rounds to nearest, ties to even, and keeps subnormals and NaN.
TEST(Execution, BrainFloats) {
  SimtProgram program(mapX(R"(
%narrow = arith.truncf %value : f32 to bf16
%doubled = arith.addf %narrow, %narrow : bf16
%result = arith.extf %doubled : bf16 to f32
)"),
                      {.threads = 32});
  std::vector<float> x(32, 0.0f);
  const std::pair<float, float> cases[] = {
      {1.0f, 2.0f},
      {1.00390625f, 2.0f},      // A tie: down to even.
      {1.01171875f, 2.03125f},  // A tie: up to even.
      {1.00390637f, 2.015625f}, // Just above the tie.
      {-1e-40f, -0x1p-132f},    // To the least subnormal.
      {3.4e38f, std::numeric_limits<float>::infinity()}};
  for (size_t i = 0; i < std::size(cases); ++i)
    x[i] = cases[i].first;
  x[31] = std::numeric_limits<float>::quiet_NaN();
  Status status = program.run(x, 32);
  ASSERT_TRUE(status.ok()) << status.message();
  for (size_t i = 0; i < std::size(cases); ++i)
    EXPECT_EQ(program.y[i], cases[i].second) << i;
  EXPECT_TRUE(std::isnan(program.y[31]));
}

//===----------------------------------------------------------------------===//
// Orders and switches
//===----------------------------------------------------------------------===//

/// The number of the last thread that wrote, which is a race.
static float lastWriter(uint64_t seed) {
  SimtLaunch launch;
  launch.threads = 64;
  launch.options.seed = seed;
  launch.options.checks.races = false;
  SimtProgram program(R"(
%value = arith.sitofp %i : i32 to f32
llvm.store %value, %y : f32, !llvm.ptr<1>
)",
                      launch);
  Status status = program.run({1}, 1);
  EXPECT_TRUE(status.ok()) << status.message();
  return program.y[0];
}

TEST(Execution, SeedsPermuteThreads) {
  EXPECT_EQ(lastWriter(0), 63);
  std::set<float> threads;
  for (uint64_t seed = 1; seed <= 8; ++seed)
    threads.insert(lastWriter(seed));
  EXPECT_GT(threads.size(), 3u);
}

TEST(Execution, SeedsPermuteBlocks) {
  for (int64_t count : {1, 2, 3, 10, 97, 4096})
    for (uint64_t seed : {0, 1, 2, 3}) {
      simt::BlockOrder order(count, seed);
      std::set<int64_t> blocks;
      bool isNatural = true;
      for (int64_t i = 0; i < count; ++i) {
        blocks.insert(order.at(i));
        isNatural &= order.at(i) == i;
      }
      EXPECT_EQ(blocks.size(), size_t(count));
      EXPECT_EQ(*blocks.rbegin(), count - 1);
      if (seed == 0 || count > 10)
        EXPECT_EQ(isNatural, seed == 0) << count;
    }
}

TEST(Execution, ResultsDoNotDependOnTheSeed) {
  std::string body = R"(
%mine = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%other = arith.xori %i, %five : i32
%theirs = llvm.getelementptr %shared[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
llvm.store %value, %mine : f32, !llvm.ptr<3>
gpu.barrier
%got = llvm.load %theirs : !llvm.ptr<3> -> f32
%result = nvvm.shfl.sync bfly %all, %got, %one, %last : f32 -> f32
)";
  for (uint64_t seed : {0, 1, 2, 3}) {
    SimtLaunch launch{.threads = 128, .sharedBytes = 512};
    launch.options.seed = seed;
    expectEach(resultsOf(body, launch),
               [](size_t i) { return float(i ^ 1 ^ 5); });
  }
}

/// Each check alone lets the others' defects pass.
TEST(Execution, ChecksCanBeSwitchedOff) {
  const std::string bodies[] = {// A misaligned load.
                                R"(
%at = llvm.getelementptr inbounds %x[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
%wide = llvm.load %at {alignment = 8 : i64} : !llvm.ptr<1> -> f32
%result = arith.addf %wide, %value : f32
)",
                                // Shared memory that nobody wrote.
                                R"(
%mine = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%result = llvm.load %mine : !llvm.ptr<3> -> f32
)",
                                // A barrier that some threads miss.
                                R"(
%isLow = arith.cmpi ult, %i, %five : i32
scf.if %isLow {
  gpu.barrier
}
%result = arith.addf %value, %value : f32
)",
                                // A shuffle of lanes that have exited.
                                R"(
%isLow = arith.cmpi ult, %i, %five : i32
%result = scf.if %isLow -> f32 {
  %got = nvvm.shfl.sync up %all, %value, %one, %zero : f32 -> f32
  scf.yield %got : f32
} else {
  scf.yield %value : f32
}
)"};
  bool simt::Checks::*const switches[] = {
      &simt::Checks::alignment, &simt::Checks::uninitialized,
      &simt::Checks::barriers, &simt::Checks::shuffles};
  for (size_t i = 0; i < std::size(bodies); ++i) {
    SimtLaunch launch{.threads = 32, .sharedBytes = 128};
    EXPECT_FALSE(SimtProgram(mapX(bodies[i]), launch)
                     .run(std::vector<float>(32), 32)
                     .ok())
        << i;
    launch.options.checks.*switches[i] = false;
    Status status =
        SimtProgram(mapX(bodies[i]), launch).run(std::vector<float>(32), 32);
    EXPECT_TRUE(status.ok()) << i << ": " << status.message();
  }
}
