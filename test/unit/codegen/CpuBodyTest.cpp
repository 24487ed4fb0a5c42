//===- CpuBodyTest.cpp - Fused bodies of every shape on the CPU -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No body here is a Mamba layer: the lowering knows axes, recurrences and
// sums, not layers.
//
//===----------------------------------------------------------------------===//

#include "CpuTesting.h"

#include <gtest/gtest.h>

using namespace mamba;

static const std::vector<Extents> kShapes = {
    {2, 33, 19}, {1, 16, 16}, {1, 0, 2}};

static void expectBody(const std::string &source,
                       const std::vector<Extents> &shapes = kShapes) {
  CompiledFunction function(source);
  for (Extents extents : shapes)
    if (function.ok())
      function.expectAccurate(extents);
}

TEST(CpuBody, RecurrenceWithoutStates) {
  expectBody(R"(
func.func @minGRU(%x_: tensor<?x?x?xf32>, %g_: tensor<?x?x?xf32>, %h0_: tensor<?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>) {
  %y, %last = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>,
                         %g = %g_[b, l, d] : tensor<?x?x?xf32>,
                         %h0 = %h0_[b, d] : tensor<?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, d] : tensor<?x?xf32>) {
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %g2 = arith.mulf %g, %g : f32
    %z = arith.mulf %g2, %half : f32
    %a = arith.subf %one, %z : f32
    %b = arith.mulf %z, %x : f32
    %h, %last = ssm.recurrence %a, %b init(%h0) : f32
    %t = math.tanh %h : f32
    ssm.yield %t, %last : f32, f32
  }
  return %y, %last : tensor<?x?x?xf32>, tensor<?x?xf32>
})");
}

static const char *const kComplexBody = R"(
func.func @s4d(%u_: tensor<?x?x?xREAL>, %A_: tensor<?x5xCPLX>, %B_: tensor<?x5xCPLX>,
               %C_: tensor<?x5xCPLX>, %h0_: tensor<?x?x5xCPLX>)
    -> (tensor<?x?x?xREAL>, tensor<?x?x5xCPLX>) {
  %y, %last = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xREAL>,
                         %a = %A_[d, n] : tensor<?x5xCPLX>,
                         %b = %B_[d, n] : tensor<?x5xCPLX>,
                         %c = %C_[d, n] : tensor<?x5xCPLX>,
                         %h0 = %h0_[b, d, n] : tensor<?x?x5xCPLX>)
      -> ([b, l, d] : tensor<?x?x?xREAL>, [b, d, n] : tensor<?x?x5xCPLX>) {
    %zero = arith.constant 0.0 : REAL
    %half = arith.constant 0.5 : REAL
    %re = complex.re %a : CPLX
    %im = complex.im %a : CPLX
    %size = math.absf %re : REAL
    %minus = arith.negf %size : REAL
    %minus2 = arith.subf %minus, %half : REAL
    %x = complex.create %minus2, %im : CPLX
    %e = complex.exp %x : CPLX
    %em1 = complex.expm1 %x : CPLX
    %ratio = complex.div %em1, %x : CPLX
    %zeta = complex.mul %ratio, %b : CPLX
    %uc = complex.create %u, %zero : CPLX
    %in = complex.mul %zeta, %uc : CPLX
    %h, %last = ssm.recurrence DIRECTION %e, %in init(%h0) : CPLX
    %hc = complex.mul %h, %c : CPLX
    %s = ssm.sum %hc over n : CPLX
    %y = complex.re %s : CPLX
    %m = complex.abs %s : CPLX
    %k = arith.subf %y, %m : REAL
    ssm.yield %k, %last : REAL, CPLX
  }
  return %y, %last : tensor<?x?x?xREAL>, tensor<?x?x5xCPLX>
})";

