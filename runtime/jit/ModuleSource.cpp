//===- ModuleSource.cpp - A module's text and, on demand, its IR ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one file that includes both the compiler and the runtime.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/ModuleSource.h"
#include "runtime/Layout.h"

#include "codegen/Bytecode.h"
#include "codegen/DiagnosticText.h"
#include "codegen/LaunchPlan.h"
#include "codegen/Nesting.h"
#include "codegen/Pipeline.h"
#include "codegen/Proposals.h"
#include "codegen/Registration.h"
#include "codegen/SourceFile.h"
#include "codegen/reference/GradientCheck.h"
#include "codegen/reference/Reference.h"
#include "codegen/reference/ScalarOps.h"
#include "dialect/Dependence.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/ProgramStack.h"
#include "llvm/Support/SourceMgr.h"
#include <mutex>

using namespace mamba;
namespace ssm = mlir::ssm;

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

struct ModuleSource::Parsed {
  std::mutex mutex;
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct ModuleSource::Access {
  std::unique_lock<std::mutex> lock;
  mlir::ModuleOp module;
};

ModuleSource::ModuleSource(std::string text, std::string name)
    : text_(std::move(text)), name_(std::move(name)) {}

ModuleSource::~ModuleSource() = default;

KernelKey ModuleSource::keyOf(const std::string &function,
                              const VariantRequest &request) const {
  KernelKey key;
  key.source = text_;
  key.function = function;
  key.layouts = request.layouts;
  key.extents = {request.batch, request.length, request.channels};
  key.channelMultiple = request.channelMultiple;
  key.lengthMultiple = request.lengthMultiple;
  return key;
}

static std::unique_ptr<mlir::MLIRContext> createContext() {
  mlir::DialectRegistry registry;
  ssm::registerAllDialects(registry);
  auto context = std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  // What is assumed of a function is its attributes, whether or not its text
  // has the dialect.
  context->loadDialect<ssm::SSMDialect>();
  return context;
}

/// Gives each function's arguments the names that they have in the text, unless
/// it says others: they are what tools call the tensors.
static void nameArguments(mlir::ModuleOp module,
                          const mlir::AsmParserState &state) {
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (function.isExternal())
      continue;
    const auto *block = state.getBlockDef(&function.getBody().front());
    if (!block)
      continue;
    for (auto [i, definition] : llvm::enumerate(block->arguments)) {
      llvm::SMRange range = definition.loc;
      llvm::StringRef name(range.Start.getPointer(),
                           range.End.getPointer() - range.Start.getPointer());
      if (i < function.getNumArguments() && name.consume_front("%") &&
          !function.getArgAttr(i, ssm::kNameAttrName))
        function.setArgAttr(i, ssm::kNameAttrName,
                            mlir::StringAttr::get(function.getContext(), name));
    }
  }
}

static mlir::OwningOpRef<mlir::ModuleOp> parseText(llvm::SourceMgr &sources,
                                                   const std::string &name,
                                                   bool namesArguments,
                                                   mlir::MLIRContext &context) {
  mlir::AsmParserState state;
  mlir::Block block;
  if (failed(mlir::parseAsmSourceFile(sources, &block, &context, &state)))
    return nullptr;
  // A file holds one module, written or not.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  if (llvm::hasSingleElement(block))
    if (auto written = llvm::dyn_cast<mlir::ModuleOp>(block.front())) {
      written->remove();
      module = written;
    }
  if (!module) {
    module =
        mlir::ModuleOp::create(mlir::FileLineColLoc::get(&context, name, 1, 1));
    module->getBody()->getOperations().splice(module->getBody()->end(),
                                              block.getOperations());
  }
  if (namesArguments)
    nameArguments(*module, state);
  return module;
}

/// Parses and verifies; errors go to the context's handler.
static mlir::OwningOpRef<mlir::ModuleOp>
parseModule(const std::string &text, const std::string &name,
            bool namesArguments, mlir::MLIRContext &context) {
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(text, name),
                             llvm::SMLoc());
  auto module = parseText(sources, name, namesArguments, context);
  // Before anything else, which may print the module.
  if (!module || failed(ssm::checkNesting(*module)) ||
      failed(mlir::verify(*module)))
    return nullptr;
  return module;
}

/// The text of a module, given as such or as bytecode. What no parser should
/// see is refused before.
static Result<std::string> readableText(const std::string &source,
                                        const std::string &name) {
  if (std::optional<std::string> excess = ssm::findExcess(source.size()))
    return Status(StatusCode::CompileError, name + ": " + *excess);
  std::string text = source;
  if (ssm::isBytecodeText(source)) {
    MAMBA_ASSIGN_OR_RETURN(text, ssm::textOfBytecode(source, name));
  }
  if (std::optional<ssm::Unreadable> found = ssm::findUnreadable(text))
    return Status(StatusCode::CompileError,
                  name + ":" + found->place + ": " + found->why);
  return text;
}

