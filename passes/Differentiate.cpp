//===- Differentiate.cpp - The backward function of a function ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "passes/DifferentiateModel.h"
#include "passes/DifferentiateScalar.h"
#include "passes/ExpandFused.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_DIFFERENTIATEPASS
#include "passes/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

static bool hasTensorGradient(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && hasGradient(tensor.getElementType());
}

/// Values that depend on an argument with a gradient.
static DenseSet<Value> activeValues(func::FuncOp function) {
  DenseSet<Value> active;
  for (Value argument : function.getArguments())
    if (hasTensorGradient(argument.getType()))
      active.insert(argument);
  for (Operation &op : function.getBody().front()) {
    bool depends = false;
    op.walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        depends |= active.contains(operand);
    });
    for (Value result : op.getResults())
      if (depends && hasGradient(getElementTypeOrSelf(result.getType())))
        active.insert(result);
  }
  return active;
}

//===----------------------------------------------------------------------===//
// The new function
//===----------------------------------------------------------------------===//

/// Those of the gradient of argument or result number `i`. Layouts stay.
static DictionaryAttr gradientAttributes(OpBuilder &builder,
                                         DictionaryAttr attributes,
                                         StringRef kind, unsigned i) {
  NamedAttrList result;
  StringAttr name;
  if (attributes) {
    name = attributes.getAs<StringAttr>(kNameAttrName);
    if (Attribute layout = attributes.get(kLayoutAttrName))
      result.set(kLayoutAttrName, layout);
  }
  result.set(kNameAttrName, builder.getStringAttr(gradientName(name, kind, i)));
  return result.getDictionary(builder.getContext());
}

/// (arguments, gradients of results) -> gradients of arguments, without a body.
static func::FuncOp declareBackward(OpBuilder &builder, func::FuncOp forward,
                                    StringRef name) {
  SmallVector<Type> inputs(forward.getArgumentTypes()), results;
  SmallVector<DictionaryAttr> inputAttributes, resultAttributes;
  for (unsigned i = 0; i < forward.getNumArguments(); ++i) {
    DictionaryAttr attributes = forward.getArgAttrDict(i);
    inputAttributes.push_back(attributes ? attributes
                                         : builder.getDictionaryAttr({}));
    if (!hasTensorGradient(inputs[i]))
      continue;
    results.push_back(inputs[i]);
    resultAttributes.push_back(
        gradientAttributes(builder, attributes, "argument", i));
  }
  for (unsigned i = 0; i < forward.getNumResults(); ++i) {
    if (!hasTensorGradient(forward.getResultTypes()[i]))
      continue;
    inputs.push_back(forward.getResultTypes()[i]);
    inputAttributes.push_back(
        gradientAttributes(builder, forward.getResultAttrDict(i), "result", i));
  }
  auto backward =
      func::FuncOp::create(builder, forward.getLoc(), name,
                           builder.getFunctionType(inputs, results));
  backward.setAllArgAttrs(inputAttributes);
  backward.setAllResultAttrs(resultAttributes);
  return backward;
}

/// Forward's ops, their adjoints in the other order, and the gradients.
static LogicalResult fillBackward(func::FuncOp forward, func::FuncOp backward) {
  Block *block = backward.addEntryBlock();
  OpBuilder builder = OpBuilder::atBlockEnd(block);
  Block &source = forward.getBody().front();
  IRMapping mapping;
  for (auto [from, to] :
       llvm::zip(source.getArguments(), block->getArguments()))
    mapping.map(from, to);
  for (Operation &op : source.without_terminator())
    builder.clone(op, mapping);
  SmallVector<Value> results =
      llvm::map_to_vector(source.getTerminator()->getOperands(),
                          [&](Value value) { return mapping.lookup(value); });
  auto ends = func::ReturnOp::create(builder, forward.getLoc(), results);
  if (failed(expandFused(*block)))
    return failure();
  results = llvm::to_vector(ends.getOperands());
  ends.erase();
  SmallVector<Operation *> ops =
      llvm::map_to_vector(*block, [](Operation &op) { return &op; });
  DenseSet<Value> active = activeValues(backward);
  ModelAdjoints adjoints(builder, active);
  ArrayRef<BlockArgument> given =
      block->getArguments().drop_front(forward.getNumArguments());
  for (Value value : results)
    if (hasTensorGradient(value.getType())) {
      adjoints.add(value, given.front());
      given = given.drop_front();
    }
  for (Operation *op : llvm::reverse(ops))
    if (failed(adjoints.visit(op)))
      return failure();
  SmallVector<Value> gradients;
  for (BlockArgument argument :
       block->getArguments().take_front(forward.getNumArguments())) {
    if (!hasTensorGradient(argument.getType()))
      continue;
    Value gradient = adjoints.of(argument);
    gradients.push_back(gradient ? gradient : adjoints.zerosLike(argument));
  }
  func::ReturnOp::create(builder, forward.getLoc(), gradients);
  dropDead(*block);
  return success();
}

namespace {
struct DifferentiatePass : ssm::impl::DifferentiatePassBase<DifferentiatePass> {
  using DifferentiatePassBase::DifferentiatePassBase;
  void runOnOperation() override {
    auto wanted = getOperation().lookupSymbol<func::FuncOp>(function);
    if (!function.empty() && (!wanted || wanted.isExternal())) {
      getOperation().emitError(
          "cannot be differentiated: there is no function @")
          << function << " with a body";
      return signalPassFailure();
    }
    for (func::FuncOp forward :
         llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!forward.isExternal() &&
          (function.empty() || forward.getName() == function) &&
          failed(differentiate(forward)))
        return signalPassFailure();
  }

private:
  static LogicalResult differentiate(func::FuncOp forward);
};
} // namespace

LogicalResult DifferentiatePass::differentiate(func::FuncOp forward) {
  if (!forward.getBody().hasOneBlock())
    return forward.emitError("cannot be differentiated: found ")
           << forward.getBody().getBlocks().size()
           << " blocks, expected one without control flow";
  std::string name = (forward.getName() + "_backward").str();
  if (SymbolTable::lookupSymbolIn(forward->getParentOp(), name))
    return forward.emitError("cannot be differentiated: there is a function @")
           << name << " already";
  OpBuilder builder(forward);
  builder.setInsertionPointAfter(forward);
  return fillBackward(forward, declareBackward(builder, forward, name));
}
