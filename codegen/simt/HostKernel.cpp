//===- HostKernel.cpp - A kernel as a function of one thread --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/HostKernel.h"

#include "llvm/IR/Module.h"

using namespace mlir;
using namespace mlir::ssm;
using mamba::simt::Services;
using mamba::simt::Thread;

HostKernel::HostKernel(llvm::Function &kernel) {
  llvm::LLVMContext &context = kernel.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                                       {pointer, pointer}, false);
  code = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage,
                                kernel.getName() + ".code", kernel.getParent());
  code->addFnAttr(llvm::Attribute::NoUnwind);
  // A frame that is too large must meet the page below the stack.
  code->addFnAttr("probe-stack", "inline-asm");
  code->getArg(0)->setName("thread");
  code->getArg(1)->setName("args");
  code->splice(code->begin(), &kernel);

  llvm::BasicBlock &entry = code->getEntryBlock();
  llvm::IRBuilder<> b(&entry, entry.begin());
  services = loadField(b, pointer, offsetof(Thread, services));
  services->setName("services");
  shared = loadField(b, llvm::PointerType::get(context, 3),
                     offsetof(Thread, shared));
  shared->setName("shared");
  for (llvm::Argument &argument : kernel.args()) {
    llvm::Value *address = b.CreateConstInBoundsGEP1_64(
        b.getInt64Ty(), code->getArg(1), argument.getArgNo());
    argument.replaceAllUsesWith(b.CreateLoad(argument.getType(), address));
  }
}

llvm::Value *HostKernel::loadField(llvm::IRBuilder<> &b, llvm::Type *type,
                                   size_t offset) {
  return b.CreateLoad(type, b.CreateConstInBoundsGEP1_64(
                                b.getInt8Ty(), code->getArg(0), offset));
}

llvm::CallInst *HostKernel::callService(llvm::IRBuilder<> &b, size_t offset,
                                        llvm::Type *result,
                                        ArrayRef<llvm::Value *> operands) {
  SmallVector<llvm::Type *> types;
  for (llvm::Value *operand : operands)
    types.push_back(operand->getType());
  auto *type = llvm::FunctionType::get(result, types, false);
  llvm::Value *service = b.CreateLoad(
      b.getPtrTy(),
      b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), services, offset));
  return b.CreateCall(type, service, operands);
}
