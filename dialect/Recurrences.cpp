//===- Recurrences.cpp - The recurrence, of tensors and of scalars --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/ModelChecks.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::model;

//===----------------------------------------------------------------------===//
// ScanOp
//===----------------------------------------------------------------------===//

/// The type of `last` for states of type `states`: l removed.
static Type lastType(RankedTensorType states) {
  SmallVector<int64_t> shape(states.getShape());
  if (shape.size() > 1)
    shape.erase(shape.begin() + 1);
  return RankedTensorType::get(shape, states.getElementType());
}

Type mlir::ssm::savedType(RankedTensorType states, int64_t every) {
  SmallVector<int64_t> shape(states.getShape());
  if (shape.size() > 1)
    shape[1] = segmentsOf(shape[1], every);
  return RankedTensorType::get(shape, states.getElementType());
}

/// The syntax has one type for what must have one type.
static LogicalResult verifyType(Operation *op, StringRef label, StringRef name,
                                Value value, Type expected) {
  if (value.getType() == expected)
    return success();
  return op->emitOpError() << label << "'" << name << "' has type "
                           << value.getType() << ", expected " << expected;
}

/// (C7).
static LogicalResult verifySaved(ScanOp op) {
  std::optional<int64_t> every = op.getEvery();
  if (op.getSaved() && !every)
    return op.emitOpError("(C7) saves states, and nothing says how often; "
                          "expected 'every'");
  if (!every)
    return success();
  if (*every < 1)
    return op.emitOpError("(C7) saves states every ")
           << *every << " steps, expected a positive number";
  if (op.getSaved())
    return verifyType(op, "(C7) ", "saved", op.getSaved(),
                      savedType(tensorType(op.getA()), *every));
  if (op.getInit())
    return success();
  return op.emitOpError("(C7) has 'every', and neither saves states nor starts "
                        "from saved ones");
}

static LogicalResult verifyInit(ScanOp op, Extents &extents, bool hasStates) {
  MLIRContext *context = op.getContext();
  Value init = op.getInit();
  if (!init)
    return success();
  if (op.startsFromSaved())
    return verifyType(op, "(C7) ", "init", init,
                      savedType(tensorType(op.getA()), *op.getEvery()));
  int64_t stateRank = hasStates ? 3 : 2;
  if (failed(verifyRank(op, "(C2) ", "init", init, {stateRank, stateRank - 1},
                        hasStates ? "(b, d, n) or (d, n)" : "(b, d) or (d)")))
    return failure();
  SmallVector<Axis, 3> axes = {B, D, N};
  if (!hasStates)
    axes.pop_back();
  if (tensorType(init).getRank() != stateRank)
    axes.erase(axes.begin());
  return extents.add("init", init, access(context, axes));
}

LogicalResult ScanOp::verify() {
  if (failed(verifyRank(*this, "(C1) ", "a", getA(), {3, 4},
                        "(b, l, d, n) or (b, l, d)")) ||
      failed(verifyType(*this, "(C1) ", "b", getB(), getA().getType())))
    return failure();
  bool hasStates = tensorType(getA()).getRank() == 4;
  AccessAttr full = hasStates ? access(getContext(), {B, L, D, N})
                              : access(getContext(), {B, L, D});
  Extents extents(*this, "(C3) ");
  if (failed(extents.add("a", getA(), full)) || failed(verifySaved(*this)) ||
      failed(verifyInit(*this, extents, hasStates)) ||
      failed(verifyType(*this, "(C5) ", "states", getStates(),
                        getA().getType())) ||
      failed(verifyType(*this, "(C5) ", "last", getLast(),
                        lastType(tensorType(getA())))))
    return failure();
  Type element = tensorType(getA()).getElementType();
  if (getInit() && tensorType(getInit()).getElementType() != element)
    return emitOpError("(C4) found element type ")
           << tensorType(getInit()).getElementType() << " of 'init', expected "
           << element << ", that of 'a'";
  if (!hasStates)
    return success();
  if (getInit() && failed(verifyStateExtent(*this, "(C6) ", getInit())))
    return failure();
  return verifyStateExtent(*this, "(C6) ", getA());
}

/// Parses `every 64` into the attribute `name`.
static ParseResult parseEvery(OpAsmParser &parser, OperationState &result,
                              StringAttr name) {
  int64_t every = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword("every") || parser.parseInteger(every))
    return failure();
  if (every < 1)
    return parser.emitError(loc) << "(C7) saves states every " << every
                                 << " steps, expected a positive number";
  result.addAttribute(name, parser.getBuilder().getI64IntegerAttr(every));
  return success();
}

