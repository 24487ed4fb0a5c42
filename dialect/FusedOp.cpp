//===- FusedOp.cpp - The fused op: syntax and rules -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/BodyOps.h"
#include "dialect/Dependence.h"
#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

static ParseResult parseSquareAccess(OpAsmParser &parser, Attribute &access) {
  access = ssm::parseAccess(parser, OpAsmParser::Delimiter::Square);
  return success(access != nullptr);
}

namespace {
/// What `(%x = %u[b, l, d] : type, ...)` lists.
struct FusedInputs {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
  SmallVector<Attribute> accesses;
};
} // namespace

static ParseResult parseInput(OpAsmParser &parser, FusedInputs &inputs) {
  auto &argument = inputs.arguments.emplace_back();
  if (parser.parseArgument(argument) || parser.parseEqual() ||
      parser.parseOperand(inputs.operands.emplace_back()) ||
      parseSquareAccess(parser, inputs.accesses.emplace_back()))
    return failure();
  RankedTensorType type;
  if (parser.parseColonType(type))
    return failure();
  argument.type = type.getElementType();
  inputs.types.push_back(type);
  return success();
}

ParseResult FusedOp::parse(OpAsmParser &parser, OperationState &result) {
  FusedInputs inputs;
  SmallVector<Attribute> resultAccesses;
  auto parseOneInput = [&] { return parseInput(parser, inputs); };
  auto parseOneResult = [&]() -> ParseResult {
    return failure(parseSquareAccess(parser, resultAccesses.emplace_back()) ||
                   parser.parseColonType(result.types.emplace_back()));
  };
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                     parseOneInput) ||
      parser.parseArrow() ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                     parseOneResult))
    return failure();
  Builder &builder = parser.getBuilder();
  if (succeeded(parser.parseOptionalKeyword("schedule"))) {
    Attribute schedule;
    if (parser.parseLParen() || parser.parseAttribute(schedule) ||
        parser.parseRParen())
      return failure();
    result.addAttribute(getScheduleAttrName(result.name), schedule);
  }
  result.addAttribute(getInputAccessesAttrName(result.name),
                      builder.getArrayAttr(inputs.accesses));
  result.addAttribute(getResultAccessesAttrName(result.name),
                      builder.getArrayAttr(resultAccesses));
  return failure(parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
                 parser.parseRegion(*result.addRegion(), inputs.arguments) ||
                 parser.resolveOperands(inputs.operands, inputs.types, loc,
                                        result.operands));
}

void FusedOp::print(OpAsmPrinter &p) {
  p << " (";
  for (auto [i, input] : llvm::enumerate(getInputs())) {
    p << (i ? ", " : "");
    p.printRegionArgument(getBlock()->getArgument(i), {}, /*omitType=*/true);
    p << " = " << input << toString(inputAccess(i)) << " : " << input.getType();
  }
  p << ") -> (";
  for (auto [i, type] : llvm::enumerate(getResultTypes()))
    p << (i ? ", " : "") << toString(resultAccess(i)) << " : " << type;
  p << ")";
  if (getSchedule())
    p << " schedule(" << getScheduleAttr() << ")";
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                     {getInputAccessesAttrName(),
                                      getResultAccessesAttrName(),
                                      getScheduleAttrName()});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

int64_t FusedOp::axisExtent(Axis axis) {
  auto extentIn = [axis](Type type, AccessAttr access) {
    int64_t dim = access.dimOf(axis);
    return dim < 0 ? ShapedType::kDynamic
                   : cast<RankedTensorType>(type).getDimSize(dim);
  };
  for (auto [i, input] : llvm::enumerate(getInputs()))
    if (int64_t extent = extentIn(input.getType(), inputAccess(i));
        extent != ShapedType::kDynamic)
      return extent;
  for (auto [i, type] : llvm::enumerate(getResultTypes()))
    if (int64_t extent = extentIn(type, resultAccess(i));
        extent != ShapedType::kDynamic)
      return extent;
  return ShapedType::kDynamic;
}

int64_t FusedOp::stateExtent() {
  int64_t extent = axisExtent(Axis::State);
  return extent == ShapedType::kDynamic ? 1 : extent;
}

//===----------------------------------------------------------------------===//
// Rules of the operands
//===----------------------------------------------------------------------===//

