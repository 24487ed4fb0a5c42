//===- Integers.cpp - Operations on integers as expressions ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Integers.h"

#include "llvm/ADT/TypeSwitch.h"

#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

namespace {

/// An op on integers of one width: its operands and what C++ calls that width.
struct Integers {
  Integers(Operation &op, ArrayRef<Expression> x)
      : x(x), isBool(op.getOperand(0).getType().isInteger(1)),
        asSigned(typeName(op.getOperand(0).getType())),
        asUnsigned(typeName(op.getOperand(0).getType(), true)) {}

  ArrayRef<Expression> x;
  bool isBool;
  std::string asSigned;
  std::string asUnsigned;

  /// Sums and products have the same bits with and without sign.
  Expression wrapping(StringRef op, Binding binding) const {
    bool isUnsigned = x[0].type == asUnsigned || x[1].type == asUnsigned;
    StringRef type = isUnsigned ? asUnsigned : asSigned;
    if (op == "+" && isNegative(x[1]))
      return binary(x[0], "-", {x[1].text.substr(1), ""}, binding, type);
    auto exact = [&](const Expression &e) {
      return isUnsigned && isNegative(e) ? typed(e, asUnsigned) : e;
    };
    return binary(exact(x[0]), op, exact(x[1]), binding, type);
  }
  static bool isNegative(const Expression &e) {
    return e.isLiteral() && StringRef(e.text).starts_with("-");
  }
  Expression quotient(StringRef op, StringRef type) const {
    return binary(typed(x[0], type), op, cast(x[1], type), Binding::Product,
                  type);
  }
  /// Shifts and bits: fully parenthesized, as nobody knows their precedence.
  Expression bits(StringRef op, StringRef type, Expression amount) const {
    Expression a = typed(x[0], type);
    return {fmt::format("{} {} {}", operand(a, Binding::Unary), op.str(),
                        operand(amount, Binding::Unary)),
            type.str(), Binding::Logic};
  }
  Expression mask(StringRef op) const {
    Expression a = x[1];
    if (isNegative(a))
      a = {fmt::format("0x{:x}u", static_cast<uint32_t>(std::stoll(a.text))),
           ""};
    return bits(op, asUnsigned, cast(a, asUnsigned));
  }
  Expression logic(StringRef op) const {
    return {fmt::format("{} {} {}", operand(x[0], Binding::Comparison),
                        op.str(), operand(x[1], Binding::Comparison)),
            "bool", Binding::Logic};
  }
  Expression choose(StringRef function, StringRef type) const {
    return call(function, {typed(x[0], type), typed(x[1], type)}, type);
  }
  /// A literal too is written with its type: overloads depend on it.
  static Expression typed(const Expression &e, StringRef type) {
    if (!e.isLiteral() || type == "int")
      return cast(e, type);
    return {fmt::format("({}){}", type.str(), operand(e, Binding::Unary)),
            type.str(), Binding::Unary};
  }
};

} // namespace

static Expression negation(const Expression &x) {
  return {"!" + operand(x, Binding::Unary), "bool", Binding::Unary};
}

static Expression compare(arith::CmpIOp op, const Integers &in) {
  using enum arith::CmpIPredicate;
  auto as = [&](StringRef sign, StringRef type) {
    return binary(cast(in.x[0], type), sign, cast(in.x[1], type),
                  Binding::Comparison, "bool");
  };
  const std::string &s = in.asSigned, &u = in.asUnsigned;
  const Expression &known = in.x[0].isLiteral() ? in.x[1] : in.x[0];
  switch (op.getPredicate()) {
  case eq:
    return as("==", known.isLiteral() ? s : known.type);
  case ne:
    return as("!=", known.isLiteral() ? s : known.type);
  case slt:
    return as("<", s);
  case sle:
    return as("<=", s);
  case sgt:
    return as(">", s);
  case sge:
    return as(">=", s);
  case ult:
    return as("<", u);
  case ule:
    return as("<=", u);
  case ugt:
    return as(">", u);
  case uge:
    return as(">=", u);
  }
  llvm_unreachable("all predicates are listed");
}

static Expression exclusiveOr(const Integers &in) {
  if (!in.isBool)
    return in.mask("^");
  if (in.x[1].text == "true")
    return negation(in.x[0]);
  return binary(in.x[0], "!=", in.x[1], Binding::Comparison, "bool");
}

/// To another width: with the sign's bits in front, or zeros.
static Expression resize(Operation &op, const Expression &x, bool keepsSign) {
  Type from = op.getOperand(0).getType(), to = op.getResult(0).getType();
  if (to.isInteger(1))
    return {fmt::format("({} & 1) != 0", operand(x, Binding::Unary)), "bool",
            Binding::Comparison};
  if (from.isInteger(1) && keepsSign)
    return {fmt::format("-(int){}", operand(x, Binding::Unary)), typeName(to),
            Binding::Unary};
  // The ids of threads and blocks are indices of the IR and unsigned in CUDA.
  bool isId = from.isIndex() && x.type == "unsigned";
  bool hasSign = keepsSign && !isId;
  Expression exact =
      from.isInteger(1) || isId ? x : cast(x, typeName(from, !hasSign));
  return cast(exact, typeName(to, !hasSign && !from.isInteger(1)));
}

std::optional<Expression> mlir::ssm::cuda::integerOf(Operation &op,
                                                     ArrayRef<Expression> x) {
  using Found = std::optional<Expression>;
  Integers in(op, x);
  const std::string &s = in.asSigned, &u = in.asUnsigned;
  return llvm::TypeSwitch<Operation *, Found>(&op)
      .Case<arith::AddIOp>([&](auto) { return in.wrapping("+", Binding::Sum); })
      .Case<arith::SubIOp>([&](auto) { return in.wrapping("-", Binding::Sum); })
      .Case<arith::MulIOp>(
          [&](auto) { return in.wrapping("*", Binding::Product); })
      .Case<arith::DivUIOp>([&](auto) { return in.quotient("/", u); })
      .Case<arith::RemUIOp>([&](auto) { return in.quotient("%", u); })
      .Case<arith::DivSIOp>([&](auto) { return in.quotient("/", s); })
      .Case<arith::RemSIOp>([&](auto) { return in.quotient("%", s); })
      .Case<arith::ShLIOp>([&](auto) { return in.bits("<<", u, x[1]); })
      .Case<arith::ShRUIOp>([&](auto) { return in.bits(">>", u, x[1]); })
      .Case<arith::ShRSIOp>([&](auto) { return in.bits(">>", s, x[1]); })
      .Case<arith::AndIOp>(
          [&](auto) { return in.isBool ? in.logic("&&") : in.mask("&"); })
      .Case<arith::OrIOp>(
          [&](auto) { return in.isBool ? in.logic("||") : in.mask("|"); })
      .Case<arith::XOrIOp>([&](auto) { return exclusiveOr(in); })
      .Case<arith::MinSIOp>([&](auto) { return in.choose("min", s); })
      .Case<arith::MaxSIOp>([&](auto) { return in.choose("max", s); })
      .Case<arith::MinUIOp>([&](auto) { return in.choose("min", u); })
      .Case<arith::MaxUIOp>([&](auto) { return in.choose("max", u); })
      .Case<arith::CmpIOp>([&](auto op) { return compare(op, in); })
      .Case<arith::ExtSIOp, arith::IndexCastOp>(
          [&](auto) { return resize(op, x[0], true); })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp, arith::TruncIOp>(
          [&](auto) { return resize(op, x[0], false); })
      .Default(Found());
}
