//===- Ptx.cpp - Lowered kernels to PTX text ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Ptx.h"

#include "codegen/Passes.h"

#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::ssm;

FailureOr<PtxTarget> mlir::ssm::lookupPtxTarget(ModuleOp module,
                                                StringRef chip) {
  static constexpr std::pair<StringLiteral, StringLiteral> kTargets[] = {
      {"sm_80", "+ptx70"}, {"sm_86", "+ptx71"},  {"sm_89", "+ptx78"},
      {"sm_90", "+ptx80"}, {"sm_100", "+ptx86"}, {"sm_120", "+ptx87"}};
  for (auto [name, features] : kTargets)
    if (chip == name)
      return PtxTarget{chip.str(), features.str()};
  return module.emitError("found GPU target '")
         << chip << "', expected sm_80, sm_86, sm_89, sm_90, sm_100 or sm_120";
}

/// Fails where an operation became a call of CUDA's math library, which is not
/// there to link: the driver would refuse the PTX, without a place.
static LogicalResult verifyNoLibraryCalls(gpu::GPUModuleOp module) {
  WalkResult result = module.walk([&](LLVM::CallOp call) {
    auto callee = call.getCallee();
    auto function = callee ? module.lookupSymbol<LLVM::LLVMFuncOp>(*callee)
                           : LLVM::LLVMFuncOp();
    if (!function || !function.isExternal())
      return WalkResult::advance();
    call.emitError("needs the library function '")
        << *callee << "', and no GPU code is known for it";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

static LogicalResult lowerToNvvm(ModuleOp module) {
  PassManager passes(module.getContext());
  OpPassManager &kernels = passes.nest<gpu::GPUModuleOp>();
  kernels.addPass(createApproximateMathPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module)))
    return failure();
  for (auto kernelModule : module.getOps<gpu::GPUModuleOp>())
    if (failed(verifyNoLibraryCalls(kernelModule)))
      return failure();
  return success();
}

static std::unique_ptr<llvm::TargetMachine>
createTargetMachine(ModuleOp module, const PtxTarget &target) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *backend =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backend) {
    module.emitError("this LLVM has no NVPTX backend: ") << error;
    return nullptr;
  }
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, target.chip, target.features, llvm::TargetOptions(), {}, {},
      llvm::CodeGenOptLevel::Default));
}

/// LLVM's pipeline at O3, with the target's own hooks.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions options;
  // Threads are the vectors here: these passes look long and find nothing.
  options.LoopVectorization = options.LoopInterleaving = false;
  options.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, options);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

static std::string emitAssembly(llvm::Module &module,
                                llvm::TargetMachine &machine) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  // The NVPTX backend can always emit assembly.
  machine.addPassesToEmitFile(passes, stream, nullptr,
                              llvm::CodeGenFileType::AssemblyFile);
  passes.run(module);
  return text.str().str();
}

static FailureOr<std::unique_ptr<llvm::Module>>
lowerToLLVM(ModuleOp module, llvm::TargetMachine &machine,
            llvm::LLVMContext &context, bool keepsLocations) {
  auto kernels = module.getOps<gpu::GPUModuleOp>();
  if (kernels.empty())
    return module.emitError("has no gpu.module; run --ssm-lower-to-gpu first");
  if (failed(lowerToNvvm(module)))
    return failure();
  if (keepsLocations) {
    PassManager passes(module.getContext());
    passes.addPass(LLVM::createDIScopeForLLVMFuncOpPass());
    if (failed(passes.run(module)))
      return failure();
  }
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(*kernels.begin(), context, "kernels");
  if (!code)
    return failure();
  code->setTargetTriple(machine.getTargetTriple());
  code->setDataLayout(machine.createDataLayout());
  optimize(*code, machine);
  return code;
}

FailureOr<std::unique_ptr<llvm::Module>>
mlir::ssm::lowerGpuModuleToLLVM(ModuleOp module, const PtxTarget &target,
                                llvm::LLVMContext &context,
                                bool keepsLocations) {
  std::unique_ptr<llvm::TargetMachine> machine =
      createTargetMachine(module, target);
  if (!machine)
    return failure();
  return lowerToLLVM(module, *machine, context, keepsLocations);
}

FailureOr<std::string>
mlir::ssm::compileGpuModule(ModuleOp module, const PtxTarget &target,
                            function_ref<void(const std::string &)> onLlvm) {
  std::unique_ptr<llvm::TargetMachine> machine =
      createTargetMachine(module, target);
  if (!machine)
    return failure();
  llvm::LLVMContext context;
  FailureOr<std::unique_ptr<llvm::Module>> code =
      lowerToLLVM(module, *machine, context, /*keepsLocations=*/false);
  if (failed(code))
    return failure();
  if (onLlvm) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    (*code)->print(stream, nullptr);
    onLlvm(text);
  }
  return emitAssembly(**code, *machine);
}