/// (C1) and (C2) for one tensor. `extents` holds what is known of each axis.
static LogicalResult verifyTensor(FusedOp op, const Twine &name,
                                  RankedTensorType tensor, AccessAttr access,
                                  MutableArrayRef<int64_t> extents) {
  if (tensor.getRank() != access.rank())
    return op.emitOpError("(C1) ")
           << name << " has type " << tensor << " but access "
           << toString(access) << "; expected one axis a dimension";
  for (auto [dim, axis] : llvm::enumerate(access.getAxes())) {
    int64_t extent = tensor.getDimSize(dim);
    bool isStatic = axis == Axis::State || axis == Axis::Group;
    if (isStatic && (extent == ShapedType::kDynamic || extent < 1))
      return op.emitOpError("(C2) ")
             << name << " has a dynamic or empty extent of axis "
             << stringifyAxis(axis) << ", expected a static positive one";
    int64_t &known = extents[static_cast<unsigned>(axis)];
    if (extent == ShapedType::kDynamic || axis == Axis::Group ||
        axis == Axis::Segment)
      continue;
    if (known != ShapedType::kDynamic && known != extent)
      return op.emitOpError("(C2) ")
             << name << " has extent " << extent << " of axis "
             << stringifyAxis(axis) << ", expected " << known;
    known = extent;
  }
  return success();
}

/// Verifies each input and result; the callback takes what to call it, its type
/// and its access.
static LogicalResult eachTensor(
    FusedOp op,
    function_ref<LogicalResult(const Twine &, RankedTensorType, AccessAttr)>
        verify) {
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    if (failed(verify("input " + Twine(i),
                      cast<RankedTensorType>(input.getType()),
                      op.inputAccess(i))))
      return failure();
  for (auto [i, type] : llvm::enumerate(op.getResultTypes()))
    if (failed(verify("result " + Twine(i), cast<RankedTensorType>(type),
                      op.resultAccess(i))))
      return failure();
  return success();
}

static LogicalResult verifyGroups(FusedOp op) {
  int64_t channels = op.axisExtent(Axis::Channel);
  return eachTensor(op,
                    [&](const Twine &name, RankedTensorType type,
                        AccessAttr access) -> LogicalResult {
                      int64_t dim = access.dimOf(Axis::Group);
                      if (dim < 0 || channels == ShapedType::kDynamic ||
                          channels % type.getDimSize(dim) == 0)
                        return success();
                      return op.emitOpError("(C7) ")
                             << name << " has " << type.getDimSize(dim)
                             << " groups, which do not divide the " << channels
                             << " channels";
                    });
}

/// (C2) for axes l/T.
static LogicalResult verifySegments(FusedOp op) {
  int64_t length = op.axisExtent(Axis::Length);
  return eachTensor(
      op,
      [&](const Twine &name, RankedTensorType type,
          AccessAttr access) -> LogicalResult {
        int64_t dim = access.dimOf(Axis::Segment);
        if (dim < 0 || length == ShapedType::kDynamic || type.isDynamicDim(dim))
          return success();
        int64_t expected = segmentsOf(length, access.getEvery());
        if (type.getDimSize(dim) == expected)
          return success();
        return op.emitOpError("(C2) ")
               << name << " has " << type.getDimSize(dim)
               << " segments, expected " << expected << ", those of "
               << access.getEvery() << " steps in " << length;
      });
}

/// The axes whose extents the inputs tell.
static AxisSet inputAxes(FusedOp op) {
  AxisSet known;
  for (Attribute access : op.getInputAccesses())
    for (Axis axis : cast<AccessAttr>(access).getAxes())
      known.insert(axis);
  return known;
}

/// (C5); for the groups of a total, see (C11).
static LogicalResult verifyResultAxes(FusedOp op) {
  AxisSet known = inputAxes(op);
  for (auto [i, access] :
       llvm::enumerate(op.getResultAccesses().getAsRange<AccessAttr>()))
    for (Axis axis : access.getAxes()) {
      // A result's type has the number of its groups; channels make them up.
      Axis needed = pointAxis(axis);
      if (!known.has(needed))
        return op.emitOpError("(C5) result ")
               << i << " has axis " << stringifyAxis(axis) << ", but no input "
               << "has axis " << stringifyAxis(needed);
    }
  return success();
}

