//===- CpuScanTest.cpp - Selective scans on the CPU -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTesting.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sys/mman.h>

using namespace mamba;

/// A whole S6 layer. IN is the type of inputs and outputs, N the states, G the
/// groups, CH the channel extent, UNIT the unit dimension of (b, l, d) tensors,
/// DIRECTION `reverse` or nothing.
static const char *const kSelectiveScan = R"(
func.func @scan(%u_: tensor<?x?xCHxIN> {LAYOUT}, %delta_: tensor<?x?xCHxIN> {LAYOUT},
                %A_: tensor<CHxNxf32>, %B_: tensor<?x?xGxNxIN>,
                %C_: tensor<?x?xGxNxIN>, %D_: tensor<CHxf32>,
                %z_: tensor<?x?xCHxIN> {LAYOUT}, %bias_: tensor<CHxf32>,
                %h0_: tensor<?xCHxNxf32>)
    -> (tensor<?x?xCHxIN> {LAYOUT}, tensor<?xCHxNxf32>) {
  %y, %hT = ssm.fused (%u0 = %u_[b, l, d] : tensor<?x?xCHxIN>,
                       %delta0 = %delta_[b, l, d] : tensor<?x?xCHxIN>,
                       %a = %A_[d, n] : tensor<CHxNxf32>,
                       %b0 = %B_[b, l, g, n] : tensor<?x?xGxNxIN>,
                       %c0 = %C_[b, l, g, n] : tensor<?x?xGxNxIN>,
                       %skip = %D_[d] : tensor<CHxf32>,
                       %z0 = %z_[b, l, d] : tensor<?x?xCHxIN>,
                       %bias = %bias_[d] : tensor<CHxf32>,
                       %h0 = %h0_[b, d, n] : tensor<?xCHxNxf32>)
      -> ([b, l, d] : tensor<?x?xCHxIN>, [b, d, n] : tensor<?xCHxNxf32>) {
    WIDEN
    %one = arith.constant 1.0 : f32
    %x0 = arith.addf %delta, %bias : f32
    %e0 = math.exp %x0 : f32
    %dt = math.log1p %e0 : f32
    %size = math.absf %a : f32
    %rate = arith.negf %size : f32
    %x = arith.mulf %dt, %rate : f32
    %decay = math.exp %x : f32
    %du = arith.mulf %dt, %u : f32
    %in = arith.mulf %du, %b : f32
    %h, %last = ssm.recurrence DIRECTION %decay, %in init(%h0) : f32
    %hc = arith.mulf %h, %c : f32
    %s = ssm.sum %hc over n : f32
    %su = arith.mulf %skip, %u : f32
    %y0 = arith.addf %s, %su : f32
    %nz = arith.negf %z : f32
    %ez = math.exp %nz : f32
    %den = arith.addf %ez, %one : f32
    %gate = arith.divf %z, %den : f32
    %y1 = arith.mulf %y0, %gate : f32
    NARROW
    ssm.yield %out, %last : IN, f32
  }
  return %y, %hT : tensor<?x?xCHxIN>, tensor<?xCHxNxf32>
})";

struct ScanVariant {
  std::string type = "f32";
  int states = 4;
  int groups = 1;
  /// Channel extent in the types; 0 for dynamic.
  int channels = 0;
  int unit = 2;
  bool reverse = false;
};

