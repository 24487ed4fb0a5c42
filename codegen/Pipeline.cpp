//===- Pipeline.cpp - From model IR to an artifact ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A compilation works on a copy of the one function, so that a module can be
// compiled for many devices and layouts.
//
//===----------------------------------------------------------------------===//

#include "codegen/Pipeline.h"

#include "codegen/DiagnosticText.h"
#include "codegen/LaunchPlan.h"
#include "codegen/Passes.h"
#include "codegen/cpu/CompileCpu.h"
#include "codegen/cuda/CudaSource.h"
#include "codegen/gpu/Ptx.h"
#include "codegen/simt/CompileSimt.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Stages as passes
//===----------------------------------------------------------------------===//

StringRef ScheduleRequest::machine() const {
  return simulatedChip(target).value_or(target);
}

void mlir::ssm::addFusePasses(OpPassManager &passes) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createFusePass());
  functions.addPass(createSimplifyBodyPass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

void mlir::ssm::addSchedulePass(OpPassManager &passes,
                                const ScheduleRequest &request) {
  SchedulePassOptions options;
  options.target = request.machine().str();
  options.batch = request.batch;
  options.length = request.length;
  options.channels = request.channels;
  options.threads = request.threads;
  options.schedule = request.schedule;
  passes.addPass(createSchedulePass(options));
}

void mlir::ssm::addLoweringPass(OpPassManager &passes,
                                const ScheduleRequest &request) {
  if (request.isCpu())
    passes.addPass(createLowerToCpuPass());
  else
    passes.addPass(createLowerToGpuPass());
}

//===----------------------------------------------------------------------===//
// Functions of a module
//===----------------------------------------------------------------------===//

static mamba::Status notFound(const Twine &message) {
  return mamba::Status(mamba::StatusCode::NotFound, message.str());
}

mamba::Result<func::FuncOp> mlir::ssm::findFunction(ModuleOp module,
                                                    StringRef name) {
  SmallVector<func::FuncOp> functions;
  for (func::FuncOp function : module.getOps<func::FuncOp>())
    if (!function.isExternal())
      functions.push_back(function);
  std::string file = positionOf(module.getLoc());
  file = file.empty() ? "the module" : file + ":"; // Bytecode may have none.
  if (functions.empty())
    return notFound(file + " has no function with a body");
  if (name.empty() && functions.size() == 1)
    return functions.front();
  std::string names;
  for (func::FuncOp function : functions) {
    if (function.getName() == name)
      return function;
    names += (names.empty() ? "@" : ", @") + function.getName().str();
  }
  if (name.empty())
    return notFound(file +
                    " has several functions, say which one (tools: with "
                    "--function=NAME): " +
                    names);
  return notFound(file + " has no function @" + name + ", it has " + names);
}

/// A module that holds a copy of `function` only.
static OwningOpRef<ModuleOp> isolate(func::FuncOp function) {
  OwningOpRef<ModuleOp> module =
      ModuleOp::create(function->getParentOfType<ModuleOp>().getLoc());
  module->push_back(function.clone());
  return module;
}

static LogicalResult runPasses(ModuleOp module,
                               function_ref<void(OpPassManager &)> addPasses) {
  PassManager passes(module.getContext());
  addPasses(passes);
  return passes.run(module);
}

/// Writes what callers promise of memory and extents onto the function, where
/// the lowerings read it.
static LogicalResult attachAssumptions(ModuleOp module,
                                       const CompileRequest &request) {
  auto function = *module.getOps<func::FuncOp>().begin();
  Builder b(module.getContext());
  if (request.channelMultiple > 1)
    function->setAttr(kMultipleAttrName,
                      b.getI64IntegerAttr(request.channelMultiple));
  if (request.lengthMultiple > 1)
    function->setAttr(kLengthMultipleAttrName,
                      b.getI64IntegerAttr(request.lengthMultiple));
  if (request.layouts.empty())
    return success();
  unsigned inputs = function.getNumArguments();
  if (request.layouts.size() != inputs + function.getNumResults())
    return function.emitError()
           << request.layouts.size() << " layouts given, expected one for each "
           << "of " << inputs << " arguments and " << function.getNumResults()
           << " results";
  for (auto [i, layout] : llvm::enumerate(request.layouts)) {
    LayoutAttr attr = layoutAttr(module.getContext(), layout);
    if (i < inputs)
      function.setArgAttr(i, kLayoutAttrName, attr);
    else
      function.setResultAttr(i - inputs, kLayoutAttrName, attr);
  }
  return success();
}

mamba::Result<OwningOpRef<ModuleOp>>
mlir::ssm::fuseFor(ModuleOp module, const CompileRequest &request) {
  MAMBA_ASSIGN_OR_RETURN(func::FuncOp function,
                         findFunction(module, request.function));
  DiagnosticText diagnostics(module.getContext());
  OwningOpRef<ModuleOp> copy = isolate(function);
  if (failed(attachAssumptions(*copy, request)) ||
      failed(runPasses(*copy, addFusePasses)))
    return diagnostics.toStatus("fusing failed without a message");
  return copy;
}

mamba::Result<OwningOpRef<ModuleOp>>
mlir::ssm::differentiate(ModuleOp module, StringRef name,
                         std::optional<int64_t> saveEvery) {
  MAMBA_ASSIGN_OR_RETURN(func::FuncOp function, findFunction(module, name));
  DiagnosticText diagnostics(module.getContext());
  OwningOpRef<ModuleOp> copy = isolate(function);
  if (failed(runPasses(*copy, [&](OpPassManager &passes) {
        passes.addPass(createDifferentiatePass());
        if (saveEvery)
          passes.addPass(createRecomputePass({*saveEvery}));
      })))
    return diagnostics.toStatus("differentiating failed without a message");
  return copy;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

namespace {

/// One run of the pipeline on a module that it may change.
class Compilation {
public:
  Compilation(ModuleOp module, const CompileRequest &request)
      : module(module), request(request) {}

  FailureOr<mamba::Artifact> run();

private:
  LogicalResult runStage(StringRef name,
                         function_ref<void(OpPassManager &)> addPasses);
  std::string schedules();
  std::string formula();
  LogicalResult compileCode(mamba::Artifact &artifact);
  LogicalResult compileGpu(mamba::Artifact &artifact);
  LogicalResult writeCuda(mamba::Artifact &artifact, StringRef target);
  LogicalResult compileSimt(mamba::Artifact &artifact);
  LogicalResult compileCpu(mamba::Artifact &artifact);
  void report(StringRef stage);

  ModuleOp module;
  const CompileRequest &request;
  /// The fused ops, for the readers of CUDA C++.
  std::string fusedText;
};

} // namespace

/// Shows the module as it is now.
void Compilation::report(StringRef stage) {
  if (!request.onStage)
    return;
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  stream << '\n';
  request.onStage(stage, text);
}

LogicalResult
Compilation::runStage(StringRef name,
                      function_ref<void(OpPassManager &)> addPasses) {
  if (failed(runPasses(module, addPasses)))
    return failure();
  report(name);
  return success();
}

/// The schedules of all kernels, as text.
std::string Compilation::schedules() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.walk([&](FusedOp op) {
    if (Attribute schedule = op.getScheduleAttr())
      stream << (text.empty() ? "" : "; ") << schedule;
  });
  return text;
}

/// The fused ops as text, with the tensors' names.
std::string Compilation::formula() {
  OwningOpRef<ModuleOp> named = module.clone();
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto nameFor = [&](Value value, StringRef name) {
    if (!name.empty())
      value.setLoc(NameLoc::get(StringAttr::get(module.getContext(), name)));
  };
  for (auto function : named->getOps<func::FuncOp>()) {
    for (BlockArgument arg : function.getArguments())
      if (auto name = function.getArgAttrOfType<StringAttr>(arg.getArgNumber(),
                                                            kNameAttrName))
        nameFor(arg, name);
    AsmState state(function, OpPrintingFlags().printNameLocAsPrefix());
    auto noFlags = arith::FastMathFlagsAttr::get(module.getContext(),
                                                 arith::FastMathFlags::none);
    function.walk([&](arith::ArithFastMathInterface op) {
      op->setAttr(op.getFastMathAttrName(), noFlags);
    });
    function.walk([&](FusedOp op) {
      op->removeAttr("schedule");
      op->print(stream, state);
      stream << '\n';
    });
  }
  return text;
}

LogicalResult Compilation::writeCuda(mamba::Artifact &artifact,
                                     StringRef target) {
  artifact.kind = mamba::ImageKind::Cuda;
  artifact.target = target;
  FailureOr<std::string> source = translateToCuda(module, artifact, fusedText);
  if (failed(source))
    return failure();
  if (request.onStage)
    request.onStage("cuda", *source);
  artifact.image = std::move(*source);
  return success();
}

LogicalResult Compilation::compileGpu(mamba::Artifact &artifact) {
  FailureOr<PtxTarget> target =
      lookupPtxTarget(module, request.schedule.target);
  if (failed(target))
    return failure();
  if (request.writesCuda)
    return writeCuda(artifact, target->chip);
  auto onLlvm = [&](const std::string &text) { request.onStage("llvm", text); };
  FailureOr<std::string> ptx = request.onStage
                                   ? compileGpuModule(module, *target, onLlvm)
                                   : compileGpuModule(module, *target);
  if (failed(ptx))
    return failure();
  if (request.onStage)
    request.onStage("ptx", *ptx);
  artifact.kind = mamba::ImageKind::Ptx;
  artifact.target = target->chip;
  artifact.image = std::move(*ptx);
  return success();
}

LogicalResult Compilation::compileSimt(mamba::Artifact &artifact) {
  FailureOr<PtxTarget> target =
      lookupPtxTarget(module, request.schedule.machine());
  if (failed(target))
    return failure();
  FailureOr<std::string> object =
      request.onStage ? compileSimtModule(module, *target, request.onStage)
                      : compileSimtModule(module, *target);
  if (failed(object))
    return failure();
  artifact.kind = mamba::ImageKind::Object;
  artifact.target = request.schedule.target + " " + ObjectTarget::host().name();
  artifact.image = std::move(*object);
  return success();
}

/// Machine code for whatever the schedule is for.
LogicalResult Compilation::compileCode(mamba::Artifact &artifact) {
  if (request.schedule.isCpu())
    return compileCpu(artifact);
  if (simulatedChip(request.schedule.target))
    return compileSimt(artifact);
  return compileGpu(artifact);
}

LogicalResult Compilation::compileCpu(mamba::Artifact &artifact) {
  ObjectTarget target = ObjectTarget::host();
  using Printer = FailureOr<std::string> (*)(ModuleOp, const ObjectTarget &);
  std::pair<StringLiteral, Printer> printers[] = {{"llvm", printCpuLLVM},
                                                  {"asm", printCpuAssembly}};
  for (auto [stage, print] : printers) {
    if (!request.onStage)
      break;
    OwningOpRef<ModuleOp> copy = module.clone();
    FailureOr<std::string> text = print(*copy, target);
    if (failed(text))
      return failure();
    request.onStage(stage, *text);
  }
  FailureOr<std::string> object = compileCpuModule(module, target);
  if (failed(object))
    return failure();
  artifact.kind = mamba::ImageKind::Object;
  artifact.target = target.name();
  artifact.image = std::move(*object);
  return success();
}

FailureOr<mamba::Artifact> Compilation::run() {
  const ScheduleRequest &schedule = request.schedule;
  report("model");
  if (failed(attachAssumptions(module, request)) ||
      failed(runStage("fused", addFusePasses)) ||
      failed(runStage("schedule", [&](OpPassManager &passes) {
        addSchedulePass(passes, schedule);
      })))
    return failure();
  std::string chosen = schedules();
  if (request.writesCuda)
    fusedText = formula();
  StringRef lowered = schedule.isCpu() ? "cpu" : "gpu";
  if (failed(runStage(lowered, [&](OpPassManager &passes) {
        addLoweringPass(passes, schedule);
      })))
    return failure();
  if (request.onLowered && failed(request.onLowered(module)))
    return failure();
  FailureOr<mamba::Artifact> artifact = LaunchPlan::read(module);
  if (failed(artifact))
    return failure();
  artifact->schedule = std::move(chosen);
  if (failed(compileCode(*artifact)))
    return failure();
  return artifact;
}

mamba::Result<mamba::Artifact>
mlir::ssm::compile(ModuleOp module, const CompileRequest &request) {
  MAMBA_ASSIGN_OR_RETURN(func::FuncOp function,
                         findFunction(module, request.function));
  DiagnosticText diagnostics(module.getContext());
  OwningOpRef<ModuleOp> copy = isolate(function);
  FailureOr<mamba::Artifact> artifact = Compilation(*copy, request).run();
  if (failed(artifact))
    return diagnostics.toStatus("compiling failed without a message");
  return std::move(*artifact);
}

//===----------------------------------------------------------------------===//
// Named pipelines
//===----------------------------------------------------------------------===//

namespace {

/// Options that both pipelines have.
struct ExtentOptions : PassPipelineOptions<ExtentOptions> {
  Option<int64_t> batch{*this, "batch",
                        llvm::cl::desc("sequences; -1: unknown"),
                        llvm::cl::init(-1)};
  Option<int64_t> length{*this, "length", llvm::cl::desc("steps; -1: unknown"),
                         llvm::cl::init(-1)};
  Option<int64_t> channels{*this, "channels",
                           llvm::cl::desc("channels; -1: unknown"),
                           llvm::cl::init(-1)};
  Option<std::string> schedule{*this, "schedule",
                               llvm::cl::desc("in place of the default one")};

  ScheduleRequest toRequest(std::string target) const {
    ScheduleRequest request;
    request.target = std::move(target);
    request.batch = batch;
    request.length = length;
    request.channels = channels;
    request.schedule = schedule;
    return request;
  }
};

struct GpuOptions : ExtentOptions {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("such as sm_90"),
                           llvm::cl::init("sm_90")};
};

struct CpuOptions : ExtentOptions {
  Option<int64_t> threads{*this, "threads",
                          llvm::cl::desc("threads; 0: unknown"),
                          llvm::cl::init(0)};
};

} // namespace

static void addAllPasses(OpPassManager &passes,
                         const ScheduleRequest &request) {
  addFusePasses(passes);
  addSchedulePass(passes, request);
  addLoweringPass(passes, request);
}

void mlir::ssm::registerPipelines() {
  PassPipelineRegistration<GpuOptions>(
      "ssm-to-gpu", "model IR to GPU kernels, in one step",
      [](OpPassManager &passes, const GpuOptions &options) {
        addAllPasses(passes, options.toRequest(options.chip));
      });
  PassPipelineRegistration<CpuOptions>(
      "ssm-to-cpu", "model IR to kernels for the CPU, in one step",
      [](OpPassManager &passes, const CpuOptions &options) {
        ScheduleRequest request = options.toRequest("cpu");
        request.threads = options.threads;
        addAllPasses(passes, request);
      });
}