/// Parses `%a, %b [init(%h0 [every 64])]` into operands, shared by the tensor
/// and the scalar form of the recurrence, and the keywords before them. The
/// scalar form has no `every`.
static ParseResult
parseRecurrence(OpAsmParser &parser, OperationState &result,
                ArrayRef<StringAttr> keywords, StringAttr every,
                SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands) {
  for (StringAttr keyword : keywords)
    if (succeeded(parser.parseOptionalKeyword(keyword.getValue())))
      result.addAttribute(keyword, parser.getBuilder().getUnitAttr());
  if (parser.parseOperandList(operands, 2))
    return failure();
  if (failed(parser.parseOptionalKeyword("init")))
    return success();
  OpAsmParser::UnresolvedOperand init;
  if (parser.parseLParen() || parser.parseOperand(init))
    return failure();
  operands.push_back(init);
  if (every && failed(parser.parseOptionalRParen()))
    return failure(parseEvery(parser, result, every) || parser.parseRParen());
  return every ? success() : parser.parseRParen();
}

/// Prints the same, up to what follows `init`.
template <typename Op>
static void printRecurrence(OpAsmPrinter &p, Op op, const Twine &initSuffix) {
  if (op.getReverse())
    p << " reverse";
  if (op.getExclusive())
    p << " exclusive";
  p << ' ' << op.getA() << ", " << op.getB();
  if (op.getInit())
    p << " init(" << op.getInit() << initSuffix << ")";
}

ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  RankedTensorType type, init;
  SMLoc loc = parser.getCurrentLocation();
  StringAttr every = getEveryAttrName(result.name);
  if (parseRecurrence(
          parser, result,
          {getReverseAttrName(result.name), getExclusiveAttrName(result.name)},
          every, operands))
    return failure();
  bool isSaving = succeeded(parser.parseOptionalKeyword("save"));
  if (isSaving && result.attributes.get(every))
    return parser.emitError(loc, "(C7) starts from saved states and saves "
                                 "some, expected one of both");
  if ((isSaving && parseEvery(parser, result, every)) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(type))
    return failure();
  SmallVector<Type> types = {type, type};
  if (operands.size() == 3) {
    if (parser.parseComma() || parser.parseType(init))
      return failure();
    types.push_back(init);
  }
  if (parser.resolveOperands(operands, types, loc, result.operands))
    return failure();
  result.addTypes({type, lastType(type)});
  if (isSaving)
    result.addTypes(savedType(
        type, cast<IntegerAttr>(result.attributes.get(every)).getInt()));
  return success();
}

void ScanOp::print(OpAsmPrinter &p) {
  std::string every = getEvery() ? " every " + std::to_string(*getEvery()) : "";
  printRecurrence(p, *this, startsFromSaved() ? every : "");
  if (getSaved())
    p << " save" << every;
  p.printOptionalAttrDict((*this)->getAttrs(),
                          {"reverse", "exclusive", "every"});
  p << " : " << getA().getType();
  if (getInit())
    p << ", " << getInit().getType();
}

//===----------------------------------------------------------------------===//
// RecurrenceOp: the scalar form shares the syntax
//===----------------------------------------------------------------------===//

ParseResult RecurrenceOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  Type type;
  if (parseRecurrence(
          parser, result,
          {getReverseAttrName(result.name), getExclusiveAttrName(result.name)},
          /*every=*/nullptr, operands) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(type) ||
      parser.resolveOperands(operands, type, result.operands))
    return failure();
  result.addTypes({type, type});
  return success();
}

void RecurrenceOp::print(OpAsmPrinter &p) {
  printRecurrence(p, *this, "");
  p.printOptionalAttrDict((*this)->getAttrs(), {"reverse", "exclusive"});
  p << " : " << getA().getType();
}

LogicalResult RecurrenceOp::verify() {
  for (Type type :
       llvm::concat<const Type>(getOperandTypes(), getResultTypes()))
    if (type != getA().getType())
      return emitOpError("(C1) found type ")
             << type << ", expected " << getA().getType() << ", that of 'a'";
  return success();
}

//===----------------------------------------------------------------------===//
// Canonicalization
//===----------------------------------------------------------------------===//

namespace {
/// A zero initial state is the default. (A recurrence whose input is zero is
/// left alone: where its decay is infinite, its state is no number.)
template <typename Op> struct DropZeroInit : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isZero(op.getInit()))
      return rewriter.notifyMatchFailure(op, "no initial state known as zero");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInitMutable().clear();
      if constexpr (std::is_same_v<Op, ScanOp>)
        if (!op.getSaved())
          op.removeEveryAttr();
    });
    return success();
  }
};
} // namespace

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<DropZeroInit<ScanOp>>(context);
}

void RecurrenceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<DropZeroInit<RecurrenceOp>>(context);
}
