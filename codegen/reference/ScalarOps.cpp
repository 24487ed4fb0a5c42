//===- ScalarOps.cpp - Scalar ops in double precision ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/ScalarOps.h"

#include "dialect/BodyOps.h"
#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::ssm;

using S = const Scalar &;

/// Applies a function of the C library to the real part.
template <double (*Function)(double)> static Scalar real1(S a, S, S, int64_t) {
  return Function(a.real());
}

template <double (*Function)(double, double)>
static Scalar real2(S a, S b, S, int64_t) {
  return Function(a.real(), b.real());
}

static Scalar unchanged(S a, S, S, int64_t) { return a; }

double mlir::ssm::roundedTo(int64_t semantics, double number) {
  APFloat rounded(number);
  bool isInexact;
  rounded.convert(
      APFloat::EnumToSemantics(static_cast<APFloat::Semantics>(semantics)),
      APFloat::rmNearestTiesToEven, &isInexact);
  rounded.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &isInexact);
  return rounded.convertToDouble();
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static Scalar compareFloats(S a, S b, S, int64_t predicate) {
  double x = a.real(), y = b.real();
  bool unordered = std::isnan(x) || std::isnan(y);
  switch (static_cast<arith::CmpFPredicate>(predicate)) {
  case arith::CmpFPredicate::AlwaysFalse:
    return 0.0;
  case arith::CmpFPredicate::OEQ:
    return x == y;
  case arith::CmpFPredicate::OGT:
    return x > y;
  case arith::CmpFPredicate::OGE:
    return x >= y;
  case arith::CmpFPredicate::OLT:
    return x < y;
  case arith::CmpFPredicate::OLE:
    return x <= y;
  case arith::CmpFPredicate::ONE:
    return !unordered && x != y;
  case arith::CmpFPredicate::ORD:
    return !unordered;
  case arith::CmpFPredicate::UEQ:
    return unordered || x == y;
  case arith::CmpFPredicate::UGT:
    return unordered || x > y;
  case arith::CmpFPredicate::UGE:
    return unordered || x >= y;
  case arith::CmpFPredicate::ULT:
    return unordered || x < y;
  case arith::CmpFPredicate::ULE:
    return unordered || x <= y;
  case arith::CmpFPredicate::UNE:
    return unordered || x != y;
  case arith::CmpFPredicate::UNO:
    return unordered;
  case arith::CmpFPredicate::AlwaysTrue:
    return 1.0;
  }
  llvm_unreachable("all predicates are listed");
}

/// The integer that `a` holds; 0 where a conversion from a float overflowed.
static int64_t integer(S a) {
  return std::fabs(a.real()) < 0x1p63 ? static_cast<int64_t>(a.real()) : 0;
}

static Scalar compareIntegers(S a, S b, S, int64_t predicate) {
  int64_t x = integer(a), y = integer(b);
  // Sign extension keeps the unsigned order of values of one width.
  auto ux = static_cast<uint64_t>(x), uy = static_cast<uint64_t>(y);
  switch (static_cast<arith::CmpIPredicate>(predicate)) {
  case arith::CmpIPredicate::eq:
    return x == y;
  case arith::CmpIPredicate::ne:
    return x != y;
  case arith::CmpIPredicate::slt:
    return x < y;
  case arith::CmpIPredicate::sle:
    return x <= y;
  case arith::CmpIPredicate::sgt:
    return x > y;
  case arith::CmpIPredicate::sge:
    return x >= y;
  case arith::CmpIPredicate::ult:
    return ux < uy;
  case arith::CmpIPredicate::ule:
    return ux <= uy;
  case arith::CmpIPredicate::ugt:
    return ux > uy;
  case arith::CmpIPredicate::uge:
    return ux >= uy;
  }
  llvm_unreachable("all predicates are listed");
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// `value` as a number of `width` bits.
static Scalar wrap(uint64_t value, int64_t width) {
  if (width == 1)
    return static_cast<double>(value & 1);
  return static_cast<double>(llvm::SignExtend64(value, width));
}

static Scalar truncated(S a, S, S, int64_t width) {
  return wrap(static_cast<uint64_t>(integer(a)), width);
}

/// Reads an integer of `width` bits as a signed number: i1's true is -1.
static Scalar asSigned(S a, S, S, int64_t width) {
  return width == 1 ? -a.real() : a.real();
}

/// Reads an integer of `width` bits as an unsigned number.
static Scalar asUnsigned(S a, S, S, int64_t width) {
  return a.real() < 0.0 ? a.real() + std::ldexp(1.0, width) : a.real();
}

template <typename Function>
static Scalar integers(S a, S b, int64_t width, Function function) {
  return wrap(function(static_cast<uint64_t>(integer(a)),
                       static_cast<uint64_t>(integer(b))),
              width);
}

/// The predicate for i1, whose true is 1 here: where it is signed, -1.
static arith::CmpIPredicate ofTruthValues(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::slt:
    return arith::CmpIPredicate::ugt;
  case arith::CmpIPredicate::sle:
    return arith::CmpIPredicate::uge;
  case arith::CmpIPredicate::sgt:
    return arith::CmpIPredicate::ult;
  case arith::CmpIPredicate::sge:
    return arith::CmpIPredicate::ule;
  default:
    return predicate;
  }
}

