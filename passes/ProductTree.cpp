//===- ProductTree.cpp - The products of a fused body ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ProductTree.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

/// The order is found in cubic time, by recursion: far more than a layer needs
/// and far less than hurts.
static constexpr unsigned kMaxDepth = 24, kMaxFactors = 32;

bool ProductTree::isInner(Operation *op) {
  return isa_and_present<arith::NegFOp>(op) || isOpenProduct(op);
}

ProductTree::ProductTree(Value root, const Dependence &dependence,
                         bool throughShared)
    : dependence(&dependence), throughShared(throughShared) {
  flatten(root, /*depth=*/0, /*isShared=*/false);
}

/// The constant that `value` is, where it may join others without overflow.
static std::optional<double> constantOf(Value value) {
  APFloat constant(0.0);
  if (!matchPattern(value, m_ConstantFloat(&constant)))
    return std::nullopt;
  bool isLossy;
  constant.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &isLossy);
  double number = constant.convertToDouble();
  double size = std::abs(number);
  return size > 1e-6 && size < 1e6 ? std::optional(number) : std::nullopt;
}

void ProductTree::flatten(Value value, unsigned depth, bool isShared) {
  if (std::optional<double> number = constantOf(value)) {
    // Four constants stay far from the limits of f32.
    double product = constant * *number;
    if (std::abs(product) > 1e-24 && std::abs(product) < 1e24) {
      constant = product;
      return;
    }
  }
  Operation *op = value.getDefiningOp();
  isShared |= depth > 0 && !value.hasOneUse();
  const ValueInfo &info = dependence->of(value);
  bool isFull = depth == kMaxDepth || factors.size() >= kMaxFactors;
  if (!isInner(op) || isFull || (isShared && !throughShared)) {
    factors.push_back({value, info.axes});
    return;
  }
  if (!isShared) {
    ops.push_back(op);
    cost += pointsOf(info.axes);
  }
  if (isa<arith::NegFOp>(op))
    constant = -constant;
  for (Value operand : op->getOperands())
    flatten(operand, depth + 1, isShared);
}

/// The factors with what is left of the constant: a factor without axes, or a
/// sign on the factor of fewest points. Without a builder, for their cost.
SmallVector<Factor> ProductTree::withConstant(OpBuilder *builder, Location loc,
                                              Type type) const {
  SmallVector<Factor> list = factors;
  if (constant == 1 && !list.empty())
    return list;
  if (constant == -1 && !list.empty()) {
    if (builder) {
      Factor *least = llvm::min_element(list, [](auto &a, auto &b) {
        return pointsOf(a.axes) < pointsOf(b.axes);
      });
      least->value = arith::NegFOp::create(*builder, loc, least->value);
    }
    return list;
  }
  Value value;
  if (builder)
    value = arith::ConstantOp::create(*builder, loc,
                                      builder->getFloatAttr(type, constant));
  else
    value = factors.empty() ? Value() : factors.front().value;
  list.push_back({value, {}});
  return list;
}

double ProductTree::costOfBuild() const {
  if (factors.empty())
    return 0;
  Value any = factors.front().value;
  double sign = 0;
  if (constant == -1) {
    sign = INFINITY;
    for (const Factor &factor : factors)
      sign = std::min(sign, pointsOf(factor.axes));
  }
  return sign +
         costOfProduct(withConstant(nullptr, any.getLoc(), any.getType()));
}

Value ProductTree::build(OpBuilder &builder, Location loc, Type type) const {
  return buildProduct(builder, loc, withConstant(&builder, loc, type));
}
