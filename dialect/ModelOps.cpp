//===- ModelOps.cpp - Verifiers and folders of the model IR ops --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/ModelChecks.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::model;

/// (b, l, g, n) for an input-dependent matrix, (d, n) for a constant one.
static AccessAttr matrixAccess(Value matrix) {
  MLIRContext *context = matrix.getContext();
  return tensorType(matrix).getRank() == 4 ? access(context, {B, L, G, N})
                                           : access(context, {D, N});
}

//===----------------------------------------------------------------------===//
// DiscretizeOp
//===----------------------------------------------------------------------===//

AccessAttr DiscretizeOp::deltaAccess() {
  return tensorType(getDelta()).getRank() == 3 ? access(getContext(), {B, L, D})
                                               : access(getContext(), {D});
}

AccessAttr DiscretizeOp::inputMatrixAccess() { return matrixAccess(getB()); }

static LogicalResult verifyDiscretizeTypes(DiscretizeOp op) {
  Type real = tensorType(op.getU()).getElementType();
  for (Value value : op->getOperands())
    if (realTypeOf(tensorType(value).getElementType()) != real)
      return op.emitOpError("(C6) found element type ")
             << tensorType(value).getElementType() << ", expected " << real
             << (value == op.getDelta() ? "" : " or its complex type");
  bool isComplex = isa<ComplexType>(tensorType(op.getA()).getElementType()) ||
                   isa<ComplexType>(tensorType(op.getB()).getElementType());
  Type element = isComplex ? Type(ComplexType::get(real)) : real;
  if (tensorType(op.getABar()).getElementType() != element)
    return op.emitOpError("(C7) found result element type ")
           << tensorType(op.getABar()).getElementType() << ", expected "
           << element;
  return success();
}

LogicalResult DiscretizeOp::verify() {
  if (failed(verifyRank(*this, "(C1) ", "delta", getDelta(), {1, 3},
                        "(b, l, d) or (d)")) ||
      failed(verifyRank(*this, "(C2) ", "A", getA(), {2}, "(d, n)")) ||
      failed(verifyRank(*this, "(C3) ", "B", getB(), {2, 4},
                        "(b, l, g, n) or (d, n)")) ||
      failed(verifyRank(*this, "(C4) ", "u", getU(), {3}, "(b, l, d)")) ||
      failed(
          verifyRank(*this, "(C7) ", "a_bar", getABar(), {4}, "(b, l, d, n)")))
    return failure();
  Extents extents(*this, "(C5) ");
  if (failed(extents.add("u", getU(), access(getContext(), {B, L, D}))) ||
      failed(extents.add("delta", getDelta(), deltaAccess())) ||
      failed(extents.add("A", getA(), access(getContext(), {D, N}))) ||
      failed(extents.add("B", getB(), inputMatrixAccess())) ||
      failed(extents.add("a_bar", getABar(),
                         access(getContext(), {B, L, D, N}))) ||
      failed(extents.finish()) || failed(verifyDiscretizeTypes(*this)))
    return failure();
  for (Value value : {getA(), getB(), getABar()})
    if (failed(verifyStateExtent(*this, "(C8) ", value)))
      return failure();
  if (getBBar().getType() != getABar().getType())
    return emitOpError("(C7) 'b_bar' has type ")
           << getBBar().getType() << ", expected " << getABar().getType()
           << ", that of 'a_bar'";
  return success();
}

ParseResult DiscretizeOp::parse(OpAsmParser &parser, OperationState &result) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<DiscretizeRule> rule = symbolizeDiscretizeRule(keyword);
  if (!rule)
    return parser.emitError(loc) << "unknown rule '" << keyword
                                 << "', expected zoh, mamba, bilinear or euler";
  result.addAttribute(getRuleAttrName(result.name),
                      DiscretizeRuleAttr::get(parser.getContext(), *rule));
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
  Type resultType;
  SMLoc operandsLoc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands, 4) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonTypeList(types) || parser.parseArrow() ||
      parser.parseType(resultType) ||
      parser.resolveOperands(operands, types, operandsLoc, result.operands))
    return failure();
  result.addTypes({resultType, resultType});
  return success();
}

void DiscretizeOp::print(OpAsmPrinter &p) {
  p << ' ' << stringifyDiscretizeRule(getRule()) << ' ' << getOperands();
  p.printOptionalAttrDict((*this)->getAttrs(), {getRuleAttrName()});
  p << " : " << getOperandTypes() << " -> " << getABar().getType();
}

bool mlir::ssm::isZero(Value value) {
  Attribute constant;
  if (!value || !matchPattern(value, m_Constant(&constant)))
    return false;
  auto isZeroPart = [](Attribute part) {
    auto number = dyn_cast<FloatAttr>(part);
    return number && number.getValue().isZero();
  };
  if (auto parts = dyn_cast<ArrayAttr>(constant))
    return llvm::all_of(parts, isZeroPart);
  auto splat = dyn_cast<SplatElementsAttr>(constant);
  if (!splat || !isa<ComplexType>(splat.getElementType()))
    return matchPattern(value, m_AnyZeroFloat());
  auto number = splat.getSplatValue<std::complex<APFloat>>();
  return number.real().isZero() && number.imag().isZero();
}

