//===- ModelOps.cpp - Verifiers and folders of the model IR ops --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/SSMDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Collects the extent of each axis over the operands of an op and reports
/// the first disagreement.
class Extents {
public:
  Extents(Operation *op, StringRef label) : op(op), label(label) {}

  LogicalResult add(StringRef name, Value value, AccessAttr access) {
    auto type = cast<RankedTensorType>(value.getType());
    for (auto [dim, axis] : llvm::enumerate(access.getAxes())) {
      int64_t extent = type.getDimSize(dim);
      if (axis == Axis::Group)
        groups.push_back({name, extent});
      else if (failed(merge(name, dim, axis, extent)))
        return failure();
    }
    return success();
  }

  LogicalResult finish() {
    int64_t channels = extents[static_cast<unsigned>(Axis::Channel)];
    for (auto [name, extent] : groups) {
      if (extent == ShapedType::kDynamic || extent < 1)
        return op->emitOpError() << label << "'" << name
                                 << "' has a dynamic or empty group extent, "
                                    "expected a static positive one";
      if (channels != ShapedType::kDynamic && channels % extent != 0)
        return op->emitOpError() << label << "'" << name << "' has " << extent
                                 << " groups, which do not divide the "
                                 << channels << " channels";
    }
    return success();
  }

private:
  LogicalResult merge(StringRef name, unsigned dim, Axis axis, int64_t extent) {
    int64_t &known = extents[static_cast<unsigned>(axis)];
    if (extent == ShapedType::kDynamic)
      return success();
    if (known != ShapedType::kDynamic && known != extent)
      return op->emitOpError()
             << label << "dimension " << dim << " (" << stringifyAxis(axis)
             << ") of '" << name << "' is " << extent << ", expected " << known;
    known = extent;
    return success();
  }

  Operation *op;
  StringRef label;
  int64_t extents[5] = {ShapedType::kDynamic, ShapedType::kDynamic,
                        ShapedType::kDynamic, ShapedType::kDynamic,
                        ShapedType::kDynamic};
  SmallVector<std::pair<StringRef, int64_t>> groups;
};

} // namespace

static AccessAttr access(MLIRContext *context, ArrayRef<Axis> axes) {
  return AccessAttr::get(context, axes);
}

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static LogicalResult verifyRank(Operation *op, StringRef label, StringRef name,
                                Value value, ArrayRef<int64_t> ranks,
                                StringRef meaning) {
  if (llvm::is_contained(ranks, tensorType(value).getRank()))
    return success();
  return op->emitOpError() << label << "'" << name << "' has type "
                           << value.getType() << ", expected " << meaning;
}

static LogicalResult verifyStateExtent(Operation *op, StringRef label,
                                       Value states) {
  int64_t extent = tensorType(states).getShape().back();
  if (extent != ShapedType::kDynamic && extent > 0)
    return success();
  return op->emitOpError()
         << label << "the state extent of " << states.getType()
         << " is dynamic or zero, expected a static positive number";
}

static const Axis B = Axis::Batch, L = Axis::Length, D = Axis::Channel,
                  N = Axis::State, G = Axis::Group;

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

/// The type of what is saved of such states: segments in place of l.
static Type savedType(RankedTensorType states, int64_t every) {
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

static void printRecurrence(OpAsmPrinter &p, Operation *op,
                            ArrayRef<StringRef> keywords, Value a, Value b,
                            Value init) {
  for (StringRef keyword : keywords)
    if (op->hasAttr(keyword))
      p << ' ' << keyword;
  p << ' ' << a << ", " << b;
  auto scan = dyn_cast<ScanOp>(op);
  if (init)
    p << " init(" << init;
  if (init && scan && scan.startsFromSaved())
    p << " every " << *scan.getEvery();
  if (init)
    p << ")";
  if (scan && scan.getSaved())
    p << " save every " << *scan.getEvery();
  SmallVector<StringRef> elided(keywords);
  elided.push_back("every");
  p.printOptionalAttrDict(op->getAttrs(), elided);
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
  printRecurrence(p, *this, {"reverse", "exclusive"}, getA(), getB(),
                  getInit());
  p << " : " << getA().getType();
  if (getInit())
    p << ", " << getInit().getType();
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

namespace {
/// A zero initial state is the default. (A recurrence whose input is zero is
/// left alone: where its decay is infinite, its state is no number.)
template <typename Op> struct DropZeroInit : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isZero(op.getInit()))
      return rewriter.notifyMatchFailure(op, "no initial state known as zero");
    rewriter.modifyOpInPlace(op, [&] { op.getInitMutable().clear(); });
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
  printRecurrence(p, *this, {"reverse", "exclusive"}, getA(), getB(),
                  getInit());
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
