//===- Emit.h - Short names for the ops of CPU kernels ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernel code reads as arithmetic when each op is a word. All addresses and
// counts are i64; memory is reached through plain pointers.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_EMIT_H
#define MAMBA_CODEGEN_CPU_EMIT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::ssm::cpu {

/// A value of the body in the code of a task: a scalar where all channels
/// share it, else a vector with one channel in each lane. Complex values are
/// two of these; `im` is null for all others.
struct Lanes {
  Value re;
  Value im;

  bool isComplex() const { return im != nullptr; }
  bool isUniform() const { return !isa<VectorType>(re.getType()); }
};

/// A builder whose methods are the vocabulary of kernels. Those with a body
/// leave the insertion point after the op.
class Emit : public ImplicitLocOpBuilder {
public:
  /// `width` is the number of channels side by side.
  Emit(Location loc, OpBuilder builder, int64_t width)
      : ImplicitLocOpBuilder(loc, builder), width(width) {}

  const int64_t width;

  // Integers, all i64.
  Value i64(int64_t value);
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value mul(Value a, int64_t b) { return mul(a, i64(b)); }
  Value div(Value a, Value b);
  Value div(Value a, int64_t b) { return div(a, i64(b)); }
  Value rem(Value a, Value b);
  Value min(Value a, Value b);
  /// ceil(a / b) for non-negative a and positive b.
  Value ceilDiv(Value a, int64_t b);
  Value equals(Value a, int64_t b);
  Value atLeast(Value a, int64_t b);
  Value differ(Value a, Value b);
  /// Truth values; null stands for true in `both`.
  Value both(Value a, Value b);
  Value either(Value a, Value b);

  // Numbers.
  /// Type of a value of type `element` in all lanes.
  VectorType vectorOf(Type element) { return VectorType::get(width, element); }
  /// The value in every lane; unchanged where it is a vector already.
  Lanes widen(Lanes value);
  Value widen(Value value);
  Lanes zero(Type type, bool uniform);
  /// 1, for all lanes.
  Lanes one(Type type);
  /// Sum of two values of one type; either may be uniform.
  Lanes sum(Lanes a, Lanes b);
  /// Real multiple of a value.
  Lanes scale(Lanes a, double factor);
  /// a * b + c.
  Lanes multiplyAdd(Lanes a, Lanes b, Lanes c);

  // Memory. `index` counts elements of type `element` from `base`.
  Value address(Value base, Value index, Type element);
  Value load(Type type, Value base, Value index);
  void store(Value value, Value base, Value index);

  // Control.
  void loop(Value from, Value to, int64_t step, function_ref<void(Value)> body);
  SmallVector<Value>
  loop(Value from, Value to, int64_t step, ValueRange init,
       function_ref<SmallVector<Value>(Value, ValueRange)> body);
  void ifThen(Value condition, function_ref<void()> then);
  void ifElse(Value condition, function_ref<void()> then,
              function_ref<void()> otherwise);
  Value ifElse(Type type, Value condition, function_ref<Value()> then,
               function_ref<Value()> otherwise);
};

/// Type of the words that hold a number of `type`: its real type if complex.
Type wordType(Type type);

/// Words that hold a number of `type`: 2 if complex, else 1.
inline int64_t wordCount(Type type) { return isa<ComplexType>(type) ? 2 : 1; }

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_EMIT_H
