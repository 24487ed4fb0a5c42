//===- Arithmetic.cpp - Operations without effect as expressions ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Arithmetic.h"

#include "codegen/cuda/Integers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

using Found = std::optional<Expression>;

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

static Expression negative(const Expression &x) {
  return {"-" + operand(x, Binding::Primary), x.type, Binding::Unary};
}

static Expression sum(const Expression &a, const Expression &b) {
  // a + (-b) and a - b are the same number.
  if (b.binding == Binding::Unary && StringRef(b.text).starts_with("-"))
    return binary(a, "-", {b.text.substr(1), b.type}, Binding::Sum, "float");
  return binary(a, "+", b, Binding::Sum, "float");
}

static Expression compareFloats(arith::CmpFPredicate predicate,
                                const Expression &a, const Expression &b) {
  using enum arith::CmpFPredicate;
  auto is = [&](StringRef sign, const Expression &x, const Expression &y) {
    return binary(x, sign, y, Binding::Comparison, "bool");
  };
  auto join = [](const Expression &x, StringRef sign, const Expression &y) {
    return Expression{fmt::format("{} {} {}", x.text, sign.str(), y.text),
                      "bool", Binding::Logic};
  };
  auto isNot = [](const Expression &x) {
    return Expression{"!(" + x.text + ")", "bool", Binding::Unary};
  };
  switch (predicate) {
  case AlwaysFalse:
    return {"false", "bool"};
  case AlwaysTrue:
    return {"true", "bool"};
  case OEQ:
    return is("==", a, b);
  case OGT:
    return is(">", a, b);
  case OGE:
    return is(">=", a, b);
  case OLT:
    return is("<", a, b);
  case OLE:
    return is("<=", a, b);
  case UNE:
    return is("!=", a, b);
  case ONE:
    return join(is("<", a, b), "||", is(">", a, b));
  case UEQ:
    return isNot(join(is("<", a, b), "||", is(">", a, b)));
  case UGT:
    return isNot(is("<=", a, b));
  case UGE:
    return isNot(is("<", a, b));
  case ULT:
    return isNot(is(">=", a, b));
  case ULE:
    return isNot(is(">", a, b));
  case ORD:
    return a.text == b.text ? is("==", a, a)
                            : join(is("==", a, a), "&&", is("==", b, b));
  case UNO:
    return a.text == b.text ? is("!=", a, a)
                            : join(is("!=", a, a), "||", is("!=", b, b));
  }
  llvm_unreachable("all predicates are listed");
}

/// The function of an LLVM intrinsic; empty for one that kernels don't call.
static StringRef functionFor(StringRef intrinsic) {
  return llvm::StringSwitch<StringRef>(intrinsic)
      .Case("llvm.nvvm.ex2.approx.ftz.f", "ex2")
      .Case("llvm.nvvm.lg2.approx.ftz.f", "lg2")
      .Case("llvm.nvvm.rcp.approx.ftz.f", "rcp")
      .Case("llvm.nvvm.sqrt.approx.ftz.f", "root")
      .Case("llvm.nvvm.rsqrt.approx.ftz.f", "rroot")
      .Case("llvm.fma", "fmaf")
      .Case("llvm.fabs", "fabsf")
      .Case("llvm.ceil", "ceilf")
      .Case("llvm.floor", "floorf")
      .Case("llvm.trunc", "truncf")
      .Case("llvm.round", "roundf")
      .Cases({"llvm.rint", "llvm.roundeven"}, "rintf")
      .Case("llvm.copysign", "copysignf")
      .Case("llvm.maxnum", "fmaxf")
      .Case("llvm.minnum", "fminf")
      .Default("");
}

static Found floatOf(Operation &op, ArrayRef<Expression> x, Prelude &prelude) {
  return llvm::TypeSwitch<Operation *, Found>(&op)
      .Case<arith::AddFOp>([&](auto) { return sum(x[0], x[1]); })
      .Case<arith::SubFOp>(
          [&](auto) { return binary(x[0], "-", x[1], Binding::Sum, "float"); })
      .Case<arith::MulFOp>([&](auto) {
        return binary(x[0], "*", x[1], Binding::Product, "float");
      })
      .Case<arith::DivFOp>([&](auto) {
        return binary(x[0], "/", x[1], Binding::Product, "float");
      })
      .Case<arith::NegFOp>([&](auto) { return negative(x[0]); })
      .Case<arith::MaximumFOp>(
          [&](auto) { return call(prelude.use("max_or_nan"), x, "float"); })
      .Case<arith::MinimumFOp>(
          [&](auto) { return call(prelude.use("min_or_nan"), x, "float"); })
      .Case<arith::CmpFOp>([&](arith::CmpFOp compare) {
        return compareFloats(compare.getPredicate(), x[0], x[1]);
      })
      .Case<arith::FPToSIOp>(
          [&](auto) { return cast(x[0], typeName(op.getResult(0).getType())); })
      .Case<arith::FPToUIOp>([&](auto) {
        return cast(x[0], typeName(op.getResult(0).getType(), true));
      })
      .Case<LLVM::CallIntrinsicOp>([&](LLVM::CallIntrinsicOp intrinsic) {
        StringRef function = functionFor(intrinsic.getIntrin());
        return function.empty() ? Found()
                                : call(prelude.use(function), x, "float");
      })
      .Default(Found());
}

//===----------------------------------------------------------------------===//
// Other types
//===----------------------------------------------------------------------===//