/// The sum of zeros is zero.
OpFoldResult SumOp::fold(FoldAdaptor) {
  return isZero(getValue()) ? OpFoldResult(getValue()) : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// The element type of a group op's result.
static LogicalResult verifyElement(Operation *op, StringRef label, Value result,
                                   Value value) {
  Type found = tensorType(result).getElementType();
  Type expected = tensorType(value).getElementType();
  if (found == expected)
    return success();
  return op->emitOpError() << label << "found element type " << found
                           << " of 'result', expected " << expected
                           << ", that of 'value'";
}

LogicalResult SpreadGroupsOp::verify() {
  if (failed(verifyRank(*this, "(C1) ", "value", getValue(), {4},
                        "(b, l, g, n)")) ||
      failed(verifyRank(*this, "(C2) ", "like", getLike(), {3}, "(b, l, d)")) ||
      failed(verifyRank(*this, "(C4) ", "result", getResult(), {4},
                        "(b, l, d, n)")))
    return failure();
  Extents extents(*this, "(C3) ");
  if (failed(extents.add("value", getValue(),
                         access(getContext(), {B, L, Axis::Group, N}))) ||
      failed(extents.add("like", getLike(), access(getContext(), {B, L, D}))) ||
      failed(extents.add("result", getResult(),
                         access(getContext(), {B, L, D, N}))) ||
      failed(extents.finish()))
    return failure();
  return verifyElement(*this, "(C4) ", getResult(), getValue());
}

LogicalResult SumGroupsOp::verify() {
  if (failed(verifyRank(*this, "(C1) ", "value", getValue(), {4},
                        "(b, l, d, n)")) ||
      failed(verifyRank(*this, "(C2) ", "result", getResult(), {4},
                        "(b, l, g, n)")))
    return failure();
  Extents extents(*this, "(C3) ");
  if (failed(extents.add("value", getValue(),
                         access(getContext(), {B, L, D, N}))) ||
      failed(extents.add("result", getResult(),
                         access(getContext(), {B, L, Axis::Group, N}))) ||
      failed(extents.finish()))
    return failure();
  return verifyElement(*this, "(C2) ", getResult(), getValue());
}

//===----------------------------------------------------------------------===//
// ReadoutOp
//===----------------------------------------------------------------------===//

AccessAttr ReadoutOp::outputMatrixAccess() { return matrixAccess(getC()); }

LogicalResult ReadoutOp::verify() {
  if (failed(verifyRank(*this, "(C1) ", "states", getStates(), {4},
                        "(b, l, d, n)")) ||
      failed(verifyRank(*this, "(C2) ", "C", getC(), {2, 4},
                        "(b, l, g, n) or (d, n)")) ||
      failed(verifyRank(*this, "(C5) ", "y", getY(), {3}, "(b, l, d)")))
    return failure();
  Extents extents(*this, "(C3) ");
  if (failed(extents.add("states", getStates(),
                         access(getContext(), {B, L, D, N}))) ||
      failed(extents.add("C", getC(), outputMatrixAccess())) ||
      failed(extents.add("y", getY(), access(getContext(), {B, L, D}))) ||
      failed(extents.finish()))
    return failure();
  Type real = tensorType(getY()).getElementType();
  for (Value value : getOperands())
    if (realTypeOf(tensorType(value).getElementType()) != real)
      return emitOpError("(C4) found element type ")
             << tensorType(value).getElementType() << ", expected " << real
             << " or its complex type";
  for (Value value : getOperands())
    if (failed(verifyStateExtent(*this, "(C6) ", value)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// GateOp
//===----------------------------------------------------------------------===//

ParseResult GateOp::parse(OpAsmParser &parser, OperationState &result) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<Activation> activation = symbolizeActivation(keyword);
  if (!activation)
    return parser.emitError(loc)
           << "unknown activation '" << keyword
           << "', expected identity, silu, sigmoid or gelu";
  result.addAttribute(getActivationAttrName(result.name),
                      ActivationAttr::get(parser.getContext(), *activation));
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  Type type;
  if (parser.parseOperandList(operands, 2) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(type) ||
      parser.resolveOperands(operands, type, result.operands))
    return failure();
  result.addTypes(type);
  return success();
}

void GateOp::print(OpAsmPrinter &p) {
  p << ' ' << stringifyActivation(getActivation()) << ' ' << getOperands();
  p.printOptionalAttrDict((*this)->getAttrs(), {getActivationAttrName()});
  p << " : " << getType();
}

/// Multiplying by 1 changes nothing.
OpFoldResult GateOp::fold(FoldAdaptor) {
  if (getActivation() != Activation::Identity)
    return {};
  if (matchPattern(getZ(), m_OneFloat()))
    return getY();
  if (matchPattern(getY(), m_OneFloat()))
    return getZ();
  return {};
}
