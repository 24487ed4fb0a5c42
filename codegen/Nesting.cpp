//===- Nesting.cpp - How deep parsed IR nests -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes, types and affine expressions are shared, so that a few of them
// may stand for a tree without end: what is below one is measured once.
//
//===----------------------------------------------------------------------===//

#include "codegen/Nesting.h"

#include "codegen/SourceFile.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/IntegerSet.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Measures values; once one is too deep, nothing further is looked at.
class NestingMeter {
public:
  LogicalResult check(Operation *op, unsigned above);

private:
  /// Levels of `value`, itself included. `above` are those that it is below.
  unsigned levels(Attribute value, unsigned above);
  unsigned levels(Type value, unsigned above);
  unsigned levels(AffineExpr value, unsigned above);

  /// levels() by way of what is known; `below` measures the parts of `value`
  /// and returns the most levels among them.
  unsigned remember(const void *value, unsigned above,
                    llvm::function_ref<unsigned()> below);
  /// The most levels among the parts of a value.
  unsigned expressionsOf(Attribute value, unsigned above);
  template <typename T> unsigned subElementsOf(T value, unsigned above);
  LogicalResult checkValues(Operation *op);

  llvm::DenseMap<const void *, unsigned> known;
  bool isTooDeep = false;
};

} // namespace

unsigned NestingMeter::remember(const void *value, unsigned above,
                                llvm::function_ref<unsigned()> below) {
  auto entry = known.find(value);
  unsigned here = entry == known.end() ? 1 : entry->second;
  isTooDeep |= above + here > kMaxNesting;
  if (isTooDeep || entry != known.end())
    return here;
  here += below();
  known[value] = here;
  return here;
}

/// Affine expressions are no sub-elements of the attributes that hold them.
unsigned NestingMeter::expressionsOf(Attribute value, unsigned above) {
  ArrayRef<AffineExpr> expressions;
  if (auto map = dyn_cast<AffineMapAttr>(value))
    expressions = map.getValue().getResults();
  else if (auto set = dyn_cast<IntegerSetAttr>(value))
    expressions = set.getValue().getConstraints();
  unsigned most = 0;
  for (AffineExpr expression : expressions)
    most = std::max(most, levels(expression, above));
  return most;
}

template <typename T>
unsigned NestingMeter::subElementsOf(T value, unsigned above) {
  unsigned most = 0;
  auto measure = [&](auto part) { most = std::max(most, levels(part, above)); };
  value.walkImmediateSubElements(measure, measure);
  return most;
}

unsigned NestingMeter::levels(Attribute value, unsigned above) {
  return remember(value.getAsOpaquePointer(), above, [&] {
    unsigned expressions = expressionsOf(value, above + 1);
    return std::max(expressions, subElementsOf(value, above + 1));
  });
}

unsigned NestingMeter::levels(Type value, unsigned above) {
  return remember(value.getAsOpaquePointer(), above,
                  [&] { return subElementsOf(value, above + 1); });
}

unsigned NestingMeter::levels(AffineExpr value, unsigned above) {
  return remember(value.getAsOpaquePointer(), above, [&]() -> unsigned {
    auto binary = dyn_cast<AffineBinaryOpExpr>(value);
    return binary ? std::max(levels(binary.getLHS(), above + 1),
                             levels(binary.getRHS(), above + 1))
                  : 0;
  });
}

/// Errors are at the location, not of the op: nothing prints what is too deep.
LogicalResult NestingMeter::checkValues(Operation *op) {
  levels(Attribute(op->getAttrDictionary()), 0);
  levels(Attribute(op->getLoc()), 0);
  for (Type type : op->getResultTypes())
    levels(type, 0);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments()) {
        levels(argument.getType(), 0);
        levels(Attribute(argument.getLoc()), 0);
      }
  if (isTooDeep)
    return emitError(op->getLoc(), "attributes, types or locations of '")
           << op->getName() << "' nest deeper than " << kMaxNesting
           << " levels";
  return success();
}

LogicalResult NestingMeter::check(Operation *op, unsigned above) {
  if (above > kMaxNesting)
    return emitError(op->getLoc(), "regions nest deeper than ")
           << kMaxNesting << " levels";
  if (failed(checkValues(op)))
    return failure();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Operation &nested : block)
        if (failed(check(&nested, above + 1)))
          return failure();
  return success();
}

LogicalResult mlir::ssm::checkNesting(Operation *op) {
  return NestingMeter().check(op, 1);
}
