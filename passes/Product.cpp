//===- Product.cpp - The cheapest order of a product ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Product.h"

#include "passes/ScalarBuilder.h"

using namespace mlir;
using namespace mlir::ssm;

double mlir::ssm::pointsOf(AxisSet axes) {
  // Extents of a usual layer: only their order matters, b < n < l, d. A group
  // is cheaper than a channel and dearer than nothing.
  constexpr std::pair<Axis, double> extents[] = {{Axis::Batch, 8},
                                                 {Axis::Length, 2048},
                                                 {Axis::Channel, 1024},
                                                 {Axis::State, 16},
                                                 {Axis::Group, 2}};
  double points = 1;
  for (auto [axis, extent] : extents)
    if (axes.has(axis) && !(axis == Axis::Group && axes.has(Axis::Channel)))
      points *= extent;
  return points;
}

static double costOf(const Factor &a, const Factor &b) {
  unsigned numComplex =
      isa<ComplexType>(a.value.getType()) + isa<ComplexType>(b.value.getType());
  // Real operations of the product.
  constexpr double operations[] = {1, 2, 6};
  return pointsOf(a.axes | b.axes) * operations[numComplex];
}

/// Joins the cheapest pair of `factors` with `multiply` until one is left.
static Factor
joinFactors(SmallVector<Factor> factors,
            function_ref<Value(const Factor &, const Factor &)> multiply) {
  while (factors.size() > 1) {
    size_t first = 0, second = 1;
    for (size_t i = 0; i < factors.size(); ++i)
      for (size_t j = i + 1; j < factors.size(); ++j)
        if (costOf(factors[i], factors[j]) <
            costOf(factors[first], factors[second]))
          std::tie(first, second) = std::pair(i, j);
    Factor &a = factors[first], &b = factors[second];
    a = {multiply(a, b), a.axes | b.axes};
    factors.erase(factors.begin() + second);
  }
  return factors.front();
}

double mlir::ssm::costOfProduct(SmallVector<Factor> factors) {
  double cost = 0;
  joinFactors(std::move(factors), [&](const Factor &a, const Factor &b) {
    cost += costOf(a, b);
    return a.value;
  });
  return cost;
}

Value mlir::ssm::buildProduct(OpBuilder &builder, Location loc,
                              SmallVector<Factor> factors) {
  ScalarBuilder scalars(builder, loc);
  auto multiply = [&](const Factor &a, const Factor &b) {
    return scalars.mul(a.value, b.value);
  };
  return joinFactors(std::move(factors), multiply).value;
}
