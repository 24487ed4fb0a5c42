//===- CompileCpu.cpp - Lowered kernels to an object of the host ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CompileCpu.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Target
//===----------------------------------------------------------------------===//

ObjectTarget ObjectTarget::host() {
  ObjectTarget target;
  target.triple = llvm::sys::getProcessTriple();
  target.cpu = llvm::sys::getHostCPUName().str();
  llvm::SubtargetFeatures features;
  // A map of strings: sorted, so that the name is the same in every process.
  llvm::StringMap<bool> known = llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> names(known.keys());
  llvm::sort(names);
  for (StringRef feature : names)
    features.AddFeature(feature, known.lookup(feature));
  target.features = features.getString();
  return target;
}

bool ObjectTarget::has(StringRef feature) const {
  SmallVector<StringRef> all;
  StringRef(features).split(all, ',');
  return llvm::is_contained(all, ("+" + feature).str());
}

static FailureOr<std::unique_ptr<llvm::TargetMachine>>
createMachine(ModuleOp module, const ObjectTarget &target) {
  static const bool ready = [] {
    return !llvm::InitializeNativeTarget() &&
           !llvm::InitializeNativeTargetAsmPrinter();
  }();
  std::string problem = "this LLVM has no code generator for it";
  const llvm::Triple triple(target.triple);
  const llvm::Target *known =
      ready ? llvm::TargetRegistry::lookupTarget(triple, problem) : nullptr;
  std::unique_ptr<llvm::TargetMachine> machine(
      known ? known->createTargetMachine(
                  triple, target.cpu, target.features, llvm::TargetOptions(),
                  llvm::Reloc::PIC_, llvm::CodeModel::Small,
                  llvm::CodeGenOptLevel::Default)
            : nullptr);
  if (!machine)
    return module.emitError("cannot compile for '")
           << target.triple << "', cpu '" << target.cpu << "': " << problem;
  return machine;
}

//===----------------------------------------------------------------------===//
// LLVM IR
//===----------------------------------------------------------------------===//

/// Kernels raise no exceptions and use the widest vectors that the body has.
static void setAttributes(llvm::Module &module, const ObjectTarget &target) {
  for (llvm::Function &function : module) {
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", target.features);
    function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr("min-legal-vector-width", "512");
  }
}

/// The kernels are vectorized already; what is left is ordinary cleaning.
/// Measured on a whole S6 layer: as fast as the code of -O2 in a third of its
/// compile time (unrolling the loops over tiles costs most of the rest).
constexpr const char *kPipeline =
    "function(sroa,early-cse<memssa>,loop-mssa(loop-rotate,licm),"
    "instcombine<no-verify-fixpoint>,simplifycfg)";

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes, kPipeline));
  passes.run(module, modules);
}

/// Optimized LLVM IR in `context`, and the machine to emit it.
static FailureOr<std::unique_ptr<llvm::Module>>
translate(ModuleOp lowered, const ObjectTarget &target,
          llvm::TargetMachine &machine, llvm::LLVMContext &context) {
  if (failed(convertCpuModuleToLLVM(lowered, target)))
    return failure();
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(lowered, context, "kernel");
  if (!module)
    return lowered.emitError("has no translation to LLVM IR");
  module->setTargetTriple(llvm::Triple(target.triple));
  module->setDataLayout(machine.createDataLayout());
  setAttributes(*module, target);
  optimize(*module, machine);
  return module;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static FailureOr<std::string> emitFile(ModuleOp lowered,
                                       const ObjectTarget &target,
                                       llvm::CodeGenFileType kind) {
  auto machine = createMachine(lowered, target);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  auto module = translate(lowered, target, **machine, context);
  if (failed(module))
    return failure();
  SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, kind))
    return lowered.emitError("cannot emit code for '") << target.triple << "'";
  passes.run(**module);
  return std::string(text);
}

FailureOr<std::string> mlir::ssm::compileCpuModule(ModuleOp lowered,
                                                   const ObjectTarget &target) {
  return emitFile(lowered, target, llvm::CodeGenFileType::ObjectFile);
}

FailureOr<std::string> mlir::ssm::printCpuAssembly(ModuleOp lowered,
                                                   const ObjectTarget &target) {
  return emitFile(lowered, target, llvm::CodeGenFileType::AssemblyFile);
}

FailureOr<std::string> mlir::ssm::printCpuLLVM(ModuleOp lowered,
                                               const ObjectTarget &target) {
  auto machine = createMachine(lowered, target);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  auto module = translate(lowered, target, **machine, context);
  if (failed(module))
    return failure();
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*module)->print(stream, nullptr);
  return text;
}