/// Bits of an integer type; those of `index` are 64.
static int64_t widthOf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isInteger() ? element.getIntOrFloatBitWidth() : 64;
}

//===----------------------------------------------------------------------===//
// Functions that the C library lacks
//===----------------------------------------------------------------------===//

static double gateOf(double z, Activation activation) {
  switch (activation) {
  case Activation::Identity:
    return z;
  case Activation::Silu:
    return z / (1.0 + std::exp(-z));
  case Activation::Sigmoid:
    return 1.0 / (1.0 + std::exp(-z));
  case Activation::Gelu:
    // erfc keeps the accuracy where 1 + erf cancels.
    return 0.5 * z * std::erfc(-z / std::numbers::sqrt2);
  }
  llvm_unreachable("all activations are listed");
}

static Scalar gate(S y, S z, S, int64_t activation) {
  return y.real() * gateOf(z.real(), static_cast<Activation>(activation));
}

/// exp(z) - 1 without cancellation near 0.
static Scalar complexExpm1(S z, S, S, int64_t) {
  double half = std::sin(0.5 * z.imag());
  return {std::expm1(z.real()) * std::cos(z.imag()) - 2.0 * half * half,
          std::exp(z.real()) * std::sin(z.imag())};
}

static Scalar maximum(S a, S b, S, int64_t) {
  double x = a.real(), y = b.real();
  return std::isnan(x) || std::isnan(y) ? x + y : std::fmax(x, y);
}

