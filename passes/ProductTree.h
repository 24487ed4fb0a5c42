//===- ProductTree.h - The products of a fused body ------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_PRODUCTTREE_H
#define MAMBA_PASSES_PRODUCTTREE_H

#include "passes/Product.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::ssm {

/// A real product of a body, flattened: a constant times factors. It ends at
/// values that something else uses too, at products that must not be
/// reassociated, and where it gets too large to search for the best order.
class ProductTree {
public:
  /// Flattens `root`. `throughShared` goes on into products with other uses,
  /// which stay as they are.
  ProductTree(Value root, const Dependence &dependence,
              bool throughShared = false);

  /// True where `op` is a product or a sign that a tree may take apart.
  static bool isInner(Operation *op);

  double constant = 1;
  SmallVector<Factor> factors;
  /// Ops that only the product needs.
  SmallVector<Operation *> ops;

  /// What `ops` cost, and what build() would, in points.
  double cost = 0;
  double costOfBuild() const;
  /// Writes the product in the cheapest order.
  Value build(OpBuilder &builder, Location loc, Type type) const;

private:
  void flatten(Value value, unsigned depth, bool isShared);
  SmallVector<Factor> withConstant(OpBuilder *builder, Location loc,
                                   Type type) const;

  const Dependence *dependence;
  bool throughShared;
};

} // namespace mlir::ssm

#endif // MAMBA_PASSES_PRODUCTTREE_H