static std::string selectiveScan(ScanVariant v) {
  std::string widen, narrow;
  bool isF32 = v.type == "f32";
  for (std::string name : {"u", "delta", "b", "c", "z"})
    widen += "%" + name + (isF32 ? " = arith.addf %" : " = arith.extf %") +
             name + "0, " +
             (isF32 ? "%zero : f32\n" : " : " + v.type + " to f32\n");
  if (isF32)
    widen = "%zero = arith.constant -0.0 : f32\n" + widen;
  else
    widen = substitute(widen, {{", ", ""}});
  narrow = isF32 ? "%out = arith.addf %y1, %zero : f32\n"
                 : "%out = arith.truncf %y1 : f32 to " + v.type + "\n";
  std::string channels = v.channels ? std::to_string(v.channels) : "?";
  return substitute(
      kSelectiveScan,
      {{"WIDEN", widen},
       {"NARROW", narrow},
       {"DIRECTION", v.reverse ? "reverse" : ""},
       {"{LAYOUT}", v.unit < 0
                        ? "{ssm.layout = #ssm.layout<unit = -1, align = 1>}"
                        : "{ssm.layout = #ssm.layout<unit = " +
                              std::to_string(v.unit) + ", align = 1>}"},
       {"xCHx", "x" + channels + "x"},
       {"<CHx", "<" + channels + "x"},
       {"xNx", "x" + std::to_string(v.states) + "x"},
       {"xGx", "x" + std::to_string(v.groups) + "x"},
       {"xIN", "x" + v.type},
       {" IN", " " + v.type}});
}

static void expectScan(ScanVariant variant, std::vector<Extents> extents) {
  CompiledFunction function(selectiveScan(variant));
  for (Extents e : extents)
    if (function.ok())
      function.expectAccurate(e);
}

static const std::vector<Extents> kShapes = {
    {2, 0, 3},   {1, 1, 1}, {2, 2, 16},  {1, 17, 20}, {2, 33, 3},
    {1, 33, 48}, {0, 5, 3}, {3, 16, 32}, {1, 4, 0}};

TEST(CpuScan, ChannelsContiguous) { expectScan({.unit = 2}, kShapes); }

TEST(CpuScan, LengthContiguous) { expectScan({.unit = 1}, kShapes); }

TEST(CpuScan, NothingContiguous) { expectScan({.unit = -1}, kShapes); }

TEST(CpuScan, BatchContiguous) { expectScan({.unit = 0}, {{2, 18, 17}}); }

TEST(CpuScan, Reverse) {
  expectScan({.unit = 2, .reverse = true}, kShapes);
  expectScan({.unit = 1, .reverse = true}, kShapes);
}

TEST(CpuScan, StateCounts) {
  for (int states : {1, 3, 16, 256})
    expectScan({.states = states, .unit = 1}, {{1, 19, 18}});
}

TEST(CpuScan, Bf16) {
  expectScan({.type = "bf16", .states = 16, .unit = 2}, kShapes);
  expectScan({.type = "bf16", .states = 16, .unit = 1}, kShapes);
}

TEST(CpuScan, F16) {
  expectScan({.type = "f16", .states = 3, .unit = 2}, {{2, 33, 19}});
  expectScan({.type = "f16", .states = 3, .unit = 1}, {{2, 33, 32}});
}

TEST(CpuScan, Groups) {
  // Vectors within a group, vectors that straddle groups, a group a channel.
  expectScan({.groups = 2, .channels = 64}, {{2, 9, 64}});
  expectScan({.groups = 2, .channels = 40}, {{2, 9, 40}});
  expectScan({.groups = 2}, {{2, 9, 64}, {1, 9, 6}});
  expectScan({.groups = 20, .channels = 20}, {{2, 9, 20}});
  expectScan({.groups = 4, .channels = 0, .unit = 1}, {{1, 17, 20}});
}

TEST(CpuScan, StaticChannels) {
  expectScan({.channels = 32}, {{2, 17, 32}});
  expectScan({.channels = 1}, {{2, 17, 1}});
  expectScan({.channels = 48, .unit = 1}, {{2, 35, 48}});
}

/// h_t = h_(t-1) / 2 + x_t.
static const char *const kFilter = R"(
func.func @filter(%x_: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = UNIT, align = 4>})
    -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    %half = arith.constant 0.5 : f32
    %h, %last = ssm.recurrence %half, %x : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
})";

