//===- BodyOps.cpp - What a body may compute with -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/BodyOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::ssm;

static constexpr StringLiteral kArith[] = {
    "addf",         "addi",     "andi",    "cmpf",  "cmpi",     "constant",
    "divf",         "extf",     "extsi",   "extui", "fptosi",   "index_cast",
    "index_castui", "maximumf", "maxnumf", "maxsi", "minimumf", "minnumf",
    "minsi",        "mulf",     "muli",    "negf",  "ori",      "remf",
    "select",       "sitofp",   "subf",    "subi",  "truncf",   "trunci",
    "uitofp",       "xori"};

static constexpr StringLiteral kMath[] = {
    "absf",     "acos",  "acosh",     "asin",   "asinh",    "atan",  "atan2",
    "atanh",    "cbrt",  "ceil",      "clampf", "copysign", "cos",   "cosh",
    "erf",      "erfc",  "exp",       "exp2",   "expm1",    "floor", "fma",
    "isfinite", "isinf", "isnan",     "log",    "log10",    "log1p", "log2",
    "powf",     "round", "roundeven", "rsqrt",  "sin",      "sinh",  "sqrt",
    "tan",      "tanh",  "trunc"};

static constexpr StringLiteral kComplex[] = {
    "abs", "add", "angle", "conj", "constant", "cos", "create", "div",
    "eq",  "exp", "expm1", "im",   "log",      "mul", "neg",    "neq",
    "pow", "re",  "sin",   "sqrt", "sub",      "tan", "tanh"};

bool mlir::ssm::isHalf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16() || element.isBF16();
}

static bool isScalarType(Type type) {
  return type.isIntOrIndexOrFloat() || isa<ComplexType>(type);
}

bool mlir::ssm::isScalarOp(Operation *op) {
  return isa_and_present<arith::ArithDialect, math::MathDialect,
                         complex::ComplexDialect>(op->getDialect()) &&
         op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::all_of(op->getOperandTypes(), isScalarType) &&
         llvm::all_of(op->getResultTypes(), isScalarType);
}

ArrayRef<StringLiteral> mlir::ssm::bodyOpsOf(StringRef dialect) {
  return llvm::StringSwitch<ArrayRef<StringLiteral>>(dialect)
      .Case("arith", kArith)
      .Case("math", kMath)
      .Case("complex", kComplex)
      .Default({});
}

/// A type that devices, or the reference, compute in.
static bool isComputable(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return isa<Float32Type, Float64Type>(complex.getElementType());
  constexpr unsigned kMostBits = 64;
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.getWidth() <= kMostBits;
  return isa<IndexType, Float64Type, Float32Type, Float16Type, BFloat16Type>(
      type);
}

std::string mlir::ssm::bodyOpProblem(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  StringRef dialect = op->getName().getDialectNamespace();
  ArrayRef<StringLiteral> known = bodyOpsOf(dialect);
  if (!llvm::is_contained(known, op->getName().stripDialect())) {
    stream << "is none of the ops of " << dialect
           << " that a body may hold: " << llvm::join(known, ", ");
    return text;
  }
  for (Type type :
       llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
    if (!isComputable(type)) {
      stream << "computes in " << type
             << ", expected f64, f32, f16, bf16, complex numbers of f64 or "
                "f32, index, or integers of at most 64 bits";
      return text;
    }
  return text;
}
