//===- Retarget.cpp - NVPTX LLVM IR as code of the host -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sites are made first, of the instructions as the NVPTX backend would see
// them; then kernels change their signature, and each watched instruction gets
// its call.
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/Retarget.h"

#include "codegen/simt/Accesses.h"
#include "codegen/simt/BFloat.h"
#include "codegen/simt/Division.h"
#include "codegen/simt/Intrinsics.h"
#include "codegen/simt/SharedMemory.h"
#include "codegen/simt/Sites.h"

#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::ssm;
using mamba::simt::KernelImage;
using mamba::simt::Space;

namespace {

using FindAccess = std::optional<MemoryAccess> (*)(llvm::Instruction &);

/// An instruction that gets a call, and its Site; null where nothing is
/// watched.
struct Watched {
  llvm::Instruction *instruction;
  llvm::Constant *site;
  /// How its memory access is found; null: it is a call.
  FindAccess find = nullptr;
};

/// A kernel's way into the host's code.
class KernelConversion {
public:
  KernelConversion(ModuleOp module, llvm::Function &kernel, SiteTable &sites)
      : module(module), kernel(kernel), sites(sites) {}

  LogicalResult run(const ObjectTarget &target);

private:
  LogicalResult collect();
  LogicalResult collectCall(llvm::CallInst &call);
  void collectAccess(llvm::Instruction &instruction, FindAccess find);
  LogicalResult verifyArguments();
  LogicalResult verifyFrame();
  void addImage(llvm::Function &code, uint64_t staticSharedBytes);

  ModuleOp module;
  llvm::Function &kernel;
  SiteTable &sites;
  SmallVector<Watched> watched;
};

} // namespace

//===----------------------------------------------------------------------===//
// What is there
//===----------------------------------------------------------------------===//

LogicalResult KernelConversion::verifyArguments() {
  for (llvm::Argument &argument : kernel.args()) {
    llvm::Type *type = argument.getType();
    if (!type->isPointerTy() && !type->isIntegerTy(64))
      return module.emitError("argument ")
             << argument.getArgNo() << " of kernel '" << kernel.getName()
             << "' is neither a pointer nor an i64, which is all that the "
             << "simulator passes";
  }
  return success();
}

/// Most of a fiber's stack is for local arrays.
static constexpr uint64_t kMaxLocalBytes = 192 * 1024;

LogicalResult KernelConversion::verifyFrame() {
  uint64_t bytes = 0;
  for (llvm::Instruction &instruction : llvm::instructions(kernel))
    if (auto *local = dyn_cast<llvm::AllocaInst>(&instruction))
      if (auto size = local->getAllocationSize(kernel.getDataLayout()))
        bytes += size->getFixedValue();
  if (bytes <= kMaxLocalBytes)
    return success();
  return module.emitError("kernel '")
         << kernel.getName() << "' has " << bytes << " bytes of local arrays a "
         << "thread, and the simulator has " << kMaxLocalBytes;
}

/// Calls that are the same on every target.
static bool isPortable(const llvm::CallInst &call) {
  const llvm::Function *callee = call.getCalledFunction();
  if (!callee || !callee->isIntrinsic() ||
      callee->getName().starts_with("llvm.nvvm."))
    return false;
  return !call.mayReadOrWriteMemory() ||
         cast<llvm::IntrinsicInst>(call).isAssumeLikeIntrinsic();
}

LogicalResult KernelConversion::collectCall(llvm::CallInst &call) {
  if (const SimtIntrinsic *intrinsic = findSimtIntrinsic(call)) {
    llvm::Constant *site = nullptr;
    if (intrinsic->isCopy()) {
      collectAccess(call, findCopySource);
      collectAccess(call, findCopyTarget);
    }
    if (intrinsic->isWatched())
      site = sites.add(call, intrinsic->siteKind(), Space::Generic, -1,
                       intrinsic->alignment());
    watched.push_back({&call, site});
    return success();
  }
  if (isPortable(call))
    return success();
  InFlightDiagnostic error = emitError(locationOf(module, call));
  if (call.isInlineAsm())
    error << "inline PTX '"
          << cast<llvm::InlineAsm>(call.getCalledOperand())->getAsmString()
          << "' can't be simulated; use an intrinsic or an op";
  else if (const llvm::Function *callee = call.getCalledFunction())
    error << "the simulator does not know '" << callee->getName()
          << "'; add it to codegen/simt/Intrinsics.cpp";
  else
    error << "a call through a pointer can't be simulated";
  return failure();
}

void KernelConversion::collectAccess(llvm::Instruction &instruction,
                                     FindAccess find) {
  if (std::optional<MemoryAccess> access = find(instruction))
    watched.push_back({&instruction,
                       sites.add(instruction, access->kind, access->space,
                                 access->argument, access->alignment),
                       find});
}