Result<ModuleSource::Access> ModuleSource::access() {
  Parsed &parsed = parsed_.get();
  Access access{std::unique_lock(parsed.mutex), nullptr};
  if (!parsed.module) {
    if (!parsed.context)
      parsed.context = createContext();
    bool isBytecode = ssm::isBytecodeText(text_);
    MAMBA_ASSIGN_OR_RETURN(std::string text, readableText(text_, name_));
    ssm::DiagnosticText diagnostics(parsed.context.get());
    llvm::runOnNewStack(ssm::kToolStackSize, [&] {
      // Bytecode has no names of arguments.
      parsed.module = parseModule(text, name_, !isBytecode, *parsed.context);
    });
    if (!parsed.module)
      return diagnostics.toStatus(name_ + ": not a module of MLIR");
  }
  access.module = *parsed.module;
  return access;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Result<std::vector<std::string>> ModuleSource::functionNames() {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  std::vector<std::string> names;
  for (auto function : access.module.getOps<mlir::func::FuncOp>())
    if (!function.isExternal())
      names.push_back(function.getName().str());
  return names;
}

/// One bit an axis that `value` is computed once a point of.
static uint8_t axesOf(const ssm::Dependence &dependence, mlir::Value value) {
  uint8_t axes = 0;
  for (ssm::Axis axis :
       {ssm::Axis::Batch, ssm::Axis::Length, ssm::Axis::Channel,
        ssm::Axis::State, ssm::Axis::Group})
    if (dependence.dependsOn(value, axis))
      axes |= 1u << static_cast<unsigned>(axis);
  return axes;
}

/// What the floor of the time, random inputs and bounds depend on.
static void describeBody(mlir::ModuleOp fused, FunctionInfo &info) {
  fused.walk([&](ssm::FusedOp op) {
    ssm::Dependence dependence(op);
    for (mlir::Operation &nested : *op.getBlock()) {
      using namespace mlir;
      info.roundsBetween |= ssm::isRounded(&nested);
      info.hasSoftplus |= isa<math::Log1pOp, math::LogOp, math::Log2Op>(nested);
      if (auto total = dyn_cast<ssm::TotalOp>(nested))
        info.sumsPoints |= total.getAxes().rank() > 1 ||
                           !total.getAxes().has(ssm::Axis::Length);
      if (isa<math::ExpOp, math::Exp2Op, math::ExpM1Op, math::TanhOp,
              complex::ExpOp>(nested))
        info.exponentials.push_back(axesOf(dependence, nested.getResult(0)));
    }
  });
}

Result<FunctionInfo> ModuleSource::describe(const std::string &name) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  ssm::CompileRequest request;
  request.function = name;
  MAMBA_ASSIGN_OR_RETURN(mlir::OwningOpRef<mlir::ModuleOp> fused,
                         ssm::fuseFor(access.module, request));
  ssm::DiagnosticText diagnostics(access.module.getContext());
  auto plan =
      ssm::LaunchPlan::build(*fused->getOps<mlir::func::FuncOp>().begin());
  if (failed(plan))
    return diagnostics.toStatus("the function has no launch plan");
  plan->attachTo(*fused);
  mlir::FailureOr<Artifact> artifact = ssm::LaunchPlan::read(*fused);
  if (failed(artifact))
    return diagnostics.toStatus("the launch plan can't be read");
  FunctionInfo info;
  info.name = artifact->name;
  info.numInputs = artifact->numInputs;
  info.numResults = artifact->numResults;
  info.tensors = std::move(artifact->tensors);
  info.tensors.resize(info.numInputs + info.numResults);
  describeBody(*fused, info);
  return info;
}

Result<std::string>
ModuleSource::differentiate(const std::string &function,
                            std::optional<int64_t> saveEvery) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  MAMBA_ASSIGN_OR_RETURN(
      mlir::OwningOpRef<mlir::ModuleOp> module,
      ssm::differentiate(access.module, function, saveEvery));
  // With locations: errors still name places in the first text.
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, mlir::OpPrintingFlags().enableDebugInfo());
  return text;
}

static ssm::CompileRequest compileRequest(const std::string &function,
                                          const VariantRequest &request) {
  ssm::CompileRequest compile;
  compile.function = function;
  compile.layouts = request.layouts;
  if (request.isCpu()) // Its code takes every stride from the launch.
    forgetFixedStrides(compile.layouts);
  compile.channelMultiple = request.channelMultiple;
  compile.lengthMultiple = request.lengthMultiple;
  compile.schedule = {request.target,   request.batch,   request.length,
                      request.channels, request.threads, request.schedule};
  compile.writesCuda = request.backend == Backend::Nvrtc;
  return compile;
}

Result<Artifact> ModuleSource::compile(const std::string &function,
                                       const VariantRequest &request,
                                       const StageHook &onStage,
                                       const LoweredHook &onLowered) {
  ssm::CompileRequest compile = compileRequest(function, request);
  if (onStage)
    compile.onStage = [&](llvm::StringRef stage, llvm::StringRef text) {
      onStage(stage, text);
    };
  compile.onLowered = onLowered;
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  return ssm::compile(access.module, compile);
}

