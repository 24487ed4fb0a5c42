//===- Factors.cpp - What the cases of the suite vary ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Factors.h"

using namespace mamba;
using namespace mamba::numerics;

const std::vector<Factor> numerics::kMemory = {
    {"type", {"f32", "f16", "bf16"}},
    {"static", {"none", "d", "all"}},
    {"order", {"bld", "bdl", "lbd"}},
    {"pad", {"0", "3", "8"}},
    {"spacing", {"1", "2"}},
    {"offset", {"0", "1"}},
    {"broadcast", {"none", "b", "l", "d"}},
    {"store", {"f32", "act"}},
};

std::vector<Factor> numerics::operator+(std::vector<Factor> x,
                                        const std::vector<Factor> &y) {
  x.insert(x.end(), y.begin(), y.end());
  return x;
}

/// What a selective layer computes, whatever its extents.
static const std::vector<Factor> kSelectiveLayer = {
    {"G", {"1", "2", "D"}},
    {"rule", {"mamba", "zoh", "bilinear", "euler"}},
    {"complex", {"0", "1"}},
    {"reverse", {"0", "1"}},
    {"step", {"raw", "softplus", "bias"}},
    {"skip", {"0", "1"}},
    {"gate", {"none", "silu", "sigmoid", "gelu", "identity"}},
    {"init", {"none", "bdn", "dn"}},
    {"last", {"0", "1"}},
    {"out", {"y", "states", "both"}},
    {"bc", {"blgn", "bgnl"}},
};

const std::vector<Factor> numerics::kSelective =
    std::vector<Factor>{
        {"B", {"1", "2", "5"}},
        {"L",
         {"1", "2", "3", "31", "33", "48", "127", "129", "257", "1023", "1025",
          "2064", "4097", "65537"}},
        {"D", {"1", "3", "64", "100", "1536"}},
        {"N", {"1", "3", "8", "16", "64", "256"}},
    } +
    kSelectiveLayer +
    std::vector<Factor>{
        {"fill", {"usual", "large", "small"}},
    };

const std::vector<Factor> numerics::kSmallExtents = {
    {"B", {"1", "2", "5"}},
    {"L", {"1", "2", "33", "80", "129", "257", "1025", "1040", "4097"}},
    {"D", {"1", "3", "64", "100"}},
    {"reverse", {"0", "1"}},
    {"init", {"none", "bdn", "dn"}},
    {"last", {"0", "1"}},
};

const std::vector<Factor> numerics::kTimeInvariant = {
    {"N", {"1", "3", "16", "64"}},
    {"rule", {"mamba", "zoh", "bilinear", "euler"}},
    {"complex", {"0", "1"}},
    {"skip", {"0", "1"}},
    {"gate", {"none", "gelu"}},
    {"out", {"y", "states"}},
};

/// What a layer of several recurrences computes.
static const std::vector<Factor> kSeveralLayer = {
    {"N", {"1", "3", "16"}},
    {"G", {"1", "2", "D"}},
    {"rule", {"mamba", "zoh", "bilinear"}},
    {"complex", {"0", "1"}},
    {"gate", {"none", "silu"}},
    {"step", {"raw", "bias"}},
};

const std::vector<Factor> numerics::kOtherSelective =
    std::vector<Factor>{
        {"body", {"bidirectional", "two", "chained", "stacked"}},
    } +
    kSeveralLayer;

const std::vector<Factor> numerics::kWithoutStates = {
    {"body", {"mingru", "rglru"}},
};

const std::vector<Factor> numerics::kMath = {
    {"op",
     {"math.exp",
      "math.exp:wide",
      "math.exp2",
      "math.exp2:wide",
      "math.expm1",
      "math.log:positive",
      "math.log1p",
      "math.log2:positive",
      "math.log10:positive",
      "math.sqrt:positive",
      "math.rsqrt:positive",
      "math.cbrt",
      "math.sin",
      "math.sin:wide",
      "math.cos",
      "math.cos:wide",
      "math.tan",
      "math.tanh",
      "math.tanh:wide",
      "math.sinh",
      "math.cosh",
      "math.asin",
      "math.acos",
      "math.atan",
      "math.atan:wide",
      "math.asinh",
      "math.acosh:above1",
      "math.atanh:inner",
      "math.erf",
      "math.erf:wide",
      "math.erfc",
      "math.absf",
      "math.ceil:wide",
      "math.floor:wide",
      "math.round:wide",
      "math.roundeven:wide",
      "math.trunc:wide",
      "math.powf:positive",
      "math.atan2",
      "math.copysign",
      "arith.maximumf",
      "arith.minimumf",
      "arith.maxnumf",
      "arith.minnumf",
      "arith.divf:positive",
      "arith.subf",
      "arith.remf:wide"}},
    {"type", {"f32", "bf16"}},
    {"order", {"bld", "bdl"}},
};

