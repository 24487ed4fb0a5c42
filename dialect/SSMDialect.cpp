//===- SSMDialect.cpp - Registration and attributes of the dialect -------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

#include "dialect/SSMDialect.cpp.inc"
#include "dialect/SSMEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/SSMAttrs.cpp.inc"

void SSMDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/SSMAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/SSMOps.cpp.inc"
      >();
}

std::string mlir::ssm::gradientName(StringAttr name, StringRef kind,
                                    unsigned i) {
  return (name ? Twine("d") + name.getValue() : "d" + kind + Twine(i)).str();
}

/// Checks that a layout attribute fits the tensor that it describes.
static LogicalResult verifyTensorAttr(Operation *op, NamedAttribute attr,
                                      Type type) {
  if (attr.getName() == kNameAttrName && isa<StringAttr>(attr.getValue()))
    return success();
  auto layout = dyn_cast<LayoutAttr>(attr.getValue());
  if (attr.getName() != kLayoutAttrName || !layout)
    return op->emitOpError("found ")
           << attr.getName() << " = " << attr.getValue()
           << " on an argument or result, expected 'ssm.layout', a "
              "#ssm.layout, or 'ssm.name', a string";
  auto tensor = dyn_cast<RankedTensorType>(type);
  for (auto [what, dim] :
       {std::pair("unit", layout.getUnit()), {"fixed", layout.getDim()}})
    if (!tensor || dim >= tensor.getRank())
      return op->emitOpError("layout's ")
             << what << " dimension " << dim << " is no dimension of " << type;
  return success();
}

LogicalResult SSMDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                   unsigned argument,
                                                   NamedAttribute attr) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function)
    return op->emitOpError("has no argument that ")
           << attr.getName() << " could describe";
  return verifyTensorAttr(op, attr, function.getArgumentTypes()[argument]);
}

LogicalResult SSMDialect::verifyRegionResultAttribute(Operation *op, unsigned,
                                                      unsigned result,
                                                      NamedAttribute attr) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function)
    return op->emitOpError("has no result that ")
           << attr.getName() << " could describe";
  return verifyTensorAttr(op, attr, function.getResultTypes()[result]);
}

LogicalResult SSMDialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attr) {
  StringRef name = attr.getName().getValue();
  if ((name == kPlanAttrName || name == kLaunchAttrName) &&
      isa<DictionaryAttr>(attr.getValue()))
    return success();
  if (name == kOnFmaAttrName && isa<UnitAttr>(attr.getValue()))
    return success();
  auto multiple = dyn_cast<IntegerAttr>(attr.getValue());
  if ((name == kMultipleAttrName || name == kLengthMultipleAttrName) &&
      multiple && multiple.getType().isSignlessInteger(64) &&
      multiple.getInt() > 0)
    return success();
  return op->emitOpError("found unknown or malformed attribute ")
         << attr.getName() << " = " << attr.getValue()
         << ", expected 'ssm.channel_multiple' or 'ssm.length_multiple', a "
            "positive i64, 'ssm.plan' or 'ssm.launch', a dictionary, or "
            "'ssm.on_fma', a unit attribute";
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

using EmitError = function_ref<InFlightDiagnostic()>;

int64_t AccessAttr::dimOf(Axis axis) const {
  const Axis *it = llvm::find(getAxes(), axis);
  return it == getAxes().end() ? -1 : it - getAxes().begin();
}

AccessAttr mlir::ssm::parseAccess(AsmParser &parser,
                                  AsmParser::Delimiter delimiter) {
  SmallVector<Axis> axes;
  int64_t every = 0;
  auto parseAxis = [&]() -> ParseResult {
    StringRef name;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return failure();
    std::optional<Axis> axis = symbolizeAxis(name);
    if (!axis || axis == Axis::Segment)
      return parser.emitError(loc) << "unknown axis '" << name
                                   << "', expected one of b, l, d, n, g, l/T";
    axes.push_back(*axis);
    if (axis != Axis::Length || failed(parser.parseOptionalSlash()))
      return success();
    axes.back() = Axis::Segment;
    return parser.parseInteger(every);
  };
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(delimiter, parseAxis))
    return {};
  return parser.getChecked<AccessAttr>(loc, parser.getContext(),
                                       ArrayRef<Axis>(axes), every);
}

