//===- CompileSimt.cpp - Lowered GPU kernels to an object of the host -----===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/CompileSimt.h"

#include "codegen/cpu/ObjectTarget.h"
#include "codegen/gpu/VectorAtomics.h"
#include "codegen/simt/Retarget.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::ssm;

std::optional<StringRef> mlir::ssm::simulatedChip(StringRef target) {
  if (target.consume_front("simt-"))
    return target;
  return std::nullopt;
}

static void showStage(SimtStageHook onStage, StringRef stage,
                      const llvm::Module &code) {
  if (!onStage)
    return;
  std::string text;
  llvm::raw_string_ostream stream(text);
  code.print(stream, nullptr);
  onStage(stage, text);
}

FailureOr<std::string> mlir::ssm::compileSimtModule(ModuleOp module,
                                                    const PtxTarget &target,
                                                    SimtStageHook onStage) {
  ObjectTarget host = ObjectTarget::host();
  auto machine = createTargetMachine(module, host);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  auto code =
      lowerGpuModuleToLLVM(module, target, context, /*keepsLocations=*/true);
  if (failed(code))
    return failure();
  showStage(onStage, "llvm", **code);
  splitVectorAtomics(**code);
  if (failed(retargetToHost(module, **code, host, **machine)))
    return failure();
  showStage(onStage, "simt", **code);
  // The kernels are optimized already, and the calls in between leave little
  // more: registers that are chosen well cost more time than they save.
  (*machine)->setOptLevel(llvm::CodeGenOptLevel::None);
  return emitFile(module, **code, **machine, llvm::CodeGenFileType::ObjectFile);
}
