//===- BodyEmitter.cpp - One op of a fused body, on vectors ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BodyEmitter.h"
#include "codegen/cpu/ComplexEmitter.h"
#include "dialect/BodyOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

static bool touchesComplex(Operation &op) {
  auto isComplex = [](Type type) { return isa<ComplexType>(type); };
  return llvm::any_of(op.getOperandTypes(), isComplex) ||
         llvm::any_of(op.getResultTypes(), isComplex);
}

LogicalResult mlir::ssm::cpu::verifyEmittable(Operation &op) {
  if (!touchesComplex(op) || hasComplexCode(op))
    return success();
  return op.emitOpError("has no CPU code; complex bodies may use create, re, "
                        "im, constant, add, sub, mul, div, neg, conj, abs, "
                        "exp, expm1, log, sqrt, eq, neq and arith.select");
}

/// A body's products and sums may contract into a fused multiply-add: the
/// dialect says so. Reciprocals are left to GPUs: LLVM's refine an estimate,
/// and make NaN of a quotient by infinity. A rounding stays where it is: MLIR
/// takes extf(truncf(x)) for x where both may contract.
static void allowContraction(Operation *op) {
  auto flags = dyn_cast<arith::ArithFastMathInterface>(op);
  if (!flags || isa<CastOpInterface>(op))
    return;
  arith::FastMathFlags set = arith::FastMathFlags::contract;
  if (arith::FastMathFlagsAttr given = flags.getFastMathFlagsAttr())
    set = set | (given.getValue() & ~arith::FastMathFlags::arcp);
  op->setAttr(flags.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(op->getContext(), set));
}

/// The same of f32: lanes, or one number.
static Type inSingle(Type type) {
  Type single = Float32Type::get(type.getContext());
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.clone(single) : single;
}

static bool computesInHalves(Operation *op) {
  return isHalf(op->getResult(0).getType()) &&
         isa<arith::ArithFastMathInterface>(op) && !isa<CastOpInterface>(op);
}

/// Emits what computes in halves, in f32, and rounds: LLVM's own way of doing
/// so keeps some roundings back. Nothing contracts, as each result is rounded.
static Value emitInSingle(Emit &e, Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    if (Type type = operand.get().getType(); isHalf(type))
      operand.set(arith::ExtFOp::create(e, inSingle(type), operand.get()));
  OpResult result = op->getResult(0);
  Type half = result.getType();
  result.setType(inSingle(half));
  e.insert(op);
  return arith::TruncFOp::create(e, half, result);
}

SmallVector<Lanes> mlir::ssm::cpu::emitBodyOp(Emit &e, Operation &op,
                                              ArrayRef<Lanes> operands) {
  auto isUniform = [](const Lanes &lanes) { return lanes.isUniform(); };
  bool uniform = llvm::all_of(operands, isUniform);
  SmallVector<Lanes> inputs(operands);
  if (!uniform)
    for (Lanes &input : inputs)
      input = e.widen(input);
  if (touchesComplex(op))
    return {emitComplexOp(e, op, inputs)};
  Operation *copy = op.cloneWithoutRegions();
  for (auto [i, input] : llvm::enumerate(inputs))
    copy->setOperand(i, input.re);
  if (!uniform)
    for (OpResult result : copy->getResults())
      result.setType(e.vectorOf(result.getType()));
  allowContraction(copy);
  if (computesInHalves(copy))
    return {{emitInSingle(e, copy), nullptr}};
  e.insert(copy);
  SmallVector<Lanes> results;
  for (Value result : copy->getResults())
    results.push_back({result, nullptr});
  return results;
}
