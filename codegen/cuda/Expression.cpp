//===- Expression.cpp - C++ expressions as text ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Expression.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"

#include <charconv>
#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

static std::string integerName(unsigned bits, bool isUnsigned) {
  switch (bits) {
  case 1:
    return "bool";
  case 8:
    return isUnsigned ? "unsigned char" : "signed char";
  case 16:
    return isUnsigned ? "unsigned short" : "short";
  case 32:
    return isUnsigned ? "unsigned" : "int";
  case 64:
    return isUnsigned ? "unsigned long long" : "long long";
  default:
    return "";
  }
}

/// The prelude's types: `f32x4` is four floats side by side.
static std::string vectorName(VectorType type) {
  Type element = type.getElementType();
  std::string name = element.isF32()         ? "f32"
                     : element.isF16()       ? "f16"
                     : element.isBF16()      ? "bf16"
                     : element.isInteger(32) ? "u32"
                                             : "";
  if (name.empty() || type.getRank() != 1)
    return "";
  return fmt::format("{}x{}", name, type.getNumElements());
}

std::string mlir::ssm::cuda::typeName(Type type, bool isUnsigned) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vectorName(vector);
  if (type.isIndex())
    return integerName(64, isUnsigned);
  if (auto integer = dyn_cast<IntegerType>(type))
    return integerName(integer.getWidth(), isUnsigned);
  return type.isF32()    ? "float"
         : type.isF16()  ? "f16"
         : type.isBF16() ? "bf16"
                         : "";
}

std::string mlir::ssm::cuda::operand(const Expression &e, Binding limit) {
  return e.binding <= limit ? e.text : "(" + e.text + ")";
}

Expression mlir::ssm::cuda::cast(const Expression &e, StringRef type) {
  if (e.type == type || e.isLiteral())
    return e;
  return {fmt::format("({}){}", type.str(), operand(e, Binding::Unary)),
          type.str(), Binding::Unary};
}

/// The next tighter binding.
static Binding tighter(Binding binding) {
  return static_cast<Binding>(static_cast<int>(binding) - 1);
}

Expression mlir::ssm::cuda::binary(const Expression &a, StringRef op,
                                   const Expression &b, Binding binding,
                                   StringRef type) {
  return {fmt::format("{} {} {}", operand(a, binding), op.str(),
                      operand(b, tighter(binding))),
          type.str(), binding};
}

Expression mlir::ssm::cuda::call(StringRef callee,
                                 ArrayRef<Expression> arguments,
                                 StringRef type) {
  auto texts =
      llvm::map_range(arguments, [](const Expression &e) { return e.text; });
  return {fmt::format("{}({})", callee.str(), llvm::join(texts, ", ")),
          type.str(), Binding::Primary};
}

Expression mlir::ssm::cuda::literal(int64_t value) {
  std::string text = std::to_string(value);
  if (value > INT32_MAX || value < INT32_MIN)
    text += "ll";
  return {text, "", value < 0 ? Binding::Unary : Binding::Primary};
}

Expression mlir::ssm::cuda::literal(const APFloat &value) {
  float number = value.convertToFloat();
  if (!value.isFinite())
    return call("__uint_as_float",
                {{fmt::format("0x{:08x}u", llvm::bit_cast<uint32_t>(number)),
                  "unsigned"}},
                "float");
  char text[32];
  std::string digits(text, std::to_chars(text, std::end(text), number).ptr);
  if (StringRef(digits).find_first_of(".e") == StringRef::npos)
    digits += ".0";
  return {digits + "f", "float",
          value.isNegative() ? Binding::Unary : Binding::Primary};
}
