//===- Emit.cpp - Short names for the ops that kernels are made of --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ssm;

SmallVector<Value> mlir::ssm::wordsOf(ArrayRef<Number> numbers) {
  SmallVector<Value> words;
  for (const Number &number : numbers)
    words.append(number.words());
  return words;
}

Number mlir::ssm::takeNumber(ArrayRef<Value> &words, bool isComplex) {
  Number number = {words[0], isComplex ? words[1] : Value()};
  words = words.drop_front(isComplex ? 2 : 1);
  return number;
}

SmallVector<Number> mlir::ssm::takeNumbers(ArrayRef<Value> &words,
                                           int64_t count, bool isComplex) {
  SmallVector<Number> numbers;
  for (int64_t k = 0; k < count; ++k)
    numbers.push_back(takeNumber(words, isComplex));
  return numbers;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value Emit::i32(int64_t value) {
  return arith::ConstantIntOp::create(*this, value, 32);
}

Value Emit::i64(int64_t value) {
  return arith::ConstantIntOp::create(*this, value, 64);
}

/// `value` as a constant of the type of `like`.
static Value constantLike(Emit &e, Value like, int64_t value) {
  return like.getType().isInteger(64) ? e.i64(value) : e.i32(value);
}

static constexpr auto kNoSignedWrap = arith::IntegerOverflowFlags::nsw;

/// x and c where `value` is x + c, with a constant c.
static std::optional<std::pair<Value, int64_t>> splitConstant(Value value) {
  auto sum = value.getDefiningOp<arith::AddIOp>();
  std::optional<int64_t> constant =
      sum ? getConstantIntValue(sum.getRhs()) : std::nullopt;
  if (!constant)
    return std::nullopt;
  return std::pair(sum.getLhs(), *constant);
}

Value Emit::add(Value a, Value b) {
  bool isConstant = getConstantIntValue(b).has_value();
  if (auto split = splitConstant(a); split && !isConstant && keepsConstantsLast)
    return add(add(split->first, b), split->second);
  if (auto split = splitConstant(b); split && keepsConstantsLast)
    return add(add(a, split->first), split->second);
  return createOrFold<arith::AddIOp>(a, b, kNoSignedWrap);
}
Value Emit::sub(Value a, Value b) {
  return createOrFold<arith::SubIOp>(a, b, kNoSignedWrap);
}
Value Emit::mul(Value a, Value b) {
  return createOrFold<arith::MulIOp>(a, b, kNoSignedWrap);
}
// Extents and ids are never negative: unsigned division is shorter code.
Value Emit::div(Value a, Value b) { return createOrFold<arith::DivUIOp>(a, b); }
Value Emit::rem(Value a, Value b) { return createOrFold<arith::RemUIOp>(a, b); }
Value Emit::min(Value a, Value b) { return createOrFold<arith::MinSIOp>(a, b); }
Value Emit::max(Value a, Value b) { return createOrFold<arith::MaxSIOp>(a, b); }
Value Emit::mul(Value a, int64_t b) {
  if (auto split = splitConstant(a); split && keepsConstantsLast)
    return add(mul(split->first, b), split->second * b);
  return mul(a, constantLike(*this, a, b));
}
Value Emit::add(Value a, int64_t b) {
  return add(a, constantLike(*this, a, b));
}
Value Emit::div(Value a, int64_t b) {
  return div(a, constantLike(*this, a, b));
}
Value Emit::rem(Value a, int64_t b) {
  return rem(a, constantLike(*this, a, b));
}

Value Emit::ceilDiv(Value a, int64_t b) { return div(add(a, b - 1), b); }

Value Emit::lessThan(Value a, Value b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt, a, b);
}

Value Emit::equals(Value a, Value b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, a, b);
}

Value Emit::equals(Value a, int64_t b) {
  return equals(a, constantLike(*this, a, b));
}

Value Emit::always() { return arith::ConstantIntOp::create(*this, 1, 1); }

Value Emit::conjunction(Value a, Value b) {
  return createOrFold<arith::AndIOp>(a, b);
}

