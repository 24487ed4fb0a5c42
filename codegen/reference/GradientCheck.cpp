//===- GradientCheck.cpp - Gradients against differences ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/GradientCheck.h"

#include "codegen/reference/Reference.h"
#include "codegen/reference/ScalarOps.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::ssm;

/// Balances the rounding of L, 1e-16 / s, and the curvature, s^2.
static constexpr double kStep = 1e-5;

/// Of L: a slope that differences of rounded values still show.
static constexpr double kVisible = 1e-5;

/// sum of re(conj(weight) result), whose gradient is the weight.
static FailureOr<double> loss(func::FuncOp forward,
                              ArrayRef<ReferenceTensor> arguments,
                              ArrayRef<ReferenceTensor> weights) {
  auto results = evaluateReference(forward, arguments);
  if (failed(results))
    return failure();
  double sum = 0;
  for (auto [result, weight] : llvm::zip_equal(*results, weights))
    for (int64_t i = 0; i < result.numElements(); ++i)
      sum += (std::conj(weight.get(i)) * result.get(i)).real();
  return sum;
}

static ReferenceTensor moved(const ReferenceTensor &from,
                             const ReferenceTensor &direction, double step) {
  ReferenceTensor to = from;
  for (int64_t i = 0; i < to.numElements(); ++i)
    to.set(i, from.get(i) + step * direction.get(i));
  return to;
}

/// A rounded function is one of steps, whose slopes are none.
static OwningOpRef<func::FuncOp> withoutRoundings(func::FuncOp function) {
  OwningOpRef<func::FuncOp> exact(function.clone());
  exact->walk([](Operation *op) {
    if (isRounded(op))
      op->setDiscardableAttr(kExactAttrName, UnitAttr::get(op->getContext()));
  });
  return exact;
}

FailureOr<SmallVector<double>>
mlir::ssm::checkGradients(func::FuncOp rounded, func::FuncOp roundedBackward,
                          ArrayRef<ReferenceTensor> inputs, uint64_t seed) {
  OwningOpRef<func::FuncOp> exact = withoutRoundings(rounded),
                            exactBackward = withoutRoundings(roundedBackward);
  func::FuncOp forward = *exact, backward = *exactBackward;
  auto gradients = evaluateReference(backward, inputs);
  if (failed(gradients))
    return failure();
  SmallVector<ReferenceTensor> arguments(
      inputs.take_front(forward.getNumArguments()));
  ArrayRef<ReferenceTensor> weights =
      inputs.drop_front(forward.getNumArguments());
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> distribution(-1, 1);
  SmallVector<double> errors;
  for (auto [k, gradient] : llvm::enumerate(*gradients)) {
    ReferenceTensor direction = gradient, start = arguments[k];
    double slope = 0, squares = 0;
    for (int64_t i = 0; i < gradient.numElements(); ++i) {
      double re = distribution(random);
      direction.set(i, {re, gradient.isComplex ? distribution(random) : 0.0});
      double term = (std::conj(gradient.get(i)) * direction.get(i)).real();
      slope += term;
      squares += term * term;
    }
    arguments[k] = moved(start, direction, kStep);
    FailureOr<double> above = loss(forward, arguments, weights);
    arguments[k] = moved(start, direction, -kStep);
    FailureOr<double> below = loss(forward, arguments, weights);
    arguments[k] = start;
    if (failed(above) || failed(below))
      return failure();
    double difference = std::abs((*above - *below) / (2 * kStep) - slope);
    double scale = std::sqrt(squares) + kVisible * std::abs(*above);
    errors.push_back(difference == 0 ? 0 : difference / scale);
  }
  return errors;
}