const std::vector<Factor> numerics::kScheduled = {
    {"body", {"s6", "lti", "mingru", "two", "chained"}},
    {"type", {"f32", "bf16"}},
    {"B", {"1", "2"}},
    {"L", {"1", "3", "33", "80", "129", "256", "1025", "1040", "4097"}},
    {"D", {"1", "3", "64", "100"}},
    {"N", {"1", "3", "8", "16"}},
    {"G", {"1", "2", "D"}},
    {"complex", {"0", "1"}},
    {"reverse", {"0", "1"}},
    {"init", {"none", "bdn"}},
    {"order", {"bld", "bdl"}},
    {"bc", {"blgn", "bgnl"}},
    {"offset", {"0", "1"}},
};

const std::vector<Factor> numerics::kCpuKnobs = {
    {"vector", {"1", "4", "8", "16", "32"}},
    {"items", {"1", "3", "16", "64"}},
};

const std::vector<Factor> numerics::kCpuChunks = {
    {"chunks", {"1", "3", "8"}},
};

const std::vector<Factor> numerics::kCudaKnobs = {
    {"lanes", {"1", "2", "4", "8", "16", "32"}},
    {"items", {"1", "3", "4", "8", "16"}},
    {"channels", {"1", "2", "4"}},
    {"warps_l", {"1", "2", "3", "4", "8"}},
    {"warps_d", {"1", "2", "4"}},
    {"chunks", {"1", "3", "8"}},
    {"handoff", {"0", "1"}},
    {"relay", {"0", "1"}},
    {"unroll", {"1", "2", "4"}},
    {"stages", {"1", "2"}},
    {"prefetch", {"0", "1"}},
};

const std::vector<Factor> numerics::kSplitKnobs = {
    {"split", {"1"}},
    {"lanes", {"2", "4", "8"}},
    {"items", {"1", "3", "4", "8"}},
    {"channels", {"1", "2"}},
    {"warps_l", {"1", "3", "4"}},
    {"warps_d", {"1", "2"}},
    {"chunks", {"1", "3"}},
    {"handoff", {"0", "1"}},
    {"relay", {"0", "1"}},
    {"unroll", {"1", "2"}},
    {"stages", {"1", "2"}},
    {"prefetch", {"0", "1"}},
};

const std::vector<Factor> numerics::kGradient =
    std::vector<Factor>{
        {"B", {"1", "2", "5"}},
        {"L", {"1", "2", "33", "80", "129", "256", "257"}},
        {"D", {"1", "3", "20", "64"}},
        {"N", {"1", "3", "16", "64"}},
    } +
    kSelectiveLayer +
    std::vector<Factor>{
        {"save", {"0", "16", "64"}},
    };

const std::vector<Factor> numerics::kOtherGradient = {
    {"body", {"lti", "mingru", "rglru", "chained"}},
    {"B", {"1", "2", "5"}},
    {"L", {"1", "2", "33", "80", "129"}},
    {"D", {"1", "3", "20", "64"}},
    {"N", {"1", "3", "16"}},
    {"complex", {"0", "1"}},
    {"reverse", {"0", "1"}},
    {"init", {"none", "bdn", "dn"}},
    {"last", {"0", "1"}},
    {"save", {"0", "16", "64"}},
};

const std::vector<Factor> numerics::kSeveralGradient =
    std::vector<Factor>{
        {"body", {"bidirectional", "two", "stacked"}},
        {"B", {"1", "2"}},
        {"L", {"1", "2", "33", "80", "129"}},
        {"D", {"1", "3", "20", "64"}},
    } +
    kSeveralLayer +
    std::vector<Factor>{
        {"save", {"0", "16"}},
    };

const std::vector<Factor> numerics::kScheduledGradient = {
    {"body", {"s6", "lti", "mingru"}},
    {"type", {"f32", "bf16"}},
    {"B", {"1", "2"}},
    {"L", {"1", "3", "33", "80", "129", "256"}},
    {"D", {"1", "3", "20", "64"}},
    {"N", {"1", "3", "16", "48"}},
    {"G", {"1", "2", "D"}},
    {"complex", {"0", "1"}},
    {"reverse", {"0", "1"}},
    {"init", {"none", "bdn", "dn"}},
    {"order", {"bld", "bdl"}},
    {"bc", {"blgn", "bgnl"}},
    {"save", {"0", "1", "8", "32"}},
};

const std::vector<Factor> numerics::kManyStatesGradient = {
    {"type", {"f32", "bf16"}}, {"B", {"1", "2"}},
    {"D", {"3", "10"}},        {"G", {"1", "2"}},
    {"reverse", {"0", "1"}},   {"init", {"none", "bdn"}},
    {"order", {"bld", "bdl"}}, {"save", {"0", "16"}},
};

const std::vector<Factor> numerics::kRandomShapes = {
    {"B", {"1", "2", "5"}},
    {"L",
     {"1", "2", "3", "7", "31", "32", "33", "64", "112", "129", "256", "257"}},
    {"D", {"1", "3", "20", "64", "100"}},
    {"N", {"1", "3", "8", "16"}},
    {"G", {"1", "2", "D"}},
    {"reverse", {"0", "1"}},
};