Value Emit::disjunction(Value a, Value b) {
  return createOrFold<arith::OrIOp>(a, b);
}

Value Emit::negation(Value a) {
  return createOrFold<arith::XOrIOp>(a, always());
}

Value Emit::toI64(Value value) {
  if (value.getType().isInteger(64))
    return value;
  return createOrFold<arith::ExtSIOp>(getI64Type(), value);
}

Value Emit::toI32(Value value) {
  if (value.getType().isInteger(32))
    return value;
  return createOrFold<arith::TruncIOp>(getI32Type(), value);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

SmallVector<Type, 2> mlir::ssm::wordTypes(Type type) {
  if (auto complexType = dyn_cast<ComplexType>(type))
    return {complexType.getElementType(), complexType.getElementType()};
  return {type};
}

Number Emit::constant(Type type, double re) {
  // Half precision is f32 in registers.
  Type real = wordTypes(type).front();
  if (real.isF16() || real.isBF16())
    real = getF32Type();
  auto make = [&](double value) -> Value {
    return arith::ConstantOp::create(*this, getFloatAttr(real, value));
  };
  return {make(re), isa<ComplexType>(type) ? make(0.0) : Value()};
}

/// Products and sums may contract into a fused multiply-add.
static constexpr auto kContract = arith::FastMathFlags::contract;

static Value addWords(Emit &e, Value a, Value b) {
  return arith::AddFOp::create(e, a, b, kContract);
}
static Value mulWords(Emit &e, Value a, Value b) {
  return arith::MulFOp::create(e, a, b, kContract);
}
/// a * b + c. One op: were it two, a back end might join the product that c is
/// to the sum instead, and put a multiplication in the way of the next step.
static Value fmaWords(Emit &e, Value a, Value b, Value c) {
  return math::FmaOp::create(e, a, b, c, kContract);
}
static Value negate(Emit &e, Value a) {
  return arith::NegFOp::create(e, a, kContract);
}

Number Emit::addf(Number a, Number b) {
  if (!a.isComplex())
    return {addWords(*this, a.re, b.re), nullptr};
  return {addWords(*this, a.re, b.re), addWords(*this, a.im, b.im)};
}

/// i a * b + c, for a real a and complex b and c.
static Number addImaginary(Emit &e, Value a, Number b, Number c) {
  return {fmaWords(e, negate(e, a), b.im, c.re), fmaWords(e, a, b.re, c.im)};
}

Number Emit::mulf(Number a, Number b) {
  Value re = mulWords(*this, a.re, b.re);
  if (!a.isComplex())
    return {re, nullptr};
  return addImaginary(*this, a.im, b, {re, mulWords(*this, a.re, b.im)});
}

Number Emit::fma(Number a, Number b, Number c) {
  Value re = fmaWords(*this, a.re, b.re, c.re);
  if (!a.isComplex())
    return {re, nullptr};
  return addImaginary(*this, a.im, b, {re, fmaWords(*this, a.re, b.im, c.im)});
}

Number Emit::select(Value condition, Number a, Number b) {
  auto pick = [&](Value x, Value y) -> Value {
    return arith::SelectOp::create(*this, condition, x, y);
  };
  return {pick(a.re, b.re), a.isComplex() ? pick(a.im, b.im) : Value()};
}

Number Emit::swapLanes(Number number, int64_t distance) {
  auto word = [&](Value value) -> Value {
    return gpu::ShuffleOp::create(*this, value, i32(distance), i32(32),
                                  gpu::ShuffleMode::XOR)
        .getShuffleResult();
  };
  return {word(number.re), number.isComplex() ? word(number.im) : Value()};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Emit::offset(Value base, Value elements, Type type) {
  // LLVM has no complex type: such a number is two reals side by side.
  if (auto complex = dyn_cast<ComplexType>(type))
    type = LLVM::LLVMArrayType::get(complex.getElementType(), 2);
  return LLVM::GEPOp::create(*this, base.getType(), type, base,
                             ArrayRef<LLVM::GEPArg>{elements},
                             LLVM::GEPNoWrapFlags::inbounds);
}

Value Emit::offset(Value base, int64_t bytes) {
  if (bytes == 0)
    return base;
  return LLVM::GEPOp::create(
      *this, base.getType(), getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)},
      LLVM::GEPNoWrapFlags::inbounds);
}

