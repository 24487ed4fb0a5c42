//===- LaunchPlan.cpp - A lowered module's tensors and launches -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/LaunchPlan.h"

#include "runtime/Validate.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::ssm;

std::optional<mamba::DType> mlir::ssm::dtypeOf(Type type) {
  if (type.isF32())
    return mamba::DType::F32;
  if (type.isF64())
    return mamba::DType::F64;
  if (type.isF16())
    return mamba::DType::F16;
  if (type.isBF16())
    return mamba::DType::BF16;
  if (auto complexType = dyn_cast<ComplexType>(type)) {
    if (complexType.getElementType().isF32())
      return mamba::DType::C64;
    if (complexType.getElementType().isF64())
      return mamba::DType::C128;
  }
  return std::nullopt;
}

mamba::Axis mlir::ssm::runtimeAxis(Axis axis) {
  if (axis == Axis::Segment)
    return mamba::Axis::Length;
  return static_cast<mamba::Axis>(static_cast<unsigned>(axis));
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

static mamba::TensorSpec makeSpec(std::string name, Type type,
                                  AccessAttr access) {
  auto tensor = cast<RankedTensorType>(type);
  mamba::TensorSpec spec;
  spec.name = std::move(name);
  spec.dtype = *dtypeOf(tensor.getElementType());
  for (auto [dim, axis] : llvm::enumerate(access.getAxes()))
    spec.dims.push_back(
        {runtimeAxis(axis),
         tensor.isDynamicDim(dim) ? mamba::kDynamic : tensor.getDimSize(dim),
         axis == Axis::Segment ? access.getEvery() : 1});
  return spec;
}

LayoutAttr mlir::ssm::layoutAttr(MLIRContext *context,
                                 const mamba::LayoutSpec &layout) {
  return LayoutAttr::get(context, layout.unitDim, layout.alignment,
                         layout.fixedDim, layout.fixedStride);
}

/// Dimensions were checked against the tensor's, of which there are few.
static mamba::LayoutSpec layoutSpec(LayoutAttr attr) {
  return {static_cast<int8_t>(attr.getUnit()),
          static_cast<uint8_t>(attr.getAlign()),
          static_cast<int8_t>(attr.getDim()), attr.getStride()};
}

/// The layout that the function states, or row-major memory.
static mamba::LayoutSpec layoutFrom(Attribute stated,
                                    const mamba::TensorSpec &spec) {
  mamba::LayoutSpec layout;
  if (auto attr = dyn_cast_or_null<LayoutAttr>(stated)) {
    layout = layoutSpec(attr);
    layout.alignment = std::max(
        layout.alignment, static_cast<uint8_t>(mamba::byteSize(spec.dtype)));
    return layout;
  }
  layout.unitDim = static_cast<int8_t>(spec.dims.size()) - 1;
  layout.alignment = static_cast<uint8_t>(mamba::byteSize(spec.dtype));
  return layout;
}

static LogicalResult verifyStored(func::FuncOp function, Type type,
                                  const Twine &what) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && dtypeOf(tensor.getElementType()))
    return success();
  return function.emitError()
         << what << " has type " << type
         << ", expected a tensor of f64, f32, f16, bf16, complex<f32> or "
            "complex<f64>";
}

/// The access of the result that is the gradient of argument `i`; null for
/// none.
static AccessAttr accessOfGradient(func::FuncOp function, unsigned i) {
  auto name = function.getArgAttrOfType<StringAttr>(i, kNameAttrName);
  std::string wanted = gradientName(name, "argument", i);
  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [number, value] : llvm::enumerate(terminator->getOperands())) {
    auto stated =
        function.getResultAttrOfType<StringAttr>(number, kNameAttrName);
    auto fused = value.getDefiningOp<FusedOp>();
    if (fused && stated && stated.getValue() == wanted &&
        value.getType() == function.getArgumentTypes()[i])
      return fused.resultAccess(cast<OpResult>(value).getResultNumber());
  }
  return nullptr;
}