Attribute AccessAttr::parse(AsmParser &parser, Type) {
  return parseAccess(parser, AsmParser::Delimiter::LessGreater);
}

/// "b, l/64, d".
static std::string listAxes(AccessAttr access) {
  std::string text;
  for (auto [i, axis] : llvm::enumerate(access.getAxes())) {
    text += i ? ", " : "";
    text += axis == Axis::Segment ? "l/" + std::to_string(access.getEvery())
                                  : stringifyAxis(axis).str();
  }
  return text;
}

void AccessAttr::print(AsmPrinter &printer) const {
  printer << '<' << listAxes(*this) << '>';
}

/// True where `axes` has each of `others`.
static bool hasAll(ArrayRef<Axis> axes, std::initializer_list<Axis> others) {
  return llvm::all_of(
      others, [&](Axis axis) { return llvm::is_contained(axes, axis); });
}

LogicalResult AccessAttr::verify(EmitError emitError, ArrayRef<Axis> axes,
                                 int64_t every) {
  unsigned seen = 0;
  for (Axis axis : axes) {
    unsigned bit = 1u << static_cast<unsigned>(axis);
    if (seen & bit)
      return emitError() << "axis '" << stringifyAxis(axis)
                         << "' stands twice in an access";
    seen |= bit;
  }
  if (hasAll(axes, {Axis::Channel, Axis::Group}))
    return emitError() << "an access has d or g, not both";
  if (hasAll(axes, {Axis::Length, Axis::Segment}))
    return emitError() << "an access has l or l/T, not both";
  if (hasAll(axes, {Axis::Segment}) ? every < 1 : every != 0)
    return emitError() << "an access has segments of " << every
                       << " steps, expected one step or more in l/T, and 0 "
                          "without it";
  return success();
}

LogicalResult LayoutAttr::verify(EmitError emitError, int64_t unit,
                                 int64_t align, int64_t dim, int64_t stride) {
  if (unit < -1)
    return emitError() << "layout's unit dimension is " << unit
                       << ", expected -1 (none) or a dimension";
  if (!llvm::isPowerOf2_64(align) || align < 1 || align > 16)
    return emitError() << "layout's alignment is " << align
                       << " bytes, expected 1, 2, 4, 8 or 16";
  if (dim < -1 || (dim >= 0 && dim == unit))
    return emitError() << "layout's stride is that of dimension " << dim
                       << ", expected one that is not the unit dimension";
  if (dim < 0 ? stride != 0 : stride < 1)
    return emitError() << "layout's stride is " << stride << " along dimension "
                       << dim << ", expected one element or more";
  return success();
}

static LogicalResult verifyRange(EmitError emitError, StringRef field,
                                 int64_t value, int64_t low, int64_t high,
                                 bool powerOf2 = false) {
  if (value < low || value > high ||
      (powerOf2 && !llvm::isPowerOf2_64(static_cast<uint64_t>(value))))
    return emitError() << "schedule's " << field << " is " << value
                       << ", expected " << (powerOf2 ? "a power of two " : "")
                       << "from " << low << " to " << high;
  return success();
}