Value Emit::load(Type type, Value address, unsigned alignment, bool invariant) {
  auto op = LLVM::LoadOp::create(*this, type, address, alignment);
  op.setInvariant(invariant);
  return op;
}

void Emit::store(Value value, Value address, unsigned alignment) {
  LLVM::StoreOp::create(*this, value, address, alignment);
}

SmallVector<Number> Emit::loadNumbers(Value address, int64_t count,
                                      bool isComplex) {
  SmallVector<Value> words =
      loadFloats(*this, address, count * (isComplex ? 2 : 1));
  ArrayRef<Value> rest(words);
  return takeNumbers(rest, count, isComplex);
}

void Emit::storeNumbers(ArrayRef<Number> numbers, Value address) {
  storeFloats(*this, wordsOf(numbers), address, 1);
}

void Emit::copyAsync(Value to, Value from, Value bytes) {
  NVVM::CpAsyncOp::create(*this, to, from, /*size=*/16,
                          NVVM::LoadCacheModifierKind::CG, bytes);
}

void Emit::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(*this); }

void Emit::waitForCopies() { NVVM::CpAsyncWaitGroupOp::create(*this, 0); }

/// The scope of one GPU.
static constexpr StringLiteral kDevice = "device";

Value Emit::atomicAdd(Value address, Value value) {
  return LLVM::AtomicRMWOp::create(*this, LLVM::AtomicBinOp::add, address,
                                   value, LLVM::AtomicOrdering::monotonic,
                                   kDevice, /*alignment=*/4);
}

Value mlir::ssm::vectorOf(Emit &e, ArrayRef<Value> elements) {
  auto type = VectorType::get(static_cast<int64_t>(elements.size()),
                              elements.front().getType());
  Value vector = LLVM::PoisonOp::create(e, type);
  for (auto [i, value] : llvm::enumerate(elements))
    vector = LLVM::InsertElementOp::create(e, vector, value,
                                           e.i32(static_cast<int64_t>(i)));
  return vector;
}

void Emit::addToMemory(ArrayRef<Number> numbers, Value address) {
  SmallVector<Value> words = wordsOf(numbers);
  auto add = [&](Value value, Value to, int64_t bytes) {
    LLVM::AtomicRMWOp::create(*this, LLVM::AtomicBinOp::fadd, to, value,
                              LLVM::AtomicOrdering::monotonic, kDevice, bytes);
  };
  if (words.size() == 4)
    return add(vectorOf(*this, words), address, 16);
  for (auto [i, word] : llvm::enumerate(words))
    add(word, offset(address, 4 * static_cast<int64_t>(i)), 4);
}

/// Asks again and again, until what `isOpen` emits (i1) no longer holds.
static void repeatWhile(Emit &e, function_ref<Value()> isOpen) {
  auto wait = scf::WhileOp::create(e, TypeRange(), ValueRange());
  OpBuilder::InsertionGuard guard(e);
  e.createBlock(&wait.getBefore());
  scf::ConditionOp::create(e, isOpen(), ValueRange());
  e.createBlock(&wait.getAfter());
  scf::YieldOp::create(e);
}

void Emit::waitFor(Value address, Value value) {
  repeatWhile(*this, [&]() -> Value {
    Value word = LLVM::LoadOp::create(
        *this, getI32Type(), address, /*alignment=*/4, /*isVolatile=*/false,
        /*isNonTemporal=*/false, /*isInvariant=*/false,
        /*isInvariantGroup=*/false, LLVM::AtomicOrdering::acquire, kDevice);
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::ne, word, value);
  });
}

void Emit::signal(Value value, Value address) {
  LLVM::StoreOp::create(*this, value, address, /*alignment=*/4,
                        /*isVolatile=*/false, /*isNonTemporal=*/false,
                        /*isInvariantGroup=*/false,
                        LLVM::AtomicOrdering::release, kDevice);
}

