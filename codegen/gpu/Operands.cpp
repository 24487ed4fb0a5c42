//===- Operands.cpp - Where a fused op's tensors lie in a kernel ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Operands.h"

#include "codegen/gpu/LocationScope.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

Operands::Operands(Emit &e, Kernel &kernel, const LaunchPlan &plan, FusedOp op,
                   const Place &place)
    : e(e), kernel(kernel), plan(plan), op(op), place(place),
      isReverse(directionsOf(op)->countsFromEnd()) {}

Operands::Tensor Operands::input(unsigned i) {
  Value value = op.getInputs()[i];
  return {plan.tensorOf(value), op.inputAccess(i),
          cast<RankedTensorType>(value.getType()).getElementType()};
}

Operands::Tensor Operands::result(unsigned i) {
  OpResult value = op->getResult(i);
  return {plan.tensorOf(value), op.resultAccess(i),
          cast<RankedTensorType>(value.getType()).getElementType()};
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

Value Operands::strideOf(const Tensor &tensor, Axis axis) {
  return kernel.stride(tensor.number,
                       static_cast<unsigned>(tensor.access.dimOf(axis)));
}

/// Channel d belongs to group d / (D / G).
Value Operands::groupOf(const Tensor &tensor, Value channel) {
  int64_t dim = tensor.access.dimOf(Axis::Group);
  int64_t groups = plan.tensor(tensor.number).dims[dim].extent;
  if (groups == 1)
    return e.i64(0);
  return e.div(channel, e.div(kernel.channels(), groups));
}

Value Operands::base(const Tensor &tensor, Value channel) {
  Value at = e.i64(0);
  auto advance = [&](Axis axis, Value index) {
    at = e.add(at, e.mul(index, strideOf(tensor, axis)));
  };
  for (Axis axis : tensor.access.getAxes()) {
    if (axis == Axis::Batch)
      advance(axis, place.batch);
    if (axis == Axis::Channel)
      advance(axis, channel);
    if (axis == Axis::Group)
      advance(axis, groupOf(tensor, channel));
    // A reverse recurrence walks down from the last step.
    if (axis == Axis::Length && isReverse)
      advance(axis, e.sub(kernel.length(), e.i64(1)));
  }
  return e.offset(kernel.pointer(tensor.number), at, tensor.element);
}

Value Operands::stepAt(Value position) {
  if (!isReverse)
    return position;
  return e.sub(e.sub(kernel.length(), e.i64(1)), position);
}

Value Operands::inputBase(unsigned i, Value channel) {
  return base(input(i), channel);
}

Value Operands::resultBase(unsigned i, Value channel) {
  return base(result(i), channel);
}

Value Operands::address(const Tensor &tensor, Value base, Value position,
                        Value state) {
  Value at = e.i64(0);
  if (tensor.access.has(Axis::Length)) {
    Value step = e.mul(position, strideOf(tensor, Axis::Length));
    at = isReverse ? e.sub(at, step) : e.add(at, step);
  }
  // Without a position, the first segment.
  if (tensor.access.has(Axis::Segment) && position)
    at = e.add(at, e.mul(position, strideOf(tensor, Axis::Segment)));
  if (tensor.access.has(Axis::State))
    at = e.add(at, e.mul(state, strideOf(tensor, Axis::State)));
  return e.offset(base, at, tensor.element);
}

std::optional<Axis> Operands::unitAxis(unsigned i) {
  Tensor tensor = input(i);
  int dim = plan.layout(tensor.number).unitDim;
  if (dim < 0)
    return std::nullopt;
  return tensor.access.getAxes()[dim];
}

//===----------------------------------------------------------------------===//
// Width of an access
//===----------------------------------------------------------------------===//

static int64_t elementBytes(Type type) {
  return mamba::byteSize(*dtypeOf(type));
}

/// The largest vector, in elements, that a run can be cut into: along the unit
/// dimension, in the direction of memory, and as aligned as the layout says.
int64_t Operands::width(const Tensor &tensor, Run run) {
  const mamba::LayoutSpec layout = plan.layout(tensor.number);
  bool isUnit = layout.unitDim >= 0 &&
                tensor.access.getAxes()[layout.unitDim] == run.along;
  if (!isUnit || (run.along == Axis::Length && isReverse))
    return 1;
  int64_t bytes = elementBytes(tensor.element);
  int64_t aligned = std::min<int64_t>(16, layout.alignment);
  int64_t elements = std::max<int64_t>(1, aligned / bytes);
  return std::min<int64_t>(elements, run.count & -run.count);
}

int64_t Operands::inputBytes(unsigned i) {
  return elementBytes(input(i).element);
}

int64_t Operands::inputWidth(unsigned i, Run run) {
  return width(input(i), run);
}

bool Operands::joinsChannels(const Tensor &tensor, int64_t count) {
  return count > 1 && plan.channelMultiple() % count == 0 &&
         width(tensor, {Axis::Channel, count}) == count;
}

bool Operands::inputJoinsChannels(unsigned i, int64_t count) {
  return joinsChannels(input(i), count);
}

bool Operands::resultJoinsChannels(unsigned i, int64_t count) {
  return joinsChannels(result(i), count);
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

static Value extract(Emit &e, Value vector, int64_t i) {
  return LLVM::ExtractElementOp::create(e, vector, e.i32(i));
}

/// Two bf16 elements lie in one word: each is the upper half of an f32.
static Value widenBF16(Emit &e, Value word, bool upper) {
  Value bits = upper ? Value(arith::AndIOp::create(
                           e, word, e.i32(static_cast<int32_t>(0xffff0000u))))
                     : Value(arith::ShLIOp::create(e, word, e.i32(16)));
  return arith::BitcastOp::create(e, e.getF32Type(), bits);
}

/// What one load of `count` elements gives: bf16 pairs as words, so that
/// widening them is one instruction each.
static Type rawType(Emit &e, Type element, int64_t count) {
  if (element.isBF16() && count > 1)
    return VectorType::get(count / 2, e.getI32Type());
  Type scalar = wordTypes(element).front();
  int64_t words = count * static_cast<int64_t>(wordTypes(element).size());
  return words == 1 ? scalar : Type(VectorType::get(words, scalar));
}

/// `count` elements in one load.
Value Operands::loadVector(const Tensor &tensor, Value base, Value position,
                           Value state, int64_t count) {
  return e.load(rawType(e, tensor.element, count),
                address(tensor, base, position, state),
                elementBytes(tensor.element) * count,
                /*invariant=*/!keepsPlace);
}

/// The same words as loadVector along L, element by element, none of them past
/// the end.
Value Operands::gather(const Tensor &tensor, Value base, Value position,
                       Value state, int64_t count, Value limit) {
  Type type = rawType(e, tensor.element, count);
  Type scalar = wordTypes(tensor.element).front();
  Value lastPosition = e.sub(limit, e.i64(1));
  auto words = static_cast<int64_t>(wordTypes(tensor.element).size());
  auto wordsType = VectorType::get(count * words, scalar);
  Value vector = LLVM::PoisonOp::create(e, wordsType);
  for (int64_t k = 0; k < count; ++k) {
    Value p = e.min(e.add(position, k), lastPosition);
    Value element = loadVector(tensor, base, p, state, 1);
    if (count == 1)
      return element;
    for (int64_t j = 0; j < words; ++j)
      vector = LLVM::InsertElementOp::create(
          e, vector, words == 1 ? element : extract(e, element, j),
          e.i32(k * words + j));
  }
  if (type == wordsType)
    return vector;
  return LLVM::BitcastOp::create(e, type, vector);
}

static Value zeroOf(Emit &e, Type type) {
  auto vector = dyn_cast<VectorType>(type);
  Type element = vector ? vector.getElementType() : type;
  Value zero = arith::ConstantOp::create(e, e.getZeroAttr(element));
  if (!vector)
    return zero;
  // Not a constant vector, which CUDA C++ has no name for.
  return vectorOf(e, SmallVector<Value>(vector.getNumElements(), zero));
}

SmallVector<Value> Operands::loadRaw(unsigned i, Value base, Value position,
                                     Value state, Run run, Value limit) {
  LocationScope argument(e, op.getBlock()->getArgument(i).getLoc());
  auto load = [&] { return loadRun(i, base, position, state, run, limit); };
  if (!input(i).access.has(Axis::Segment) || position)
    return load();
  // A sequence without steps has no first segment.
  return e.ifElse(e.lessThan(e.i64(0), kernel.length()), load,
                  [&](Type type) { return zeroOf(e, type); });
}

SmallVector<Value> Operands::loadRun(unsigned i, Value base, Value position,
                                     Value state, Run run, Value limit) {
  Tensor tensor = input(i);
  bool isAlongSteps = run.along == Axis::Length;
  if (limit && position && !isAlongSteps)
    position = e.min(position, e.sub(limit, e.i64(1)));
  int64_t step = width(tensor, run);
  SmallVector<Value> raw;
  for (int64_t k = 0; k < run.count; k += step) {
    Value p = isAlongSteps && position ? e.add(position, k) : position;
    Value n = !isAlongSteps && state ? e.add(state, k) : state;
    raw.push_back(limit && position && isAlongSteps
                      ? gather(tensor, base, p, n, step, limit)
                      : loadVector(tensor, base, p, n, step));
  }
  return raw;
}

SmallVector<Value> Operands::loadRawAcross(unsigned i, Value base,
                                           Value position, int64_t steps,
                                           int64_t count, Value limit) {
  LocationScope argument(e, op.getBlock()->getArgument(i).getLoc());
  Tensor tensor = input(i);
  SmallVector<Value> raw;
  for (int64_t k = 0; k < steps; ++k) {
    Value p = e.add(position, k);
    if (limit)
      p = e.min(p, e.sub(limit, e.i64(1)));
    raw.push_back(loadVector(tensor, base, p, nullptr, count));
  }
  return raw;
}

/// The f32 words in one loaded value.
static SmallVector<Value> widenWords(Emit &e, Value raw, Type scalar) {
  SmallVector<Value> words;
  auto vector = dyn_cast<VectorType>(raw.getType());
  bool isPairs = vector && vector.getElementType().isInteger(32);
  int64_t count = vector ? vector.getNumElements() : 1;
  for (int64_t i = 0; i < count; ++i) {
    Value word = vector ? extract(e, raw, i) : raw;
    if (isPairs)
      words.append({widenBF16(e, word, false), widenBF16(e, word, true)});
    else if (scalar.isF32())
      words.push_back(word);
    else
      words.push_back(arith::ExtFOp::create(e, e.getF32Type(), word));
  }
  return words;
}

SmallVector<Number> Operands::widen(unsigned i, ArrayRef<Value> raw) {
  Type element = input(i).element;
  SmallVector<Number> numbers;
  for (Value value : raw) {
    SmallVector<Value> words = widenWords(e, value, wordTypes(element).front());
    if (!isa<ComplexType>(element)) {
      for (Value word : words)
        numbers.push_back({word, nullptr});
      continue;
    }
    for (size_t k = 0; k < words.size(); k += 2)
      numbers.push_back({words[k], words[k + 1]});
  }
  return numbers;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// A half-precision value that registers hold widened: the f32 before it was
/// rounded, so that rounding happens once, in the store.
static Value beforeRounding(Value value) {
  auto widened = value.getDefiningOp<arith::ExtFOp>();
  if (!widened)
    return value;
  auto rounded = widened.getIn().getDefiningOp<arith::TruncFOp>();
  return rounded ? rounded.getIn() : value;
}

static void storeVector(Emit &e, Value address, Type element,
                        ArrayRef<Number> numbers) {
  SmallVector<Value> words;
  for (const Number &number : numbers) {
    words.push_back(beforeRounding(number.re));
    if (number.isComplex())
      words.push_back(number.im);
  }
  Type scalar = wordTypes(element).front();
  unsigned alignment = elementBytes(element) * numbers.size();
  if (words.size() == 1) {
    Value value = words.front();
    if (!scalar.isF32())
      value = arith::TruncFOp::create(e, scalar, value);
    return e.store(value, address, alignment);
  }
  auto type = VectorType::get(words.size(), e.getF32Type());
  Value vector = LLVM::PoisonOp::create(e, type);
  for (auto [i, word] : llvm::enumerate(words))
    vector = LLVM::InsertElementOp::create(e, vector, word, e.i32(i));
  if (!scalar.isF32())
    vector = arith::TruncFOp::create(e, VectorType::get(words.size(), scalar),
                                     vector);
  e.store(vector, address, alignment);
}

void Operands::store(unsigned i, Value base, Value position, Value state,
                     ArrayRef<Number> numbers) {
  LocationScope yielded(e, locationOfResult(i));
  Tensor tensor = result(i);
  storeVector(e, address(tensor, base, position, state), tensor.element,
              numbers);
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

bool Operands::isHalf(unsigned i) {
  Type element = input(i).element;
  return element.isF16() || element.isBF16();
}

/// The bf16 that an f32 is without rounding, in the upper half of a word or in
/// the lower one: what widenBF16 does, undone.
static Value narrowBF16(Emit &e, Value number, bool upper) {
  Value bits = arith::BitcastOp::create(e, e.getI32Type(), number);
  if (upper)
    return arith::AndIOp::create(e, bits,
                                 e.i32(static_cast<int32_t>(0xffff0000u)));
  return arith::ShRUIOp::create(e, bits, e.i32(16));
}

/// The bits that they were loaded as, pairs in words: LLVM sees that nothing is
/// left to compute, which it would not of conversions.
void Operands::storeShared(unsigned i, Value address,
                           ArrayRef<Number> numbers) {
  Type element = input(i).element;
  if (!element.isBF16())
    return storeVector(e, address, element, numbers);
  if (numbers.size() == 1) {
    Value bits = narrowBF16(e, numbers.front().re, false);
    return e.store(arith::TruncIOp::create(e, e.getI16Type(), bits), address,
                   elementBytes(element));
  }
  auto count = static_cast<int64_t>(numbers.size());
  Value vector = LLVM::PoisonOp::create(e, rawType(e, element, count));
  for (int64_t k = 0; k < count; k += 2) {
    Value word = arith::OrIOp::create(e, narrowBF16(e, numbers[k].re, false),
                                      narrowBF16(e, numbers[k + 1].re, true));
    vector = LLVM::InsertElementOp::create(e, vector, word, e.i32(k / 2));
  }
  e.store(vector, address, elementBytes(element) * count);
}

SmallVector<Number> Operands::loadShared(unsigned i, Value address,
                                         int64_t count) {
  constexpr int64_t kBytes = 16;
  Type element = input(i).element;
  int64_t bytes = elementBytes(element);
  int64_t width = std::min(kBytes / bytes, count);
  SmallVector<Value> raw;
  for (int64_t k = 0; k < count; k += width)
    raw.push_back(e.load(rawType(e, element, width),
                         e.offset(address, k * bytes), width * bytes));
  return widen(i, raw);
}

/// The place of the value that result `i` is.
Location Operands::locationOfResult(unsigned i) {
  return op.getBlock()->getTerminator()->getOperand(i).getLoc();
}

void Operands::storeRun(unsigned i, Value base, Value position, Value state,
                        ArrayRef<Number> numbers, Axis along) {
  LocationScope yielded(e, locationOfResult(i));
  Tensor tensor = result(i);
  int64_t step = width(tensor, {along, static_cast<int64_t>(numbers.size())});
  for (size_t k = 0; k < numbers.size(); k += step) {
    auto offset = static_cast<int64_t>(k);
    bool isAlongSteps = along == Axis::Length;
    Value p = isAlongSteps && position ? e.add(position, offset) : position;
    Value n = !isAlongSteps && state ? e.add(state, offset) : state;
    storeVector(e, address(tensor, base, p, n), tensor.element,
                numbers.slice(k, step));
  }
}
