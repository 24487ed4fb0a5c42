//===- Product.h - The cheapest order of a product -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a fused body an op runs once a point of the axes it depends on, so the
// order of a product decides its cost: delta u B, as (delta u) B, multiplies
// delta and u once a step and channel, as (delta B) u once a state. Passes that
// build or rewrite products share this order.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_PRODUCT_H
#define MAMBA_PASSES_PRODUCT_H

#include "dialect/Dependence.h"
#include "mlir/IR/Builders.h"

namespace mlir::ssm {

/// A factor of a product: a real or complex scalar and its axes.
struct Factor {
  Value value;
  AxisSet axes;
};

/// An estimate of how often a value with `axes` is computed.
double pointsOf(AxisSet axes);

/// What buildProduct's multiplications of real `factors` cost, in points.
double costOfProduct(SmallVector<Factor> factors);

/// Multiplies `factors` (at least one), always the pair next whose product is
/// cheapest; of equal pairs the first. Real factors scale complex ones.
Value buildProduct(OpBuilder &builder, Location loc,
                   SmallVector<Factor> factors);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_PRODUCT_H