/// The access with which some fused op reads `argument`. What is only added,
/// say, gradients do not read: it has the axes of its gradient. Null for none.
static AccessAttr accessOf(func::FuncOp function, BlockArgument argument) {
  for (OpOperand &use : argument.getUses())
    if (auto fused = dyn_cast<FusedOp>(use.getOwner()))
      return fused.inputAccess(use.getOperandNumber());
  return accessOfGradient(function, argument.getArgNumber());
}

/// The name that the function states, or its kind and number.
static std::string nameOr(StringAttr stated, const Twine &numbered) {
  return stated ? stated.str() : numbered.str();
}

/// Tools and bundles tell tensors apart by their names.
static LogicalResult verifyNames(func::FuncOp function,
                                 const mamba::Artifact &artifact) {
  auto place = [&](size_t i) {
    return i < artifact.numInputs
               ? "argument " + std::to_string(i)
               : "result " + std::to_string(i - artifact.numInputs);
  };
  llvm::StringMap<size_t> known;
  for (size_t i = 0; i < artifact.numInputs + artifact.numResults; ++i) {
    StringRef name = artifact.tensors[i].name;
    auto [first, isNew] = known.try_emplace(name, i);
    if (isNew)
      continue;
    InFlightDiagnostic error = function.emitError("@");
    error << function.getName() << " has two tensors called '" << name
          << "': " << place(first->second) << " and " << place(i);
    if (StringRef of = name; of.consume_front("d") && known.contains(of))
      error << " (the gradient of '" << of << "')";
    return error << "; give one of them another ssm.name";
  }
  return success();
}

/// A chain of kernels and a return.
static LogicalResult verifyBody(func::FuncOp function) {
  if (function.isExternal())
    return function.emitError("has no body to lower");
  if (function.getNumResults() == 0)
    return function.emitError(
        "returns nothing, so that there is nothing to compute; return what is "
        "wanted of it");
  Region &body = function.getBody();
  if (body.hasOneBlock() && isa<func::ReturnOp>(body.front().getTerminator()))
    return success();
  return function.emitError("has ")
         << body.getBlocks().size() << " blocks of which the first ends with "
         << body.front().getTerminator()->getName()
         << ", expected one that ends with func.return";
}

FailureOr<LaunchPlan> LaunchPlan::build(func::FuncOp function) {
  if (failed(verifyBody(function)))
    return failure();
  LaunchPlan plan;
  plan.artifact.name = function.getName().str();
  plan.artifact.numInputs = function.getNumArguments();
  for (BlockArgument argument : function.getArguments()) {
    unsigned i = argument.getArgNumber();
    if (failed(
            verifyStored(function, argument.getType(), "argument " + Twine(i))))
      return failure();
    std::string name =
        nameOr(function.getArgAttrOfType<StringAttr>(i, kNameAttrName),
               "arg" + Twine(i));
    AccessAttr access = accessOf(function, argument);
    if (!access)
      return function.emitError()
             << "argument " << i << " ('" << name << "') of @"
             << function.getName() << " is never read; remove it";
    plan.numbers[argument] = i;
    plan.artifact.tensors.push_back(
        makeSpec(std::move(name), argument.getType(), access));
    plan.artifact.layouts.push_back(layoutFrom(
        function.getArgAttr(i, kLayoutAttrName), plan.artifact.tensors.back()));
  }
  if (failed(plan.addResults(function)) ||
      failed(verifyNames(function, plan.artifact)))
    return failure();
  if (auto multiple = function->getAttrOfType<IntegerAttr>(kMultipleAttrName))
    plan.artifact.channelMultiple = multiple.getInt();
  if (auto multiple =
          function->getAttrOfType<IntegerAttr>(kLengthMultipleAttrName))
    plan.artifact.lengthMultiple = multiple.getInt();
  return plan;
}

