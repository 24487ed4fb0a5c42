//===- CompileCpu.cpp - Lowered kernels to an object of the host ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CompileCpu.h"

#include "codegen/OptimizeLLVM.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::ssm;

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
static constexpr StringLiteral kOptimizations =
    "function(sroa,early-cse<memssa>,loop-mssa(loop-rotate,licm),"
    "instcombine<no-verify-fixpoint>,simplifycfg)";

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
  optimizeLLVM(*module, machine, kOptimizations);
  return module;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static FailureOr<std::string> compileTo(ModuleOp lowered,
                                        const ObjectTarget &target,
                                        llvm::CodeGenFileType kind) {
  auto machine = createTargetMachine(lowered, target);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  auto module = translate(lowered, target, **machine, context);
  if (failed(module))
    return failure();
  return emitFile(lowered, **module, **machine, kind);
}

FailureOr<std::string> mlir::ssm::compileCpuModule(ModuleOp lowered,
                                                   const ObjectTarget &target) {
  return compileTo(lowered, target, llvm::CodeGenFileType::ObjectFile);
}

FailureOr<std::string> mlir::ssm::printCpuAssembly(ModuleOp lowered,
                                                   const ObjectTarget &target) {
  return compileTo(lowered, target, llvm::CodeGenFileType::AssemblyFile);
}

FailureOr<std::string> mlir::ssm::printCpuLLVM(ModuleOp lowered,
                                               const ObjectTarget &target) {
  auto machine = createTargetMachine(lowered, target);
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