LogicalResult KernelConversion::collect() {
  sites.enter(kernel);
  for (llvm::Instruction &instruction : llvm::instructions(kernel)) {
    if (auto *call = dyn_cast<llvm::CallInst>(&instruction)) {
      if (failed(collectCall(*call)))
        return failure();
    } else {
      collectAccess(instruction, findAccess);
      collectAccess(instruction, findAcquire);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// What becomes of it
//===----------------------------------------------------------------------===//

/// "128" or "16,8,1", as the attribute nvvm.reqntid says it; 0 if it is absent.
static uint64_t requiredThreads(const llvm::Function &kernel) {
  StringRef text = kernel.getFnAttribute("nvvm.reqntid").getValueAsString();
  if (text.empty())
    return 0;
  uint64_t threads = 1;
  SmallVector<StringRef> extents;
  text.split(extents, ',');
  for (StringRef extent : extents) {
    uint64_t count = 0;
    if (!extent.trim().getAsInteger(10, count))
      threads *= count;
  }
  return threads;
}

void KernelConversion::addImage(llvm::Function &code,
                                uint64_t staticSharedBytes) {
  llvm::LLVMContext &context = code.getContext();
  auto number = [&](uint64_t value) {
    return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), value);
  };
  static_assert(offsetof(KernelImage, abiVersion) == 0 &&
                offsetof(KernelImage, code) == 8 &&
                offsetof(KernelImage, staticSharedBytes) == 16 &&
                offsetof(KernelImage, requiredThreads) == 24 &&
                sizeof(KernelImage) == 32);
  llvm::Constant *fields[] = {number(mamba::simt::kAbiVersion), &code,
                              number(staticSharedBytes),
                              number(requiredThreads(kernel))};
  llvm::Constant *image = llvm::ConstantStruct::getAnon(context, fields);
  auto *global = new llvm::GlobalVariable(
      *code.getParent(), image->getType(), /*isConstant=*/true,
      llvm::GlobalValue::ExternalLinkage, image, "image");
  global->takeName(&kernel);
}

LogicalResult KernelConversion::run(const ObjectTarget &target) {
  if (failed(verifyArguments()) || failed(verifyFrame()) || failed(collect()))
    return failure();
  HostKernel host(kernel);
  uint64_t staticBytes = placeSharedMemory(host);
  for (auto [instruction, site, find] : watched) {
    if (find)
      checkAccess(host, *instruction, *find(*instruction), site);
    else {
      auto &call = cast<llvm::CallInst>(*instruction);
      lowerSimtIntrinsic(host, *findSimtIntrinsic(call), call, site);
    }
  }
  guardDivisions(host.function());
  expandBFloat(host.function());
  host.function().addFnAttr("target-cpu", target.cpu);
  host.function().addFnAttr("target-features", target.features);
  addImage(host.function(), staticBytes);
  kernel.eraseFromParent();
  return success();
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

/// What was said to NVPTX, or is no longer true once the simulator is called in
/// between.
static void dropPromises(llvm::Module &code) {
  for (llvm::Function &function : code) {
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (instruction.mayReadOrWriteMemory() &&
          !isa<llvm::CallInst>(instruction))
        instruction.dropUnknownNonDebugMetadata();
  }
}

/// Removes the intrinsics that calls of the simulator replaced.
static void dropDeclarations(llvm::Module &code) {
  for (llvm::Function &function : llvm::make_early_inc_range(code))
    if (function.isDeclaration() && function.use_empty())
      function.eraseFromParent();
}

LogicalResult mlir::ssm::retargetToHost(ModuleOp module, llvm::Module &code,
                                        const ObjectTarget &target,
                                        llvm::TargetMachine &machine) {
  dropPromises(code);
  expandSharedConstants(code);
  SmallVector<llvm::Function *> kernels;
  for (llvm::Function &function : code) {
    if (function.isDeclaration())
      continue;
    if (function.getCallingConv() != llvm::CallingConv::PTX_Kernel)
      return module.emitError("function '")
             << function.getName() << "' is no kernel and was not inlined, "
             << "which the simulator can't call";
    kernels.push_back(&function);
  }
  SiteTable sites(code);
  for (llvm::Function *kernel : kernels)
    if (failed(KernelConversion(module, *kernel, sites).run(target)))
      return failure();
  dropSharedMemory(code);
  dropDeclarations(code);
  code.setTargetTriple(llvm::Triple(target.triple));
  code.setDataLayout(machine.createDataLayout());
  llvm::StripDebugInfo(code);
  return success();
}