LogicalResult LaunchPlan::addResults(func::FuncOp function) {
  Operation *terminator = function.getBody().front().getTerminator();
  artifact.numResults = terminator->getNumOperands();
  for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
    auto fused = value.getDefiningOp<FusedOp>();
    if (!fused || numbers.contains(value))
      return terminator->emitError()
             << "result " << i
             << " is no result of its own of an ssm.fused; run --ssm-fuse";
    if (failed(verifyStored(function, value.getType(), "result " + Twine(i))))
      return failure();
    numbers[value] = artifact.tensors.size();
    unsigned number = cast<OpResult>(value).getResultNumber();
    artifact.tensors.push_back(makeSpec(
        nameOr(function.getResultAttrOfType<StringAttr>(i, kNameAttrName),
               "result" + Twine(i)),
        value.getType(), fused.resultAccess(number)));
    artifact.layouts.push_back(layoutFrom(
        function.getResultAttr(i, kLayoutAttrName), artifact.tensors.back()));
  }
  for (Operation &op : function.getBody().front().without_terminator()) {
    auto fused = dyn_cast<FusedOp>(op);
    if (!fused)
      return op.emitError("is no ssm.fused; run --ssm-fuse before a lowering");
    for (OpResult result : fused->getResults())
      if (!numbers.contains(result) && !result.use_empty()) {
        mamba::TensorSpec spec =
            makeSpec("temporary", result.getType(),
                     fused.resultAccess(result.getResultNumber()));
        numbers[result] = addTemporary(spec.name, spec.dtype, spec.dims);
      }
  }
  return success();
}

mamba::LayoutSpec LaunchPlan::layout(unsigned i) const {
  if (i < artifact.layouts.size())
    return artifact.layouts[i];
  // Only the base of a temporary is known to be aligned.
  const mamba::TensorSpec &spec = artifact.tensors[i];
  return {static_cast<int8_t>(spec.dims.size() - 1),
          static_cast<uint8_t>(mamba::byteSize(spec.dtype))};
}

unsigned LaunchPlan::addTemporary(StringRef name, mamba::DType dtype,
                                  ArrayRef<mamba::DimSpec> dims,
                                  bool isZeroed) {
  artifact.tensors.push_back({name.str(), dtype, dims.vec(), isZeroed});
  return artifact.tensors.size() - 1;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

void LaunchPlan::addLaunch(Operation *kernel, mamba::LaunchSpec launch) {
  Builder b(kernel->getContext());
  SmallVector<Attribute> grid, args;
  for (const mamba::GridTerm &term : launch.grid)
    grid.push_back(b.getStringAttr((term.isAdded ? "+" : "") +
                                   Twine(mamba::letterOf(term.axis)) + "/" +
                                   Twine(term.divisor)));
  for (const mamba::KernelArg &arg : launch.args) {
    std::string text;
    switch (arg.kind) {
    case mamba::KernelArg::Kind::Pointer:
      text = ("ptr " + Twine(arg.index)).str();
      break;
    case mamba::KernelArg::Kind::Stride:
      text = ("stride " + Twine(arg.index) + " " + Twine(arg.dim)).str();
      break;
    case mamba::KernelArg::Kind::Extent:
      text = (Twine("extent ") +
              Twine(mamba::letterOf(static_cast<mamba::Axis>(arg.dim))))
                 .str();
      break;
    }
    args.push_back(b.getStringAttr(text));
  }
  kernel->setAttr(
      kLaunchAttrName,
      b.getDictionaryAttr(
          {b.getNamedAttr("args", b.getArrayAttr(args)),
           b.getNamedAttr("block", b.getI64IntegerAttr(launch.blockSize)),
           b.getNamedAttr("grid", b.getArrayAttr(grid)),
           b.getNamedAttr("shared", b.getI64IntegerAttr(launch.sharedBytes))}));
}

void LaunchPlan::attachTo(ModuleOp module) const {
  Builder b(module.getContext());
  SmallVector<Attribute> tensors;
  for (auto [i, spec] : llvm::enumerate(artifact.tensors)) {
    std::string axes;
    SmallVector<int64_t> extents, divisors;
    for (const mamba::DimSpec &dim : spec.dims) {
      axes += mamba::letterOf(dim.axis);
      extents.push_back(dim.extent == mamba::kDynamic ? -1 : dim.extent);
      divisors.push_back(dim.divisor);
    }
    tensors.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("axes", b.getStringAttr(axes)),
         b.getNamedAttr("divisors", b.getDenseI64ArrayAttr(divisors)),
         b.getNamedAttr("dtype",
                        b.getI64IntegerAttr(static_cast<int64_t>(spec.dtype))),
         b.getNamedAttr("extents", b.getDenseI64ArrayAttr(extents)),
         b.getNamedAttr("layout", layoutAttr(module.getContext(), layout(i))),
         b.getNamedAttr("name", b.getStringAttr(spec.name)),
         b.getNamedAttr("zeroed", b.getBoolAttr(spec.isZeroed))}));
  }
  module->setAttr(
      kPlanAttrName,
      b.getDictionaryAttr(
          {b.getNamedAttr("channel_multiple",
                          b.getI64IntegerAttr(artifact.channelMultiple)),
           b.getNamedAttr("length_multiple",
                          b.getI64IntegerAttr(artifact.lengthMultiple)),
           b.getNamedAttr("inputs", b.getI64IntegerAttr(artifact.numInputs)),
           b.getNamedAttr("name", b.getStringAttr(artifact.name)),
           b.getNamedAttr("results", b.getI64IntegerAttr(artifact.numResults)),
           b.getNamedAttr("tensors", b.getArrayAttr(tensors))}));
}