Result<std::vector<std::string>>
ModuleSource::proposeSchedules(const std::string &function,
                               const VariantRequest &request, bool usesTable) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  return ssm::proposeSchedules(access.module, compileRequest(function, request),
                               usesTable);
}

Result<std::vector<std::string>>
ModuleSource::proposeNeighbours(const std::string &function,
                                const VariantRequest &request,
                                std::string_view from) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  return ssm::proposeNeighbours(access.module,
                                compileRequest(function, request),
                                {from.data(), from.size()});
}

Result<std::string>
ModuleSource::describeProblem(const std::string &function,
                              const VariantRequest &request) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  return ssm::describeProblem(access.module, compileRequest(function, request));
}

//===----------------------------------------------------------------------===//
// Reference
//===----------------------------------------------------------------------===//

static Result<HostTensor> roundTo(DType dtype,
                                  const ssm::ReferenceTensor &exact) {
  std::vector<int64_t> shape(exact.shape.begin(), exact.shape.end());
  MAMBA_ASSIGN_OR_RETURN(HostTensor tensor, HostTensor::create(dtype, shape));
  tensor.fill([&](int64_t position) { return exact.get(position); });
  return tensor;
}

static std::vector<ssm::ReferenceTensor>
referenceTensors(std::span<const TensorView> views) {
  std::vector<ssm::ReferenceTensor> tensors;
  for (const TensorView &view : views)
    tensors.push_back(ssm::ReferenceTensor::fromView(view));
  return tensors;
}

Result<std::vector<double>> ModuleSource::checkGradients(
    const std::string &forward, const std::string &backward,
    std::span<const TensorView> inputs, uint64_t seed) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  MAMBA_ASSIGN_OR_RETURN(mlir::func::FuncOp original,
                         ssm::findFunction(access.module, forward));
  MAMBA_ASSIGN_OR_RETURN(mlir::func::FuncOp gradients,
                         ssm::findFunction(access.module, backward));
  ssm::DiagnosticText diagnostics(access.module.getContext());
  auto errors =
      ssm::checkGradients(original, gradients, referenceTensors(inputs), seed);
  if (failed(errors))
    return diagnostics.toStatus("the reference failed without a message");
  return std::vector<double>(errors->begin(), errors->end());
}

Result<std::vector<HostTensor>>
ModuleSource::evaluate(const FunctionInfo &info,
                       std::span<const TensorView> inputs) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  MAMBA_ASSIGN_OR_RETURN(mlir::func::FuncOp function,
                         ssm::findFunction(access.module, info.name));
  ssm::DiagnosticText diagnostics(access.module.getContext());
  auto exact = ssm::evaluateReference(function, referenceTensors(inputs));
  if (failed(exact))
    return diagnostics.toStatus("the reference failed without a message");
  std::vector<HostTensor> results;
  for (auto [i, tensor] : llvm::enumerate(*exact)) {
    MAMBA_ASSIGN_OR_RETURN(
        HostTensor rounded,
        roundTo(info.tensors[info.numInputs + i].dtype, tensor));
    results.push_back(std::move(rounded));
  }
  return results;
}

static std::vector<std::complex<double>>
elementsOf(const ssm::ReferenceTensor &tensor) {
  std::vector<std::complex<double>> elements(tensor.numElements());
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] = tensor.get(static_cast<int64_t>(i));
  return elements;
}

static ssm::ReferenceSlice referenceSlice(const ProblemSlice &slice) {
  ssm::ReferenceSlice part;
  part.batches.assign(slice.batches.begin(), slice.batches.end());
  part.channelBegin = slice.channelBegin;
  part.channelEnd = slice.channelEnd;
  part.numChannels = slice.numChannels;
  return part;
}

Result<SliceValues>
ModuleSource::evaluateSlice(const FunctionInfo &info,
                            std::span<const TensorView> inputs,
                            const ProblemSlice &slice) {
  MAMBA_ASSIGN_OR_RETURN(Access access, this->access());
  MAMBA_ASSIGN_OR_RETURN(mlir::func::FuncOp function,
                         ssm::findFunction(access.module, info.name));
  ssm::DiagnosticText diagnostics(access.module.getContext());
  auto exact =
      ssm::evaluateReferenceSlice(function, {inputs.data(), inputs.size()},
                                  info.tensors, referenceSlice(slice));
  if (failed(exact))
    return diagnostics.toStatus("the reference failed without a message");
  SliceValues values;
  for (const ssm::ReferenceTensor &tensor : *exact)
    values.push_back(elementsOf(tensor));
  return values;
}

Result<SliceValues> mamba::readSlice(const FunctionInfo &info,
                                     std::span<const TensorView> results,
                                     const ProblemSlice &slice) {
  ssm::ReferenceSlice part = referenceSlice(slice);
  SliceValues values;
  for (auto [i, result] : llvm::enumerate(results)) {
    const TensorSpec &spec = info.tensors[info.numInputs + i];
    std::string error;
    auto found = ssm::narrow(result, spec, part, error);
    if (!found)
      return Status(StatusCode::Internal, spec.name + ": " + error);
    values.push_back(elementsOf(*found));
  }
  return values;
}