void Emit::initBarrier(Value barrier, int64_t arrivals) {
  NVVM::MBarrierInitOp::create(*this, barrier, i32(arrivals),
                               /*predicate=*/Value());
}

void Emit::arrive(Value barrier) {
  NVVM::MBarrierArriveOp::create(*this, getI64Type(), barrier,
                                 /*count=*/Value());
}

void Emit::waitForPhase(Value barrier, Value parity) {
  repeatWhile(*this, [&] {
    return negation(NVVM::MBarrierTryWaitOp::create(*this, getI1Type(), barrier,
                                                    parity, /*ticks=*/Value()));
  });
}

Value Emit::loadShared(Value base, Value index, unsigned alignment) {
  return load(getF32Type(), offset(base, index, getF32Type()), alignment);
}

SmallVector<Value> mlir::ssm::loadFloats(Emit &e, Value address,
                                         int64_t count) {
  SmallVector<Value> floats;
  int64_t width = count % 4 == 0 ? 4 : 1;
  for (int64_t k = 0; k < count; k += width) {
    Value at = e.offset(address, 4 * k);
    if (width == 1) {
      floats.push_back(e.load(e.getF32Type(), at, 4));
      continue;
    }
    Value vector = e.load(VectorType::get(4, e.getF32Type()), at, 16);
    for (int64_t j = 0; j < 4; ++j)
      floats.push_back(LLVM::ExtractElementOp::create(e, vector, e.i32(j)));
  }
  return floats;
}

void mlir::ssm::storeFloats(Emit &e, ArrayRef<Value> floats, Value address,
                            int64_t stride) {
  if (stride != 1 || floats.size() % 4 != 0) {
    for (auto [k, value] : llvm::enumerate(floats))
      e.store(value, e.offset(address, 4 * stride * static_cast<int64_t>(k)),
              4);
    return;
  }
  for (size_t k = 0; k < floats.size(); k += 4)
    e.store(vectorOf(e, floats.slice(k, 4)),
            e.offset(address, 4 * static_cast<int64_t>(k)), 16);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void Emit::loop(Value from, Value to, int64_t step,
                function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

SmallVector<Value>
Emit::loop(Value from, Value to, int64_t step, ValueRange init,
           function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, from, to, constantLike(*this, from, step),
                               init);
  OpBuilder::InsertionGuard guard(*this);
  if (init.empty())
    setInsertionPoint(op.getBody()->getTerminator());
  else
    setInsertionPointToEnd(op.getBody());
  SmallVector<Value> results =
      body(op.getInductionVar(), op.getRegionIterArgs());
  if (!init.empty())
    scf::YieldOp::create(*this, results);
  return op.getResults();
}

void Emit::ifThen(Value condition, function_ref<void()> body) {
  if (matchPattern(condition, m_One()))
    return body();
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPoint(op.thenYield());
  body();
}

SmallVector<Value> Emit::ifElse(Value condition,
                                function_ref<SmallVector<Value>()> then,
                                function_ref<SmallVector<Value>()> otherwise) {
  auto fill = [&](function_ref<SmallVector<Value>()> side) {
    return [this, side](OpBuilder &builder, Location) {
      OpBuilder::InsertionGuard guard(*this);
      restoreInsertionPoint(builder.saveInsertionPoint());
      scf::YieldOp::create(*this, side());
    };
  };
  return scf::IfOp::create(*this, condition, fill(then), fill(otherwise))
      .getResults();
}

SmallVector<Value> Emit::ifElse(Value condition,
                                function_ref<SmallVector<Value>()> then,
                                function_ref<Value(Type)> otherwise) {
  SmallVector<Type> types;
  auto thenTyped = [&] {
    SmallVector<Value> values = then();
    types = llvm::to_vector(ValueRange(values).getTypes());
    return values;
  };
  return ifElse(condition, thenTyped, [&]() -> SmallVector<Value> {
    return llvm::map_to_vector(types, otherwise);
  });
}

void Emit::barrier() { gpu::BarrierOp::create(*this); }

void Emit::warpBarrier() { NVVM::SyncWarpOp::create(*this, i32(-1)); }