//===----------------------------------------------------------------------===//
// Reading back
//===----------------------------------------------------------------------===//

static std::optional<mamba::Axis> axisOf(StringRef letter) {
  size_t at = letter.size() == 1 ? mamba::kAxisLetters.find(letter.front())
                                 : std::string_view::npos;
  if (at == std::string_view::npos)
    return std::nullopt;
  return static_cast<mamba::Axis>(at);
}

static std::optional<mamba::KernelArg> parseArg(StringRef text) {
  SmallVector<StringRef, 3> words;
  text.split(words, ' ');
  mamba::KernelArg arg;
  if (words.size() == 2 && words[0] == "extent") {
    std::optional<mamba::Axis> axis = axisOf(words[1]);
    arg.kind = mamba::KernelArg::Kind::Extent;
    arg.dim = axis ? static_cast<uint16_t>(*axis) : 0;
    return axis ? std::optional(arg) : std::nullopt;
  }
  bool isStride = words.size() == 3 && words[0] == "stride";
  if (!isStride && !(words.size() == 2 && words[0] == "ptr"))
    return std::nullopt;
  arg.kind = isStride ? mamba::KernelArg::Kind::Stride
                      : mamba::KernelArg::Kind::Pointer;
  if (words[1].getAsInteger(10, arg.index) ||
      (isStride && words[2].getAsInteger(10, arg.dim)))
    return std::nullopt;
  return arg;
}

static FailureOr<mamba::LaunchSpec> readLaunch(Operation *kernel,
                                               DictionaryAttr attr) {
  mamba::LaunchSpec launch;
  launch.entry = SymbolTable::getSymbolName(kernel).str();
  auto block = attr.getAs<IntegerAttr>("block");
  auto shared = attr.getAs<IntegerAttr>("shared");
  auto grid = attr.getAs<ArrayAttr>("grid");
  auto args = attr.getAs<ArrayAttr>("args");
  if (!block || !shared || !grid || !args)
    return kernel->emitError("'ssm.launch' lacks block, shared, grid or args");
  launch.blockSize = block.getInt();
  launch.sharedBytes = shared.getInt();
  for (StringAttr term : grid.getAsRange<StringAttr>()) {
    StringRef factor = term.getValue();
    mamba::GridTerm parsed;
    parsed.isAdded = factor.consume_front("+");
    auto [letter, divisor] = factor.split('/');
    std::optional<mamba::Axis> axis = axisOf(letter);
    if (!axis || divisor.getAsInteger(10, parsed.divisor))
      return kernel->emitError("'ssm.launch' has a malformed grid term ")
             << term;
    parsed.axis = *axis;
    launch.grid.push_back(parsed);
  }
  for (StringAttr text : args.getAsRange<StringAttr>()) {
    std::optional<mamba::KernelArg> arg = parseArg(text.getValue());
    if (!arg)
      return kernel->emitError("'ssm.launch' has a malformed argument ")
             << text;
    launch.args.push_back(*arg);
  }
  return launch;
}

