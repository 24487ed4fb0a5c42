//===- ObjectTarget.cpp - The host's processor as a target ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ObjectTarget.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace mlir;
using namespace mlir::ssm;

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

FailureOr<std::unique_ptr<llvm::TargetMachine>>
mlir::ssm::createTargetMachine(ModuleOp module, const ObjectTarget &target) {
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

FailureOr<std::string> mlir::ssm::emitFile(ModuleOp module, llvm::Module &code,
                                           llvm::TargetMachine &machine,
                                           llvm::CodeGenFileType kind) {
  SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, kind))
    return module.emitError("cannot emit code for '")
           << machine.getTargetTriple().str() << "'";
  passes.run(code);
  return std::string(text);
}