/// From half precision to f32 or back; of vectors, all elements at once.
static Found convertHalf(Type half, Type to, StringRef verb,
                         const Expression &x, Prelude &prelude) {
  Type scalar = getElementTypeOrSelf(half);
  if (!scalar.isF16() && !scalar.isBF16())
    return std::nullopt;
  bool isVector = isa<VectorType>(half);
  if (isVector && verb == "widen")
    return std::nullopt;
  std::string function =
      fmt::format("{}_{}{}", verb.str(), scalar.isF16() ? "f16" : "bf16",
                  isVector ? "_all" : "");
  return call(prelude.use(function), {x}, prelude.use(typeName(to)));
}

/// The same bits as `to`.
static Expression reinterpret(Type from, Type to, const Expression &x,
                              Prelude &prelude) {
  if (from.isF32() && to.isInteger(32))
    return call("__float_as_uint", {x}, "unsigned");
  if (from.isInteger(32) && to.isF32())
    return call("__uint_as_float", {cast(x, "unsigned")}, "float");
  std::string name = typeName(to, /*isUnsigned=*/true);
  // Halves are their bits.
  if (!isa<VectorType>(from) && !isa<VectorType>(to))
    return {x.text, name, x.binding};
  prelude.use(name);
  return call((prelude.use("bits_as") + "<" + name + ">").str(), {x}, name);
}

static Expression choose(Type type, ArrayRef<Expression> x) {
  StringRef wanted = !x[1].isLiteral() ? x[1].type : x[2].type;
  std::string name = wanted.empty() ? typeName(type) : wanted.str();
  return {fmt::format("{} ? {} : {}", operand(x[0], Binding::Logic),
                      operand(cast(x[1], name), Binding::Logic),
                      operand(cast(x[2], name), Binding::Logic)),
          name, Binding::Choice};
}

static Found elementOf(LLVM::ExtractElementOp op, ArrayRef<Expression> x) {
  Type type = op.getType();
  return Expression{
      fmt::format("{}.at[{}]", operand(x[0], Binding::Primary), x[1].text),
      typeName(type, /*isUnsigned=*/true), Binding::Primary};
}

static Found constantOf(arith::ConstantOp op) {
  if (auto integer = dyn_cast<IntegerAttr>(op.getValue())) {
    if (integer.getType().isInteger(1))
      return Expression{integer.getValue().isZero() ? "false" : "true", "bool"};
    return literal(integer.getValue().getSExtValue());
  }
  auto number = dyn_cast<FloatAttr>(op.getValue());
  if (!number)
    return std::nullopt;
  if (number.getType().isF32())
    return literal(number.getValue());
  return literal(
      static_cast<int64_t>(number.getValue().bitcastToAPInt().getZExtValue()));
}

static Expression toFloat(Operation &op, const Expression &x, bool hasSign) {
  return cast(cast(x, typeName(op.getOperand(0).getType(), !hasSign)), "float");
}

Found mlir::ssm::cuda::arithmeticOf(Operation &op, ArrayRef<Expression> x,
                                    Prelude &prelude) {
  Type type = op.getResult(0).getType();
  prelude.use(typeName(type));
  return llvm::TypeSwitch<Operation *, Found>(&op)
      .Case<arith::ConstantOp>([&](auto op) { return constantOf(op); })
      .Case<arith::SelectOp>([&](auto) { return choose(type, x); })
      .Case<arith::ExtFOp>([&](auto op) {
        return convertHalf(op.getIn().getType(), type, "widen", x[0], prelude);
      })
      .Case<arith::TruncFOp>([&](auto) {
        return convertHalf(type, type, "narrow", x[0], prelude);
      })
      .Case<arith::BitcastOp, LLVM::BitcastOp>([&](auto) {
        return reinterpret(op.getOperand(0).getType(), type, x[0], prelude);
      })
      .Case<arith::SIToFPOp>([&](auto) { return toFloat(op, x[0], true); })
      .Case<arith::UIToFPOp>([&](auto) { return toFloat(op, x[0], false); })
      .Case<LLVM::ExtractElementOp>([&](auto op) { return elementOf(op, x); })
      .Default([&](Operation *) {
        Type first = op.getNumOperands() ? op.getOperand(0).getType() : type;
        if (isa<IntegerType, IndexType>(first))
          return integerOf(op, x);
        return first.isF32() ? floatOf(op, x, prelude) : Found();
      });
}

StringRef mlir::ssm::cuda::stemFor(Operation &op) {
  if (auto intrinsic = dyn_cast<LLVM::CallIntrinsicOp>(op))
    return llvm::StringSwitch<StringRef>(functionFor(intrinsic.getIntrin()))
        .Case("ex2", "exp")
        .Case("lg2", "log")
        .Case("rcp", "inverse")
        .Case("fmaf", "fused")
        .Case("fabsf", "size")
        .Cases({"root", "rroot"}, "sqrt")
        .Default("rounded");
  if (auto index = dyn_cast<arith::IndexCastOp>(op))
    return index.getIn().getDefiningOp<gpu::BlockIdOp>() ? "block" : "index";
  return llvm::TypeSwitch<Operation *, StringRef>(&op)
      .Case<gpu::ShuffleOp>([](auto) { return "other"; })
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return "sum"; })
      .Case<arith::SubFOp, arith::SubIOp>([](auto) { return "rest"; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return "product"; })
      .Case<arith::DivUIOp, arith::DivSIOp, arith::DivFOp>(
          [](auto) { return "quotient"; })
      .Case<arith::RemUIOp, arith::RemSIOp>([](auto) { return "remainder"; })
      .Case<arith::CmpIOp, arith::CmpFOp, arith::AndIOp, arith::OrIOp,
            arith::XOrIOp>([](auto) { return "is"; })
      .Case<arith::SelectOp>([](auto) { return "chosen"; })
      .Case<arith::MinSIOp, arith::MaxSIOp>([](auto) { return "bounded"; })
      .Default([](Operation *) { return "value"; });
}