static LogicalResult readTensor(ModuleOp module, DictionaryAttr attr,
                                mamba::Artifact &artifact, bool isTemporary) {
  auto name = attr.getAs<StringAttr>("name");
  auto axes = attr.getAs<StringAttr>("axes");
  auto dtype = attr.getAs<IntegerAttr>("dtype");
  auto extents = attr.getAs<DenseI64ArrayAttr>("extents");
  auto divisors = attr.getAs<DenseI64ArrayAttr>("divisors");
  auto layout = attr.getAs<LayoutAttr>("layout");
  auto zeroed = attr.getAs<BoolAttr>("zeroed");
  if (!name || !axes || !dtype || !extents || !divisors || !layout || !zeroed ||
      axes.size() != static_cast<size_t>(extents.size()) ||
      extents.size() != divisors.size())
    return module.emitError("'ssm.plan' has a malformed tensor");
  mamba::TensorSpec spec;
  spec.name = name.str();
  spec.dtype = static_cast<mamba::DType>(dtype.getInt());
  spec.isZeroed = zeroed.getValue();
  for (auto [letter, extent, divisor] : llvm::zip(
           axes.getValue(), extents.asArrayRef(), divisors.asArrayRef())) {
    std::optional<mamba::Axis> axis = axisOf(StringRef(&letter, 1));
    if (!axis)
      return module.emitError("'ssm.plan' has an unknown axis in ") << axes;
    spec.dims.push_back(
        {*axis, extent < 0 ? mamba::kDynamic : extent, divisor});
  }
  artifact.tensors.push_back(std::move(spec));
  if (!isTemporary)
    artifact.layouts.push_back(layoutSpec(layout));
  return success();
}

FailureOr<mamba::Artifact> LaunchPlan::read(ModuleOp module) {
  auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttrName);
  if (!plan)
    return module.emitError("has no 'ssm.plan'; run --ssm-lower-to-gpu or "
                            "--ssm-lower-to-cpu first");
  auto name = plan.getAs<StringAttr>("name");
  auto inputs = plan.getAs<IntegerAttr>("inputs");
  auto results = plan.getAs<IntegerAttr>("results");
  auto multiple = plan.getAs<IntegerAttr>("channel_multiple");
  auto lengths = plan.getAs<IntegerAttr>("length_multiple");
  auto tensors = plan.getAs<ArrayAttr>("tensors");
  if (!name || !inputs || !results || !multiple || !lengths || !tensors)
    return module.emitError("'ssm.plan' is malformed");
  mamba::Artifact artifact;
  artifact.name = name.str();
  artifact.numInputs = inputs.getInt();
  artifact.numResults = results.getInt();
  artifact.channelMultiple = multiple.getInt();
  artifact.lengthMultiple = lengths.getInt();
  for (auto [i, tensor] : llvm::enumerate(tensors.getAsRange<DictionaryAttr>()))
    if (failed(readTensor(module, tensor, artifact,
                          i >= artifact.numInputs + artifact.numResults)))
      return failure();
  WalkResult walked = module.walk([&](Operation *op) {
    auto attr = op->getAttrOfType<DictionaryAttr>(kLaunchAttrName);
    if (!attr)
      return WalkResult::advance();
    FailureOr<mamba::LaunchSpec> launch = readLaunch(op, attr);
    if (failed(launch))
      return WalkResult::interrupt();
    artifact.launches.push_back(std::move(*launch));
    return WalkResult::advance();
  });
  if (walked.wasInterrupted())
    return failure();
  return artifact;
}