static Scalar minimum(S a, S b, S, int64_t) {
  double x = a.real(), y = b.real();
  return std::isnan(x) || std::isnan(y) ? x + y : std::fmin(x, y);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

using Table = llvm::StringMap<ScalarFunction>;

static void addArith(Table &table) {
  table["arith.addf"] = [](S a, S b, S, int64_t) -> Scalar {
    return a.real() + b.real();
  };
  table["arith.subf"] = [](S a, S b, S, int64_t) -> Scalar {
    return a.real() - b.real();
  };
  table["arith.mulf"] = [](S a, S b, S, int64_t) -> Scalar {
    return a.real() * b.real();
  };
  table["arith.divf"] = [](S a, S b, S, int64_t) -> Scalar {
    return a.real() / b.real();
  };
  table["arith.negf"] = [](S a, S, S, int64_t) -> Scalar { return -a.real(); };
  table["arith.remf"] = real2<::fmod>;
  table["arith.maximumf"] = maximum;
  table["arith.minimumf"] = minimum;
  table["arith.maxnumf"] = real2<::fmax>;
  table["arith.minnumf"] = real2<::fmin>;
  table["arith.cmpf"] = compareFloats;
  table["arith.select"] = [](S condition, S a, S b, int64_t) -> Scalar {
    return condition.real() != 0.0 ? a : b;
  };
  table["arith.extf"] = unchanged;
  table["arith.truncf"] = unchanged;
}

static void addIntegers(Table &table) {
  table["arith.cmpi"] = compareIntegers;
  table["arith.addi"] = [](S a, S b, S, int64_t width) {
    return integers(a, b, width, std::plus<uint64_t>());
  };
  table["arith.subi"] = [](S a, S b, S, int64_t width) {
    return integers(a, b, width, std::minus<uint64_t>());
  };
  table["arith.muli"] = [](S a, S b, S, int64_t width) {
    return integers(a, b, width, std::multiplies<uint64_t>());
  };
  table["arith.andi"] = [](S a, S b, S, int64_t width) {
    return integers(a, b, width, std::bit_and<uint64_t>());
  };
  table["arith.ori"] = [](S a, S b, S, int64_t width) {
    return integers(a, b, width, std::bit_or<uint64_t>());
  };
  table["arith.xori"] = [](S a, S b, S, int64_t width) {
    return integers(a, b, width, std::bit_xor<uint64_t>());
  };
  table["arith.maxsi"] = [](S a, S b, S, int64_t width) -> Scalar {
    return width == 1 ? real2<::fmin>(a, b, b, 0) : real2<::fmax>(a, b, b, 0);
  };
  table["arith.minsi"] = [](S a, S b, S, int64_t width) -> Scalar {
    return width == 1 ? real2<::fmax>(a, b, b, 0) : real2<::fmin>(a, b, b, 0);
  };
  table["arith.trunci"] = truncated;
  table["arith.fptosi"] = real1<::trunc>;
  for (StringRef name : {"arith.sitofp", "arith.extsi", "arith.index_cast"})
    table[name] = asSigned;
  for (StringRef name : {"arith.uitofp", "arith.extui", "arith.index_castui"})
    table[name] = asUnsigned;
}

static void addMath(Table &table) {
  table["math.exp"] = real1<::exp>;
  table["math.exp2"] = real1<::exp2>;
  table["math.expm1"] = real1<::expm1>;
  table["math.log"] = real1<::log>;
  table["math.log2"] = real1<::log2>;
  table["math.log10"] = real1<::log10>;
  table["math.log1p"] = real1<::log1p>;
  table["math.sqrt"] = real1<::sqrt>;
  table["math.cbrt"] = real1<::cbrt>;
  table["math.sin"] = real1<::sin>;
  table["math.cos"] = real1<::cos>;
  table["math.tan"] = real1<::tan>;
  table["math.asin"] = real1<::asin>;
  table["math.acos"] = real1<::acos>;
  table["math.atan"] = real1<::atan>;
  table["math.sinh"] = real1<::sinh>;
  table["math.cosh"] = real1<::cosh>;
  table["math.tanh"] = real1<::tanh>;
  table["math.asinh"] = real1<::asinh>;
  table["math.acosh"] = real1<::acosh>;
  table["math.atanh"] = real1<::atanh>;
  table["math.erf"] = real1<::erf>;
  table["math.erfc"] = real1<::erfc>;
  table["math.absf"] = real1<::fabs>;
  table["math.floor"] = real1<::floor>;
  table["math.ceil"] = real1<::ceil>;
  table["math.trunc"] = real1<::trunc>;
  table["math.round"] = real1<::round>;
  table["math.roundeven"] = real1<::nearbyint>;
  table["math.powf"] = real2<::pow>;
  table["math.atan2"] = real2<::atan2>;
  table["math.copysign"] = real2<::copysign>;
  table["math.rsqrt"] = [](S a, S, S, int64_t) -> Scalar {
    return 1.0 / std::sqrt(a.real());
  };
  table["math.fma"] = [](S a, S b, S c, int64_t) -> Scalar {
    return std::fma(a.real(), b.real(), c.real());
  };
  table["math.clampf"] = [](S value, S low, S high, int64_t) {
    return minimum(maximum(value, low, low, 0), high, high, 0);
  };
  table["math.isnan"] = [](S a, S, S, int64_t) -> Scalar {
    return std::isnan(a.real());
  };
  table["math.isinf"] = [](S a, S, S, int64_t) -> Scalar {
    return std::isinf(a.real());
  };
  table["math.isfinite"] = [](S a, S, S, int64_t) -> Scalar {
    return std::isfinite(a.real());
  };
}

static void addComplex(Table &table) {
  table["complex.create"] = [](S re, S im, S, int64_t) -> Scalar {
    return {re.real(), im.real()};
  };
  table["complex.re"] = [](S a, S, S, int64_t) -> Scalar { return a.real(); };
  table["complex.im"] = [](S a, S, S, int64_t) -> Scalar { return a.imag(); };
  table["complex.add"] = [](S a, S b, S, int64_t) -> Scalar { return a + b; };
  table["complex.sub"] = [](S a, S b, S, int64_t) -> Scalar { return a - b; };
  table["complex.mul"] = [](S a, S b, S, int64_t) -> Scalar { return a * b; };
  table["complex.div"] = [](S a, S b, S, int64_t) -> Scalar { return a / b; };
  table["complex.neg"] = [](S a, S, S, int64_t) -> Scalar { return -a; };
  table["complex.conj"] = [](S a, S, S, int64_t) { return std::conj(a); };
  table["complex.abs"] = [](S a, S, S, int64_t) -> Scalar {
    return std::abs(a);
  };
  table["complex.angle"] = [](S a, S, S, int64_t) -> Scalar {
    return std::arg(a);
  };
  table["complex.exp"] = [](S a, S, S, int64_t) { return std::exp(a); };
  table["complex.expm1"] = complexExpm1;
  table["complex.log"] = [](S a, S, S, int64_t) { return std::log(a); };
  table["complex.sqrt"] = [](S a, S, S, int64_t) { return std::sqrt(a); };
  table["complex.pow"] = [](S a, S b, S, int64_t) { return std::pow(a, b); };
  table["complex.sin"] = [](S a, S, S, int64_t) { return std::sin(a); };
  table["complex.cos"] = [](S a, S, S, int64_t) { return std::cos(a); };
  table["complex.tan"] = [](S a, S, S, int64_t) { return std::tan(a); };
  table["complex.tanh"] = [](S a, S, S, int64_t) { return std::tanh(a); };
  table["complex.eq"] = [](S a, S b, S, int64_t) -> Scalar { return a == b; };
  table["complex.neq"] = [](S a, S b, S, int64_t) -> Scalar { return a != b; };
}

static const Table &functions() {
  static const Table table = [] {
    Table result;
    addArith(result);
    addIntegers(result);
    addMath(result);
    addComplex(result);
    result["ssm.gate"] = gate;
    return result;
  }();
  return table;
}

bool mlir::ssm::hasScalarRule(StringRef name) {
  return functions().contains(name);
}

static bool isComputedWith(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner(), *around = user->getParentOp();
    if (!user->hasTrait<OpTrait::IsTerminator>())
      return true;
    unsigned number = use.getOperandNumber();
    return number < around->getNumResults() &&
           isComputedWith(around->getResult(number));
  });
}