TEST(CpuBody, ComplexStates) {
  for (std::string direction : {"", "reverse"}) {
    expectBody(substitute(kComplexBody, {{"CPLX", "complex<REAL>"},
                                         {"REAL", "f32"},
                                         {"DIRECTION", direction}}));
    expectBody(substitute(kComplexBody, {{"CPLX", "complex<REAL>"},
                                         {"REAL", "f64"},
                                         {"DIRECTION", direction}}));
  }
}

TEST(CpuBody, ComplexTensorsOfEveryLayout) {
  const char *const source = R"(
func.func @f(%a_: tensor<?x?x?xcomplex<f32>> {ssm.layout = #ssm.layout<unit = UNIT, align = 1>},
             %b_: tensor<?x?x?x3xcomplex<f32>>)
    -> (tensor<?x?x?xcomplex<f32>> {ssm.layout = #ssm.layout<unit = UNIT, align = 1>},
        tensor<?x?x?x3xcomplex<f32>> {ssm.layout = #ssm.layout<unit = UNIT, align = 1>}) {
  %y, %z = ssm.fused (%a = %a_[b, l, d] : tensor<?x?x?xcomplex<f32>>,
                      %b = %b_[b, l, d, n] : tensor<?x?x?x3xcomplex<f32>>)
      -> ([b, l, d] : tensor<?x?x?xcomplex<f32>>, [b, l, d, n] : tensor<?x?x?x3xcomplex<f32>>) {
    %half = complex.constant [0.25 : f32, 0.5 : f32] : complex<f32>
    %x = complex.mul %a, %half : complex<f32>
    %h, %last = ssm.recurrence %x, %b : complex<f32>
    %s = ssm.sum %h over n : complex<f32>
    %r = complex.sqrt %s : complex<f32>
    %n = complex.neg %h : complex<f32>
    %c = complex.conj %n : complex<f32>
    ssm.yield %r, %c : complex<f32>, complex<f32>
  }
  return %y, %z : tensor<?x?x?xcomplex<f32>>, tensor<?x?x?x3xcomplex<f32>>
})";
  for (std::string unit : {"0", "1", "2", "-1"})
    expectBody(substitute(source, {{"UNIT", unit}}));
}

TEST(CpuBody, SumsThatFeedSums) {
  expectBody(R"(
func.func @coupled(%u_: tensor<?x?x?xf32>, %A_: tensor<?x6xf32>, %C_: tensor<?x?x1x6xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x?x6xf32>, tensor<?x6xf32>) {
  %y, %z, %w = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>,
                          %a = %A_[d, n] : tensor<?x6xf32>,
                          %c = %C_[b, l, g, n] : tensor<?x?x1x6xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, l, d, n] : tensor<?x?x?x6xf32>, [d, n] : tensor<?x6xf32>) {
    %one = arith.constant 1.0 : f32
    // A normalised over the states, before the steps.
    %size = math.absf %a : f32
    %total0 = ssm.sum %size over n : f32
    %total = arith.addf %total0, %one : f32
    %decay = arith.divf %size, %total : f32
    %h, %last = ssm.recurrence %decay, %u : f32
    %sum = ssm.sum %h over n : f32
    // Recomputed in the second loop over n.
    %uc = arith.mulf %u, %c : f32
    %square = arith.mulf %sum, %sum : f32
    %norm = arith.addf %square, %one : f32
    %scaled = arith.divf %uc, %norm : f32
    // A second recurrence, driven by the first one's sum.
    %k, %lastK = ssm.recurrence %decay, %scaled : f32
    %kc = arith.mulf %k, %c : f32
    %sum2 = ssm.sum %kc over n : f32
    %y = arith.addf %sum2, %u : f32
    ssm.yield %y, %k, %decay : f32, f32, f32
  }
  return %y, %z, %w : tensor<?x?x?xf32>, tensor<?x?x?x6xf32>, tensor<?x6xf32>
})");
}