LogicalResult FusedOp::verify() {
  if (getInputAccesses().size() != getInputs().size() ||
      getResultAccesses().size() != getNumResults())
    return emitOpError("(C1) found ")
           << getInputAccesses().size() << " input and "
           << getResultAccesses().size() << " result accesses, expected "
           << getInputs().size() << " and " << getNumResults();
  SmallVector<int64_t> extents(getMaxEnumValForAxis() + 1,
                               ShapedType::kDynamic);
  auto verifyOne = [&](const Twine &name, RankedTensorType type,
                       AccessAttr access) {
    return verifyTensor(*this, name, type, access, extents);
  };
  if (failed(eachTensor(*this, verifyOne)) || failed(verifyGroups(*this)) ||
      failed(verifySegments(*this)))
    return failure();
  return verifyResultAxes(*this);
}

//===----------------------------------------------------------------------===//
// Rules of the body
//===----------------------------------------------------------------------===//

/// (C3): the region's signature follows from the tensors.
static LogicalResult verifySignature(FusedOp op, YieldOp yield) {
  Block *block = op.getBlock();
  if (block->getNumArguments() != op.getInputs().size())
    return op.emitOpError("(C3) body has ")
           << block->getNumArguments() << " arguments, expected "
           << op.getInputs().size() << ", one an input";
  for (auto [argument, input] :
       llvm::zip(block->getArguments(), op.getInputs()))
    if (argument.getType() != getElementTypeOrSelf(input))
      return op.emitOpError("(C3) body argument ")
             << argument.getArgNumber() << " has type " << argument.getType()
             << ", expected " << getElementTypeOrSelf(input);
  if (yield.getNumOperands() != op.getNumResults())
    return yield.emitOpError("(C3) yields ")
           << yield.getNumOperands() << " values, expected "
           << op.getNumResults() << ", one a result";
  for (auto [value, type] : llvm::zip(yield.getValues(), op.getResultTypes()))
    if (value.getType() != getElementTypeOrSelf(type))
      return yield.emitOpError("(C3) yields ")
             << value.getType() << ", expected " << getElementTypeOrSelf(type);
  return success();
}

/// (C6): what a body may hold.
static LogicalResult verifyBodyOp(Operation &nested) {
  if (isa<RecurrenceOp, SumOp, TotalOp, YieldOp>(nested))
    return success();
  if (!isScalarOp(&nested))
    return nested.emitOpError(
        "(C6) is no scalar op of arith, math or complex; a fused body holds "
        "only those and ssm.recurrence, ssm.sum, ssm.total, ssm.yield");
  if (std::string problem = bodyOpProblem(&nested); !problem.empty())
    return nested.emitOpError("(C6) ") << problem;
  return success();
}

/// (C9) and (C10) for one op.
static LogicalResult verifyOrder(Operation &nested,
                                 const Dependence &dependence) {
  bool afterLast = false, ordered = isa<RecurrenceOp>(nested);
  for (Value operand : nested.getOperands()) {
    const ValueInfo &info = dependence.of(operand);
    afterLast |= info.afterLast;
    ordered |= info.axes.has(Axis::Length);
  }
  if (afterLast && ordered)
    return nested.emitOpError(
        "(C9) uses a last state for a value of every step; the last state is "
        "known only after the last step");
  if (dependence.readsEndedLoop(nested))
    return nested.emitOpError(
        "(C10) uses a per-state recurrence together with a later sum over "
        "n; compute it in a second ssm.fused");
  return success();
}

/// (C2) of ssm.total; the op itself verifies what needs no other.
static LogicalResult verifyTotal(TotalOp total, const Dependence &dependence) {
  for (Axis axis : total.getAxes().getAxes())
    if (!dependence.dependsOn(total.getValue(), pointAxis(axis)))
      return total.emitOpError("(C2) sums over ")
             << stringifyAxis(axis) << " what does not depend on it";
  return success();
}

/// (C11), and (C4) of ssm.total.
static LogicalResult verifyTotalResults(FusedOp op, YieldOp yield) {
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    auto total = value.getDefiningOp<TotalOp>();
    AccessAttr access = op.resultAccess(i);
    if (access.has(Axis::Group) && !(total && total.getAxes().has(Axis::Group)))
      return op.emitOpError("(C11) result ")
             << i << " has a group axis, expected d, or an ssm.total over g";
    for (Axis axis : total ? total.getAxes().getAxes() : ArrayRef<Axis>())
      if (access.has(pointAxis(axis)))
        return total.emitOpError("(C4) sums over ")
               << stringifyAxis(axis) << ", but result " << i
               << " has the axes " << toString(access);
  }
  return success();
}

