//===- Factors.h - What the cases of the suite vary -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each list is a part of a covering design; Suite.cpp says which belong
// together.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_FACTORS_H
#define MAMBA_TEST_E2E_NUMERICS_FACTORS_H

#include "test/e2e/numerics/Cover.h"

namespace mamba::numerics {

/// The factors of both.
std::vector<Factor> operator+(std::vector<Factor> x,
                              const std::vector<Factor> &y);

extern const std::vector<Factor> kMemory;
/// The S6 layer with all its options and every promised extent.
extern const std::vector<Factor> kSelective;
extern const std::vector<Factor> kSmallExtents;
extern const std::vector<Factor> kTimeInvariant;
extern const std::vector<Factor> kOtherSelective;
extern const std::vector<Factor> kWithoutStates;
extern const std::vector<Factor> kMath;
extern const std::vector<Factor> kScheduled;
extern const std::vector<Factor> kCpuKnobs;
extern const std::vector<Factor> kCpuChunks;
extern const std::vector<Factor> kCudaKnobs;
/// Of schedules whose lanes split the states.
extern const std::vector<Factor> kSplitKnobs;
/// Gradients of layers with all their options.
extern const std::vector<Factor> kGradient;
extern const std::vector<Factor> kOtherGradient;
/// Of several recurrences, beside each other or one behind the other.
extern const std::vector<Factor> kSeveralGradient;
extern const std::vector<Factor> kScheduledGradient;
/// Of so many states that sums over channels are added by groups.
extern const std::vector<Factor> kManyStatesGradient;
extern const std::vector<Factor> kRandomShapes;

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_FACTORS_H