TEST(CpuBody, ResultsOfEveryAxis) {
  expectBody(R"(
func.func @axes(%u_: tensor<?x?x?xf32>, %A_: tensor<?x3xf32>, %p_: tensor<?x?xf32>,
                %q_: tensor<?xf32>, %r_: tensor<3xf32>, %v_: tensor<?xf32>)
    -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?x3xf32>, tensor<3xf32>, tensor<?xf32>,
        tensor<?x?x?x3xf32>, tensor<?x?x?xf32>, tensor<3x?xf32>, tensor<?x?xf32>) {
  %0:9 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %a = %A_[d, n] : tensor<?x3xf32>,
                    %p = %p_[b, l] : tensor<?x?xf32>, %q = %q_[l] : tensor<?xf32>,
                    %r = %r_[n] : tensor<3xf32>, %v = %v_[d] : tensor<?xf32>)
      -> ([b, l] : tensor<?x?xf32>, [l] : tensor<?xf32>, [d, n] : tensor<?x3xf32>, [n] : tensor<3xf32>,
          [d] : tensor<?xf32>, [b, l, d, n] : tensor<?x?x?x3xf32>, [b, l, d] : tensor<?x?x?xf32>,
          [n, l] : tensor<3x?xf32>, [b, d] : tensor<?x?xf32>) {
    %half = arith.constant 0.5 : f32
    %p2 = arith.mulf %p, %half : f32
    %h, %last = ssm.recurrence %half, %p : f32
    %q2 = arith.mulf %q, %q : f32
    %a2 = arith.mulf %a, %r : f32
    %r2 = arith.addf %r, %half : f32
    %rs = ssm.sum %r over n : f32
    %v2 = arith.mulf %v, %rs : f32
    %ua = arith.mulf %u, %a : f32
    %qr = arith.mulf %q, %r : f32
    %k, %lastU = ssm.recurrence %half, %u : f32
    // Independent of l and d: counts once a state.
    %three = ssm.sum %half over n : f32
    %lastT = arith.mulf %lastU, %three : f32
    ssm.yield %h, %q2, %a2, %r2, %v2, %ua, %p2, %qr, %lastT
      : f32, f32, f32, f32, f32, f32, f32, f32, f32
  }
  return %0#0, %0#1, %0#2, %0#3, %0#4, %0#5, %0#6, %0#7, %0#8
    : tensor<?x?xf32>, tensor<?xf32>, tensor<?x3xf32>, tensor<3xf32>, tensor<?xf32>,
      tensor<?x?x?x3xf32>, tensor<?x?x?xf32>, tensor<3x?xf32>, tensor<?x?xf32>
})");
}

TEST(CpuBody, AfterTheLastStep) {
  expectBody(R"(
func.func @after(%u_: tensor<?x?x?xf32>, %A_: tensor<?x4xf32>)
    -> (tensor<?x?xf32>, tensor<?x?x4xf32>) {
  %0:2 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %a = %A_[d, n] : tensor<?x4xf32>)
      -> ([b, d] : tensor<?x?xf32>, [b, d, n] : tensor<?x?x4xf32>) {
    %one = arith.constant 1.0 : f32
    %a2 = arith.mulf %a, %a : f32
    %h, %last = ssm.recurrence %a2, %u : f32
    %sq = arith.mulf %last, %last : f32
    %total = ssm.sum %sq over n : f32
    %den = arith.addf %total, %one : f32
    %share = arith.divf %sq, %den : f32
    %root = math.sqrt %total : f32
    ssm.yield %root, %share : f32, f32
  }
  return %0#0, %0#1 : tensor<?x?xf32>, tensor<?x?x4xf32>
})");
}