TEST(CpuScan, NotANumberStaysInItsChannel) {
  const int64_t B = 2, L = 20, D = 18, badB = 1, badL = 3, badD = 7;
  for (std::string unit : {"1", "2"}) {
    CompiledFunction function(substitute(kFilter, {{"UNIT", unit}}));
    ASSERT_TRUE(function.ok());
    std::vector<float> x(B * L * D, 1.0f), y(B * L * D);
    std::vector<int64_t> strides = {L * D, unit == "1" ? 1 : D,
                                    unit == "1" ? L : 1};
    std::vector<int64_t> shape = {B, L, D};
    TensorView in(x.data(), DType::F32, shape, strides);
    std::vector<TensorView> views = {
        in, TensorView::contiguous(y.data(), DType::F32, shape)};
    x[offsetOf(in, std::vector<int64_t>{badB, badL, badD})] =
        std::numeric_limits<float>::quiet_NaN();
    ASSERT_TRUE(function.launch(views).ok());
    for (int64_t i = 0; i < B * L * D; ++i) {
      bool isBad = i / (L * D) == badB && i % D == badD && i / D % L >= badL;
      EXPECT_EQ(std::isnan(y[i]), isBad) << i;
    }
  }
}

TEST(CpuScan, OffsetsBeyond32Bits) {
  // Only the pages of the few elements in use are ever touched.
  const size_t bytes = size_t(40) << 30;
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    GTEST_SKIP() << "no 40 GiB of address space";
  const std::vector<int64_t> shape = {2, 2, 2};
  for (int64_t far :
       {(int64_t(1) << 31) - 1, int64_t(1) << 31, (int64_t(1) << 32) + 1})
    for (int dim = 0; dim < 3; ++dim) {
      CompiledFunction function(substitute(kFilter, {{"UNIT", "-1"}}));
      ASSERT_TRUE(function.ok());
      std::vector<int64_t> strides = {19, 7, 3};
      strides[dim] = far;
      TensorView x(memory, DType::F32, shape, strides);
      float y[8];
      for (int64_t i = 0; i < 8; ++i)
        static_cast<float *>(memory)[offsetOf(
            x, std::vector<int64_t>{i / 4, i / 2 % 2, i % 2})] = i + 1;
      std::vector<TensorView> views = {
          x, TensorView::contiguous(y, DType::F32, shape)};
      Status status = function.launch(views);
      ASSERT_TRUE(status.ok()) << status.message();
      const float expected[] = {1, 2, 3.5, 5, 5, 6, 9.5, 11};
      for (int i = 0; i < 8; ++i)
        EXPECT_EQ(y[i], expected[i]) << "stride " << far << " of " << dim;
    }
  munmap(memory, bytes);
}

TEST(CpuScan, Broadcast) {
  // One step and one channel of memory for all.
  CompiledFunction function(substitute(kFilter, {{"UNIT", "-1"}}));
  ASSERT_TRUE(function.ok());
  float x[2] = {1, 3}, y[2 * 3 * 17];
  const std::vector<int64_t> shape = {2, 3, 17};
  std::vector<TensorView> views = {
      TensorView(x, DType::F32, shape, std::vector<int64_t>{1, 0, 0}),
      TensorView::contiguous(y, DType::F32, shape)};
  Status status = function.launch(views);
  ASSERT_TRUE(status.ok()) << status.message();
  for (int64_t i = 0; i < 2 * 3 * 17; ++i) {
    const float steps[] = {1, 1.5, 1.75};
    EXPECT_EQ(y[i], x[i / 51] * steps[i / 17 % 3]) << i;
  }
}

TEST(CpuScan, Deterministic) {
  CompiledFunction function(substitute(kFilter, {{"UNIT", "1"}}));
  ASSERT_TRUE(function.ok());
  const std::vector<int64_t> shape = {3, 40, 50};
  std::vector<float> x(6000), first(6000), y(6000);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = std::sin(i * 0.7f);
  for (int round = 0; round < 20; ++round) {
    std::vector<TensorView> views = {
        TensorView(x.data(), DType::F32, shape,
                   std::vector<int64_t>{2000, 1, 40}),
        TensorView::contiguous(y.data(), DType::F32, shape)};
    ASSERT_TRUE(function.launch(views).ok());
    if (round == 0)
      first = y;
    EXPECT_EQ(first, y);
  }
}