bool mlir::ssm::isRounded(Operation *op) {
  if (op->getNumResults() != 1 || isa<arith::ConstantOp>(op) ||
      !isa_and_present<arith::ArithDialect, math::MathDialect>(
          op->getDialect()))
    return false;
  Value result = op->getResult(0);
  return (isa<arith::TruncFOp>(op) || isHalf(result.getType())) &&
         isComputedWith(result);
}

static int64_t roundingOf(Operation *op) {
  if (!isRounded(op) || op->hasAttr(kExactAttrName))
    return -1;
  auto type = cast<FloatType>(getElementTypeOrSelf(op->getResult(0)));
  return APFloat::SemanticsToEnum(type.getFloatSemantics());
}

std::optional<ScalarOp> mlir::ssm::scalarOpOf(Operation *op) {
  auto it = functions().find(op->getName().getStringRef());
  if (it == functions().end() || op->getNumResults() != 1)
    return std::nullopt;
  ScalarOp rule{it->second};
  rule.rounding = roundingOf(op);
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    rule.parameter = static_cast<int64_t>(compare.getPredicate());
  else if (auto compare = dyn_cast<arith::CmpIOp>(op))
    rule.parameter =
        static_cast<int64_t>(getElementTypeOrSelf(compare.getLhs()).isInteger(1)
                                 ? ofTruthValues(compare.getPredicate())
                                 : compare.getPredicate());
  else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op) &&
           getElementTypeOrSelf(op->getOperand(0)).isIndex())
    rule = {truncated, widthOf(op->getResult(0).getType())};
  else if (auto gateOp = dyn_cast<GateOp>(op))
    rule.parameter = static_cast<int64_t>(gateOp.getActivation());
  else if (it->second == asSigned || it->second == asUnsigned)
    rule.parameter = widthOf(op->getOperand(0).getType());
  else
    rule.parameter = widthOf(op->getResult(0).getType());
  return rule;
}

/// The value of a number's attribute.
static std::optional<double> realOf(Attribute attribute) {
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return number.getValueAsDouble();
  auto number = dyn_cast<IntegerAttr>(attribute);
  if (!number)
    return std::nullopt;
  if (number.getType().isInteger(1))
    return number.getValue().isZero() ? 0.0 : 1.0;
  return static_cast<double>(number.getValue().getSExtValue());
}

std::optional<Scalar> mlir::ssm::scalarOf(Attribute constant) {
  auto parts = dyn_cast_or_null<ArrayAttr>(constant);
  if (!parts)
    return constant ? realOf(constant) : std::nullopt;
  if (parts.size() != 2)
    return std::nullopt;
  std::optional<double> re = realOf(parts[0]), im = realOf(parts[1]);
  if (!re || !im)
    return std::nullopt;
  return Scalar(*re, *im);
}