TEST(CpuBody, IntegersAndTruthValues) {
  expectBody(R"(
func.func @ints(%u_: tensor<?x?x?xf32>, %A_: tensor<?x4xf32>) -> (tensor<?x?x?xf32>, tensor<?x?x?x4xf32>) {
  %0:2 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %a = %A_[d, n] : tensor<?x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, l, d, n] : tensor<?x?x?x4xf32>) {
    %zero = arith.constant 0.0 : f32
    %eight = arith.constant 8.0 : f32
    %three = arith.constant 3 : i32
    %positive = arith.cmpf ogt, %u, %zero : f32
    %neg = arith.cmpf olt, %a, %zero : f32
    %u8 = arith.mulf %u, %eight : f32
    %i = arith.fptosi %u8 : f32 to i32
    %m = arith.muli %i, %three : i32
    %ix = arith.index_cast %m : i32 to index
    %a8 = arith.mulf %a, %eight : f32
    %j = arith.fptosi %a8 : f32 to i32
    %jx = arith.index_cast %j : i32 to index
    %k = arith.addi %ix, %jx : index
    %k32 = arith.index_cast %k : index to i32
    %f = arith.sitofp %k32 : i32 to f32
    %both = arith.andi %positive, %neg : i1
    %chosen = arith.select %both, %f, %u : f32
    %s = ssm.sum %chosen over n : f32
    %masked = arith.select %positive, %s, %zero : f32
    ssm.yield %masked, %chosen : f32, f32
  }
  return %0#0, %0#1 : tensor<?x?x?xf32>, tensor<?x?x?x4xf32>
})");
}

TEST(CpuBody, HalfPrecisionArithmetic) {
  for (std::string type : {"bf16", "f16"})
    // Each op rounds: only that the code compiles and stays in range is
    // checked by the tolerance of one rounding, so the chain is exact.
    expectBody(substitute(R"(
func.func @halves(%u_: tensor<?x?x?xT>) -> tensor<?x?x?xT> {
  %0 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xT>) -> ([b, l, d] : tensor<?x?x?xT>) {
    %two = arith.constant 2.0 : T
    %x = arith.mulf %u, %two : T
    %y = math.absf %x : T
    %n = arith.negf %y : T
    %c = arith.cmpf olt, %n, %u : T
    %z = arith.select %c, %n, %u : T
    ssm.yield %z : T
  }
  return %0 : tensor<?x?x?xT>
})",
                          {{"xT>", "x" + type + ">"}, {": T", ": " + type}}));
}

TEST(CpuBody, HalvesAndDoubles) {
  for (std::string type : {"bf16", "f16"})
    expectBody(substitute(R"(
func.func @f(%x_: tensor<?x?xT>) -> tensor<?x?xT> {
  %0 = ssm.fused (%x = %x_[b, d] : tensor<?x?xT>) -> ([b, d] : tensor<?x?xT>) {
    %w = arith.extf %x : T to f64
    %e = math.exp %w : f64
    %y = arith.truncf %e : f64 to T
    ssm.yield %y : T
  }
  return %0 : tensor<?x?xT>
})",
                          {{"xT>", "x" + type + ">"},
                           {": T", ": " + type},
                           {"to T", "to " + type}}));
}

TEST(CpuBody, ScalarResult) {
  expectBody(R"(
func.func @f(%r_: tensor<3xf32>, %x_: tensor<?x?xf32>) -> (tensor<f32>, tensor<?x?xf32>) {
  %0:2 = ssm.fused (%r = %r_[n] : tensor<3xf32>, %x = %x_[b, d] : tensor<?x?xf32>)
      -> ([] : tensor<f32>, [b, d] : tensor<?x?xf32>) {
    %s = ssm.sum %r over n : f32
    %y = arith.mulf %x, %s : f32
    ssm.yield %s, %y : f32, f32
  }
  return %0#0, %0#1 : tensor<f32>, tensor<?x?xf32>
})");
}

