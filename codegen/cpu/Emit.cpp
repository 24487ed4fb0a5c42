//===- Emit.cpp - Short names for the ops of CPU kernels ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ssm::cpu;

Type mlir::ssm::cpu::wordType(Type type) {
  if (auto complexType = dyn_cast<ComplexType>(type))
    return complexType.getElementType();
  return type;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value Emit::i64(int64_t value) {
  return arith::ConstantOp::create(*this, getI64IntegerAttr(value));
}

Value Emit::add(Value a, Value b) { return createOrFold<arith::AddIOp>(a, b); }

Value Emit::sub(Value a, Value b) { return createOrFold<arith::SubIOp>(a, b); }

Value Emit::mul(Value a, Value b) {
  // Index arithmetic that folds away keeps the dumped kernel readable.
  if (matchPattern(a, m_Zero()) || matchPattern(b, m_Zero()))
    return i64(0);
  if (matchPattern(a, m_One()))
    return b;
  return createOrFold<arith::MulIOp>(a, b);
}

Value Emit::div(Value a, Value b) { return createOrFold<arith::DivSIOp>(a, b); }

Value Emit::rem(Value a, Value b) { return createOrFold<arith::RemSIOp>(a, b); }

Value Emit::min(Value a, Value b) { return createOrFold<arith::MinSIOp>(a, b); }

Value Emit::ceilDiv(Value a, int64_t b) {
  return div(add(a, i64(b - 1)), i64(b));
}

Value Emit::equals(Value a, int64_t b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, a, i64(b));
}

Value Emit::atLeast(Value a, int64_t b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sge, a, i64(b));
}

Value Emit::differ(Value a, Value b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ne, a, b);
}

Value Emit::either(Value a, Value b) {
  return createOrFold<arith::OrIOp>(a, b);
}

Value Emit::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return createOrFold<arith::AndIOp>(a, b);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value Emit::widen(Value value) {
  if (!value || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(*this, vectorOf(value.getType()), value);
}

Lanes Emit::widen(Lanes value) { return {widen(value.re), widen(value.im)}; }

Lanes Emit::zero(Type type, bool uniform) {
  Type word = wordType(type);
  Type held = uniform ? word : Type(vectorOf(word));
  Value zero = arith::ConstantOp::create(*this, getZeroAttr(held));
  return {zero, isa<ComplexType>(type) ? zero : nullptr};
}

Lanes Emit::one(Type type) {
  Value one =
      arith::ConstantOp::create(*this, getFloatAttr(wordType(type), 1.0));
  return {one, isa<ComplexType>(type) ? zero(type, true).im : nullptr};
}

Lanes Emit::sum(Lanes a, Lanes b) {
  if (a.isUniform() != b.isUniform()) {
    a = widen(a);
    b = widen(b);
  }
  auto add = [&](Value x, Value y) -> Value {
    if (!x)
      return nullptr;
    return arith::AddFOp::create(*this, x, y, arith::FastMathFlags::contract);
  };
  return {add(a.re, b.re), add(a.im, b.im)};
}

Lanes Emit::scale(Lanes a, double factor) {
  Type type = a.re.getType();
  Attribute scalar = getFloatAttr(getElementTypeOrSelf(type), factor);
  if (auto vector = dyn_cast<VectorType>(type))
    scalar = DenseElementsAttr::get(vector, scalar);
  Value factors = arith::ConstantOp::create(*this, cast<TypedAttr>(scalar));
  auto multiply = [&](Value x) -> Value {
    return x ? Value(arith::MulFOp::create(*this, x, factors)) : x;
  };
  return {multiply(a.re), multiply(a.im)};
}

Lanes Emit::multiplyAdd(Lanes a, Lanes b, Lanes c) {
  if (!(a.isUniform() && b.isUniform() && c.isUniform())) {
    a = widen(a);
    b = widen(b);
    c = widen(c);
  }
  auto fma = [&](Value x, Value y, Value z) -> Value {
    return math::FmaOp::create(*this, x, y, z);
  };
  if (!a.isComplex())
    return {fma(a.re, b.re, c.re), nullptr};
  Value negated = arith::NegFOp::create(*this, a.im);
  return {fma(a.re, b.re, fma(negated, b.im, c.re)),
          fma(a.re, b.im, fma(a.im, b.re, c.im))};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Emit::address(Value base, Value index, Type element) {
  return LLVM::GEPOp::create(*this, base.getType(), element, base,
                             ValueRange{index});
}

/// Only the alignment of an element is known of any address.
static unsigned alignmentOf(Type type) {
  return std::max(1u, getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8);
}

Value Emit::load(Type type, Value base, Value index) {
  return LLVM::LoadOp::create(*this, type,
                              address(base, index, getElementTypeOrSelf(type)),
                              alignmentOf(type));
}

void Emit::store(Value value, Value base, Value index) {
  Type type = value.getType();
  LLVM::StoreOp::create(*this, value,
                        address(base, index, getElementTypeOrSelf(type)),
                        alignmentOf(type));
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

SmallVector<Value>
Emit::loop(Value from, Value to, int64_t step, ValueRange init,
           function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, from, to, i64(step), init);
  {
    OpBuilder::InsertionGuard guard(*this);
    // Without carried values the op comes with its terminator.
    if (init.empty())
      setInsertionPoint(op.getBody()->getTerminator());
    else
      setInsertionPointToStart(op.getBody());
    SmallVector<Value> next =
        body(op.getInductionVar(), op.getRegionIterArgs());
    if (!init.empty())
      scf::YieldOp::create(*this, next);
  }
  return op.getResults();
}

void Emit::loop(Value from, Value to, int64_t step,
                function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

void Emit::ifThen(Value condition, function_ref<void()> then) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPoint(op.thenYield());
  then();
}

void Emit::ifElse(Value condition, function_ref<void()> then,
                  function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPoint(op.thenYield());
  then();
  setInsertionPoint(op.elseYield());
  otherwise();
}

Value Emit::ifElse(Type type, Value condition, function_ref<Value()> then,
                   function_ref<Value()> otherwise) {
  auto op = scf::IfOp::create(*this, TypeRange{type}, condition,
                              /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&op.getThenRegion().front());
  scf::YieldOp::create(*this, ValueRange{then()});
  setInsertionPointToStart(&op.getElseRegion().front());
  scf::YieldOp::create(*this, ValueRange{otherwise()});
  return op.getResult(0);
}
