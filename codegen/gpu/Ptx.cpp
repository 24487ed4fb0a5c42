//===- Ptx.cpp - Lowered kernels to PTX text ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Ptx.h"

#include "codegen/OptimizeLLVM.h"
#include "codegen/Passes.h"
#include "codegen/gpu/VectorAtomics.h"

#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Pass.h"
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

/// GPUs before sm_90 can't suspend a thread at an mbarrier: it asks again.
static void pollBarriers(gpu::GPUModuleOp kernels) {
  kernels.walk([](NVVM::MBarrierTryWaitOp wait) {
    OpBuilder builder(wait);
    auto test = NVVM::MBarrierTestWaitOp::create(builder, wait.getLoc(),
                                                 wait.getType(), wait.getAddr(),
                                                 wait.getStateOrPhase());
    wait.replaceAllUsesWith(test.getResult());
    wait.erase();
  });
}

void mlir::ssm::addMathPasses(OpPassManager &kernels) {
  kernels.addPass(createApproximateMathPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createContractProductsPass());
}

static LogicalResult lowerToNvvm(ModuleOp module, const PtxTarget &target) {
  PassManager passes(module.getContext());
  // Once, at the end: between these passes it costs a tenth of them.
  passes.enableVerifier(false);
  OpPassManager &kernels = passes.nest<gpu::GPUModuleOp>();
  addMathPasses(kernels);
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module)) || failed(mlir::verify(module)))
    return failure();
  for (auto kernelModule : module.getOps<gpu::GPUModuleOp>()) {
    if (failed(verifyNoLibraryCalls(kernelModule)))
      return failure();
    if (target.major() < 9)
      pollBarriers(kernelModule);
  }
  return success();
}

/// What the backend may use. It has phases by their parity from PTX 8.0 on,
/// which drivers of CUDA 12 read, and sums of vectors in memory, of sm_90, from
/// 8.1 on (CUDA 12.1).
static std::string featuresFor(ModuleOp module, const PtxTarget &target) {
  bool hasPhases = false, addsVectors = false;
  module.walk([&](Operation *op) {
    hasPhases |= isa<NVVM::MBarrierTryWaitOp>(op);
    auto atomic = dyn_cast<LLVM::AtomicRMWOp>(op);
    addsVectors |= atomic && isa<VectorType>(atomic.getType());
  });
  if (target.major() < 9)
    return hasPhases ? "+ptx80" : target.features;
  return addsVectors && target.major() == 9 ? "+ptx81" : target.features;
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
      triple, target.chip, featuresFor(module, target), llvm::TargetOptions(),
      {}, {}, llvm::CodeGenOptLevel::Default));
}

/// What kernels profit from. All their functions are one already, their loops
/// are unrolled where that pays, and threads are the vectors: most of LLVM's
/// pipeline at O3 looks long and finds nothing. Measured on an H100: as fast as
/// O3's code in half the compile time. Sinking values to their uses saves a
/// sixth of the registers and makes kernels slower by as much.
static constexpr StringLiteral kOptimizations =
    "function(early-cse<memssa>,simplifycfg,loop-mssa(loop-rotate,licm),"
    "loop(indvars),early-cse<memssa>,instcombine<no-verify-fixpoint>,"
    "simplifycfg)";

namespace {
/// The backend's passes without those that cost time and gain nothing.
class BackendPasses : public llvm::legacy::PassManager {
public:
  void add(llvm::Pass *pass) override {
    // Induction variables in place of products: ptxas does that itself. Here
    // it takes a sixth of the time, and made decode steps slower by half.
    if (pass->getPassName() == "Loop Strength Reduction")
      delete pass;
    else
      llvm::legacy::PassManager::add(pass);
  }
};
} // namespace

static std::string emitAssembly(llvm::Module &module,
                                llvm::TargetMachine &machine) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  BackendPasses passes;
  // The NVPTX backend can always emit assembly.
  machine.addPassesToEmitFile(passes, stream, nullptr,
                              llvm::CodeGenFileType::AssemblyFile);
  passes.run(module);
  return text.str().str();
}

static FailureOr<std::unique_ptr<llvm::Module>>
lowerToLLVM(ModuleOp module, const PtxTarget &target,
            llvm::TargetMachine &machine, llvm::LLVMContext &context,
            bool keepsLocations) {
  auto kernels = module.getOps<gpu::GPUModuleOp>();
  if (kernels.empty())
    return module.emitError("has no gpu.module; run --ssm-lower-to-gpu first");
  if (failed(lowerToNvvm(module, target)))
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
  optimizeLLVM(*code, machine, kOptimizations);
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
  return lowerToLLVM(module, target, *machine, context, keepsLocations);
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
      lowerToLLVM(module, target, *machine, context, /*keepsLocations=*/false);
  if (failed(code))
    return failure();
  if (target.major() >= 9)
    reduceVectors(**code);
  else
    splitVectorAtomics(**code);
  if (onLlvm) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    (*code)->print(stream, nullptr);
    onLlvm(text);
  }
  return emitAssembly(**code, *machine);
}