/// (C12): segments are where recurrences start and what they start from.
static LogicalResult verifySaved(FusedOp op, YieldOp yield) {
  for (BlockArgument argument : op.getBlock()->getArguments()) {
    if (!op.inputAccess(argument.getArgNumber()).has(Axis::Segment))
      continue;
    for (OpOperand &use : argument.getUses()) {
      auto recurrence = dyn_cast<RecurrenceOp>(use.getOwner());
      if (!recurrence || &use != recurrence.getInitMutable().begin())
        return use.getOwner()->emitOpError("(C12) reads input ")
               << argument.getArgNumber() << " with the axes "
               << toString(op.inputAccess(argument.getArgNumber()))
               << ", which only a recurrence may start from";
    }
  }
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    auto recurrence = value.getDefiningOp<RecurrenceOp>();
    if (op.resultAccess(i).has(Axis::Segment) &&
        !(recurrence && recurrence.getExclusive() &&
          value == recurrence.getState()))
      return yield.emitOpError("(C12) value ")
             << i << " has a result with the axes "
             << toString(op.resultAccess(i))
             << ", expected the state of an exclusive recurrence";
  }
  return success();
}

/// (C4) for every yielded value.
static LogicalResult verifyYield(FusedOp op, YieldOp yield,
                                 const Dependence &dependence) {
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    AxisSet axes = dependence.of(value).axes;
    AccessAttr access = op.resultAccess(i);
    if (dependence.of(value).afterLast && hasSteps(access))
      return yield.emitOpError("(C9) value ")
             << i << " is known only after the last step, expected a result "
             << "without axis l, found " << toString(access);
    for (Axis axis :
         {Axis::Batch, Axis::Length, Axis::Channel, Axis::State, Axis::Group}) {
      Axis needed = access.has(axis) ? axis : pointAxis(axis);
      bool isSaved = axis == Axis::Length && access.has(Axis::Segment);
      if (axes.has(axis) && !access.has(needed) && !isSaved)
        return yield.emitOpError("(C4) value ")
               << i << " depends on axis " << stringifyAxis(axis)
               << ", which its result's access " << toString(access)
               << " lacks";
    }
  }
  return success();
}

LogicalResult FusedOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBlock()->getTerminator());
  if (!yield)
    return emitOpError("(C3) body must end with ssm.yield");
  if (failed(verifySignature(*this, yield)))
    return failure();
  for (Operation &nested : *getBlock())
    if (failed(verifyBodyOp(nested)))
      return failure();
  if (!directionsOf(*this))
    return emitOpError("(C8) has recurrences of both directions, and those of "
                       "neither can be replayed: some of each read another "
                       "recurrence, or have a last state that is read, or "
                       "states are saved");
  auto recurrences = getBlock()->getOps<RecurrenceOp>();
  if (!recurrences.empty() && !inputAxes(*this).has(Axis::Length))
    return (*recurrences.begin())
        .emitOpError("(C5) needs the number of steps, but no input of the "
                     "fused op has axis l");
  Dependence dependence(*this);
  for (RecurrenceOp recurrence : getBlock()->getOps<RecurrenceOp>())
    if (recurrence.getInit() &&
        dependence.dependsOn(recurrence.getInit(), Axis::Length))
      return recurrence.emitOpError(
          "(C2) 'init' depends on l, expected a value of every sequence");
  for (Operation &nested : getBlock()->without_terminator()) {
    auto total = dyn_cast<TotalOp>(nested);
    if (failed(verifyOrder(nested, dependence)) ||
        (total && failed(verifyTotal(total, dependence))))
      return failure();
  }
  if (failed(verifyTotalResults(*this, yield)) ||
      failed(verifySaved(*this, yield)))
    return failure();
  return verifyYield(*this, yield, dependence);
}

//===----------------------------------------------------------------------===//
// TotalOp
//===----------------------------------------------------------------------===//

LogicalResult TotalOp::verify() {
  AccessAttr axes = getAxes();
  // No access has both d and g.
  if (axes.rank() == 0 || axes.has(Axis::State))
    return emitOpError("(C1) sums over ")
           << toString(axes) << ", expected some of b, l and either d or g";
  for (Operation *user : (*this)->getUsers())
    if (!isa<YieldOp>(user))
      return emitOpError("(C3) is read by ")
             << user->getName() << ", expected ssm.yield alone";
  Type from = getValue().getType(), to = getType();
  bool isNarrower = isa<FloatType>(from) && isa<FloatType>(to) &&
                    to.getIntOrFloatBitWidth() < from.getIntOrFloatBitWidth();
  if (from != to && !isNarrower)
    return emitOpError("(C5) has type ")
           << to << ", expected " << from << " or a narrower float";
  return success();
}
