//===- Emit.h - Short names for the ops that kernels have ----- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernel code reads as arithmetic when each op is a word. Addresses are i64
// where they reach global memory and i32 within a block; a number of the body
// is one value, or two where it is complex.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_EMIT_H
#define MAMBA_CODEGEN_GPU_EMIT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"

namespace mlir::ssm {

/// A scalar of the body: real or integer (`im` null), or complex.
struct Number {
  Value re;
  Value im;

  bool isComplex() const { return im != nullptr; }
  /// One word, or two.
  SmallVector<Value, 2> words() const {
    if (isComplex())
      return {re, im};
    return {re};
  }
};

/// The words of numbers, one after the other.
SmallVector<Value> wordsOf(ArrayRef<Number> numbers);
/// The number in the first of `words`, which it takes from them.
Number takeNumber(ArrayRef<Value> &words, bool isComplex);
/// The first `count` numbers.
SmallVector<Number> takeNumbers(ArrayRef<Value> &words, int64_t count,
                                bool isComplex);

/// A builder whose methods are the vocabulary of kernels.
class Emit : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  // Integers. Operands of one op have one type.
  /// (x + 2) * 3 + y becomes x * 3 + y + 6: addresses that differ in constants
  /// alone share what comes before.
  bool keepsConstantsLast = false;
  Value i32(int64_t value);
  Value i64(int64_t value);
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value div(Value a, Value b);
  Value rem(Value a, Value b);
  Value min(Value a, Value b);
  Value max(Value a, Value b);
  Value mul(Value a, int64_t b);
  Value add(Value a, int64_t b);
  Value div(Value a, int64_t b);
  Value rem(Value a, int64_t b);
  /// ceil(a / b) for non-negative a and positive b.
  Value ceilDiv(Value a, int64_t b);
  Value lessThan(Value a, Value b);
  Value equals(Value a, Value b);
  Value equals(Value a, int64_t b);
  /// True (i1): what asks for it, or waits for it, leaves no code.
  Value always();
  Value conjunction(Value a, Value b);
  Value disjunction(Value a, Value b);
  Value negation(Value a);
  Value toI64(Value value);
  Value toI32(Value value);

  // Numbers of a body's type (f32 or complex<f32>).
  Number constant(Type type, double re);
  Number zero(Type type) { return constant(type, 0.0); }
  Number one(Type type) { return constant(type, 1.0); }
  Number addf(Number a, Number b);
  Number mulf(Number a, Number b);
  /// a * b + c.
  Number fma(Number a, Number b, Number c);
  Number select(Value condition, Number a, Number b);

  /// What the lane has whose number differs in the bit `distance`.
  Number swapLanes(Number number, int64_t distance);

  // Memory.
  /// `base` + `elements` * size of `type`.
  Value offset(Value base, Value elements, Type type);
  /// `base` + `bytes`.
  Value offset(Value base, int64_t bytes);
  Value load(Type type, Value address, unsigned alignment,
             bool invariant = false);
  void store(Value value, Value address, unsigned alignment);
  /// Numbers of a body's type side by side in memory, complex ones as two words
  /// each; aligned to 16 bytes if they fill words of 16.
  SmallVector<Number> loadNumbers(Value address, int64_t count, bool isComplex);
  void storeNumbers(ArrayRef<Number> numbers, Value address);
  Value loadShared(Value base, Value index, unsigned alignment = 4);

  // Copies from global to shared memory that go on by themselves (PTX's
  // cp.async), in words of 16 bytes, aligned to them.
  /// Where `bytes` (i32) is given, only so many are read, and zeros written
  /// behind them.
  void copyAsync(Value to, Value from, Value bytes);
  /// Ends the group of copies that waitForCopies() waits for.
  void commitCopies();
  /// Returns once the thread's own copies are done.
  void waitForCopies();

  // Words (i32) of global memory that blocks share.
  /// Adds `value`; what was there before.
  Value atomicAdd(Value address, Value value);
  /// Adds numbers to those that lie side by side at an address, in whatever
  /// order threads come; four real ones lie in a word of 16 bytes.
  void addToMemory(ArrayRef<Number> numbers, Value address);
  /// Returns once the word is `value`, behind what its writer did before.
  void waitFor(Value address, Value value);
  /// Writes the word for those who wait for it, behind all that this thread did
  /// before, or saw others do.
  void signal(Value value, Value address);

  // Barriers in shared memory (PTX's mbarrier), 8 bytes each, of so many
  // arrivals a phase.
  void initBarrier(Value barrier, int64_t arrivals);
  /// Those who wait for the phase see what this thread did before, or saw
  /// others do.
  void arrive(Value barrier);
  /// Returns once a phase of this parity (i32) is the last one that ended; one
  /// of parity 1 counts as ended before the first.
  void waitForPhase(Value barrier, Value parity);

  // Control. The bodies leave the insertion point after the op.
  void loop(Value from, Value to, int64_t step, function_ref<void(Value)> body);
  SmallVector<Value> loop(Value from, Value to, int64_t step, ValueRange init,
                          function_ref<SmallVector<Value>(Value, ValueRange)>);
  void ifThen(Value condition, function_ref<void()> body);
  /// What the taken side gives; both give values of the same types.
  SmallVector<Value> ifElse(Value condition,
                            function_ref<SmallVector<Value>()> then,
                            function_ref<SmallVector<Value>()> otherwise);
  /// The same where the other side gives a value of each type that `then` has.
  SmallVector<Value> ifElse(Value condition,
                            function_ref<SmallVector<Value>()> then,
                            function_ref<Value(Type)> otherwise);
  void barrier();
  /// Orders the memory accesses of a warp's lanes, all of which get there.
  void warpBarrier();
};

/// Elements of one type, one or more, as a vector.
Value vectorOf(Emit &e, ArrayRef<Value> elements);

/// `count` neighbouring floats, by loads as wide as `count` allows; `address`
/// is aligned accordingly.
SmallVector<Value> loadFloats(Emit &e, Value address, int64_t count);

/// Writes floats, `stride` floats apart; by vector stores where they are
/// neighbours and four or more.
void storeFloats(Emit &e, ArrayRef<Value> floats, Value address,
                 int64_t stride);

/// Types of the register values that hold a number of type `type`: one, or
/// two for complex numbers.
SmallVector<Type, 2> wordTypes(Type type);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_EMIT_H