LogicalResult ScheduleAttr::verify(
    EmitError emitError, int64_t lanes, int64_t split, int64_t items,
    int64_t channels, int64_t warpsL, int64_t warpsD, int64_t chunks,
    int64_t handoff, int64_t carryParts, int64_t lastChunk, int64_t relay,
    int64_t unroll, int64_t stages, int64_t prefetch, int64_t packed,
    int64_t apart, int64_t atomics, int64_t fmaExps, int64_t minBlocks) {
  if (failed(verifyRange(emitError, "lanes", lanes, 1, 32, true)) ||
      failed(verifyRange(emitError, "split", split, 0, 1)) ||
      failed(verifyRange(emitError, "items", items, 1, 32)) ||
      failed(verifyRange(emitError, "channels", channels, 1, 8, true)) ||
      failed(verifyRange(emitError, "warps_l", warpsL, 1, 32, relay == 0)) ||
      failed(verifyRange(emitError, "warps_d", warpsD, 1, 32)) ||
      failed(verifyRange(emitError, "chunks", chunks, 1, 1024)) ||
      failed(verifyRange(emitError, "handoff", handoff, 0, 1)) ||
      failed(verifyRange(emitError, "carry_parts", carryParts, 1, 64)) ||
      failed(verifyRange(emitError, "last_chunk", lastChunk, 1, 16)) ||
      failed(verifyRange(emitError, "relay", relay, 0, 1)) ||
      failed(verifyRange(emitError, "unroll", unroll, 1, 16)) ||
      failed(verifyRange(emitError, "stages", stages, 1, 2)) ||
      failed(verifyRange(emitError, "prefetch", prefetch, 0, 2)) ||
      failed(verifyRange(emitError, "packed", packed, 0, 1)) ||
      failed(verifyRange(emitError, "apart", apart, 1, 16, true)) ||
      failed(verifyRange(emitError, "atomics", atomics, 0, 1)) ||
      failed(verifyRange(emitError, "fma_exps", fmaExps, 0, 8)) ||
      failed(verifyRange(emitError, "min_blocks", minBlocks, 0, 32)))
    return failure();
  if (warpsL * warpsD > 32)
    return emitError() << "schedule's warps_l * warps_d is " << warpsL * warpsD
                       << ", expected at most 32 (1024 threads)";
  if (relay && (warpsL == 1 || warpsD > 1))
    return emitError() << "schedule's relay is 1 with warps_l = " << warpsL
                       << " and warps_d = " << warpsD
                       << ", expected two or more warps along L that take turns"
                          " and one along the channels";
  constexpr int64_t kMostItems = 32;
  if (split &&
      (lanes == 1 || lanes * items > kMostItems || (warpsL > 1 && !relay)))
    return emitError() << "schedule's split is 1 with lanes = " << lanes
                       << ", items = " << items << ", warps_l = " << warpsL
                       << " and relay = " << relay
                       << ", expected two or more lanes, of at most "
                       << kMostItems
                       << " items together, and warps along L only"
                          " where they take turns";
  // Both groups' decays and inputs lie in registers, and a trip has two.
  constexpr int64_t kMostStaged = 64;
  if (int64_t values = (split ? lanes : 1) * items * channels * unroll;
      stages > 1 && values > kMostStaged)
    return emitError() << "schedule's items * channels * unroll is " << values
                       << " with stages = " << stages << ", expected at most "
                       << kMostStaged;
  return success();
}

LogicalResult CpuScheduleAttr::verify(EmitError emitError, int64_t vector,
                                      int64_t items, int64_t chunks) {
  if (failed(verifyRange(emitError, "vector", vector, 1, 64, true)) ||
      failed(verifyRange(emitError, "items", items, 1, 256)))
    return failure();
  return verifyRange(emitError, "chunks", chunks, 1, 1024);
}

//===----------------------------------------------------------------------===//
// Free functions
//===----------------------------------------------------------------------===//

Type mlir::ssm::realTypeOf(Type type) {
  if (auto complexType = dyn_cast<ComplexType>(type))
    return complexType.getElementType();
  return type;
}

std::string mlir::ssm::toString(AccessAttr access) {
  return "[" + listAxes(access) + "]";
}

int64_t mlir::ssm::segmentsOf(int64_t length, int64_t every) {
  return length == ShapedType::kDynamic ? length
                                        : llvm::divideCeil(length, every);
}