TEST(CpuBody, SeveralKernels) {
  expectBody(R"(
func.func @two(%u_: tensor<?x?x?xf32>, %A_: tensor<?x4xf32>) -> tensor<?x?x?xf32> {
  %t = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %a = %A_[d, n] : tensor<?x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %a2 = arith.mulf %a, %a : f32
    %h, %last = ssm.recurrence %a2, %u : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  %y = ssm.fused (%x = %t[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    %half = arith.constant 0.5 : f32
    %h, %first = ssm.recurrence reverse %half, %x : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
})");
}

TEST(CpuBody, NoChannelOrBatchAxis) {
  expectBody(R"(
func.func @plain(%u_: tensor<?xf32>, %A_: tensor<4xf32>) -> (tensor<?xf32>, tensor<4xf32>) {
  %y, %z = ssm.fused (%u = %u_[l] : tensor<?xf32>, %a = %A_[n] : tensor<4xf32>)
      -> ([l] : tensor<?xf32>, [n] : tensor<4xf32>) {
    %a2 = arith.mulf %a, %a : f32
    %h, %last = ssm.recurrence %a2, %u : f32
    %e = math.exp %h : f32
    %s = ssm.sum %e over n : f32
    ssm.yield %s, %last : f32, f32
  }
  return %y, %z : tensor<?xf32>, tensor<4xf32>
})");
}

TEST(CpuBody, OtherSchedules) {
  for (std::string schedule :
       {"vector = 1, items = 1", "vector = 8, items = 24",
        "vector = 32, items = 32", "vector = 4, items = 256"})
    expectBody(substitute(R"(
func.func @f(%u_: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 1, align = 4>}, %A_: tensor<?x3xf32>)
    -> tensor<?x?x?xf32> {
  %y = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %a = %A_[d, n] : tensor<?x3xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) schedule(#ssm.cpu_schedule<SCHEDULE>) {
    %a2 = arith.mulf %a, %a : f32
    %e = math.exp2 %u : f32
    %x = arith.mulf %e, %a2 : f32
    %h, %last = ssm.recurrence %a2, %x : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
})",
                          {{"SCHEDULE", schedule}}));
}

TEST(CpuBody, DoublePrecisionFunctions) {
  expectBody(R"(
func.func @f(%u_: tensor<?x?x?xf64>) -> tensor<?x?x?xf64> {
  %y = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf64>) -> ([b, l, d] : tensor<?x?x?xf64>) {
    %a = math.exp %u : f64
    %b = math.log1p %a : f64
    %c = math.expm1 %b : f64
    %d = math.erf %c : f64
    %e = math.tanh %d : f64
    %f = math.sin %e : f64
    %g = math.cos %f : f64
    %h = math.exp2 %g : f64
    %i = math.log %h : f64
    %j = math.sqrt %i : f64
    ssm.yield %j : f64
  }
  return %y : tensor<?x?x?xf64>
})");
}

/// Runs `body`, whose schedule is SCHEDULE, in chunks of several counts.
static void expectChunked(const std::string &body) {
  for (std::string chunks : {"2", "5"})
    expectBody(
        substitute(body, {{"SCHEDULE", "schedule(#ssm.cpu_schedule<vector = 4, "
                                       "items = 4, chunks = " +
                                           chunks + ">)"}}),
        {{2, 33, 9}, {1, 8, 4}, {1, 1, 3}, {1, 0, 2}, {2, 100, 8}});
}

TEST(CpuBody, Chunks) {
  for (std::string direction : {"", "reverse"})
    expectChunked(substitute(R"(
func.func @f(%u_: tensor<?x?x?xf32>, %A_: tensor<?x3xf32>, %C_: tensor<?x?x1x3xf32>, %h0_: tensor<?x?x3xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x3xf32>, tensor<?x3xf32>) {
  %0:3 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %a = %A_[d, n] : tensor<?x3xf32>,
                    %c = %C_[b, l, g, n] : tensor<?x?x1x3xf32>, %h0 = %h0_[b, d, n] : tensor<?x?x3xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x3xf32>, [d, n] : tensor<?x3xf32>) SCHEDULE {
    %size = math.absf %a : f32
    %x = arith.mulf %u, %u : f32
    %y = arith.mulf %x, %size : f32
    %ny = arith.negf %y : f32
    %decay = math.exp %ny : f32
    %in = arith.mulf %u, %c : f32
    %start = arith.addf %h0, %h0 : f32
    %h, %last = ssm.recurrence DIRECTION %decay, %in init(%start) : f32
    %hc = arith.mulf %h, %c : f32
    %s = ssm.sum %hc over n : f32
    ssm.yield %s, %last, %size : f32, f32, f32
  }
  return %0#0, %0#1, %0#2 : tensor<?x?x?xf32>, tensor<?x?x3xf32>, tensor<?x3xf32>
})",
                             {{"DIRECTION", direction}}));
}

TEST(CpuBody, ChunksOfSeveralRecurrences) {
  expectChunked(R"(
func.func @f(%u_: tensor<?x?x?xf32>, %p_: tensor<?x?xf32>, %A_: tensor<?x3xcomplex<f32>>, %G_: tensor<?x?x1x3xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?x?x3xf32>) {
  %0:4 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %p = %p_[b, l] : tensor<?x?xf32>,
                    %a = %A_[d, n] : tensor<?x3xcomplex<f32>>, %g = %G_[b, l, g, n] : tensor<?x?x1x3xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, l, d] : tensor<?x?x?xf32>, [b, l] : tensor<?x?xf32>,
          [b, l, d, n] : tensor<?x?x?x3xf32>) SCHEDULE {
    %half = arith.constant 0.5 : f32
    %zero = arith.constant 0.0 : f32
    %scale = complex.constant [0.6 : f32, 0.0 : f32] : complex<f32>
    %as = complex.mul %a, %scale : complex<f32>
    %uc = complex.create %u, %zero : complex<f32>
    %h, %lastH = ssm.recurrence %as, %uc : complex<f32>
    %s = ssm.sum %h over n : complex<f32>
    %y = complex.re %s : complex<f32>
    %k, %lastK = ssm.recurrence %half, %u : f32
    %q, %lastQ = ssm.recurrence %half, %p : f32
    %r, %lastR = ssm.recurrence %half, %g : f32
    ssm.yield %y, %k, %q, %r : f32, f32, f32, f32
  }
  return %0#0, %0#1, %0#2, %0#3 : tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?x?x3xf32>
})");
}

TEST(CpuBody, ChunksOfGroups) {
  const char *const source = R"(
func.func @f(%u_: tensor<?x?xCHxf32>, %G_: tensor<?x?x2x3xf32>) -> tensor<?x?xCHxf32> {
  %y = ssm.fused (%u = %u_[b, l, d] : tensor<?x?xCHxf32>, %g = %G_[b, l, g, n] : tensor<?x?x2x3xf32>)
      -> ([b, l, d] : tensor<?x?xCHxf32>) schedule(#ssm.cpu_schedule<vector = 4, items = 4, chunks = 3>) {
    %half = arith.constant 0.5 : f32
    %r, %last = ssm.recurrence %half, %g : f32
    %s = ssm.sum %r over n : f32
    %y = arith.mulf %s, %u : f32
    ssm.yield %y : f32
  }
  return %y : tensor<?x?xCHxf32>
})";
  expectBody(substitute(source, {{"CH", "16"}}), {{2, 30, 16}});
  expectBody(substitute(source, {{"CH", "6"}}), {{2, 30, 6}});
  expectBody(substitute(source, {{"CH", "?"}}), {{2, 30, 12}});
}

TEST(CpuBody, ChunksWithoutRecurrence) {
  expectChunked(R"(
func.func @f(%u_: tensor<?x?x?xf32>, %v_: tensor<?xf32>) -> (tensor<?x?x?xf32>, tensor<?xf32>) {
  %0:2 = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>, %v = %v_[d] : tensor<?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [d] : tensor<?xf32>) SCHEDULE {
    %x = arith.mulf %u, %v : f32
    %w = arith.mulf %v, %v : f32
    ssm.yield %x, %w : f32, f32
  }
  return %0#0, %0#1 : tensor<?x?x?xf32>, tensor<?xf32>
})");
}
