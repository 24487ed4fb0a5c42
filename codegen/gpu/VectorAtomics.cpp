//===- VectorAtomics.cpp - Several floats added to memory -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/VectorAtomics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

/// The atomic sums of vectors whose results no one reads.
static llvm::SmallVector<llvm::AtomicRMWInst *>
vectorAtomics(llvm::Module &module) {
  llvm::SmallVector<llvm::AtomicRMWInst *> found;
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *atomic = llvm::dyn_cast<llvm::AtomicRMWInst>(&instruction))
        if (atomic->getOperation() == llvm::AtomicRMWInst::FAdd &&
            atomic->getType()->isVectorTy() && atomic->use_empty())
          found.push_back(atomic);
  return found;
}

/// The floats of the sum's vector.
static llvm::SmallVector<llvm::Value *> floatsOf(llvm::IRBuilder<> &builder,
                                                 llvm::Value *vector) {
  auto *type = llvm::cast<llvm::FixedVectorType>(vector->getType());
  llvm::SmallVector<llvm::Value *> floats;
  for (unsigned i = 0; i < type->getNumElements(); ++i)
    floats.push_back(builder.CreateExtractElement(vector, uint64_t(i)));
  return floats;
}

void mlir::ssm::splitVectorAtomics(llvm::Module &module) {
  for (llvm::AtomicRMWInst *atomic : vectorAtomics(module)) {
    llvm::IRBuilder<> builder(atomic);
    for (auto [i, number] :
         llvm::enumerate(floatsOf(builder, atomic->getValOperand())))
      builder.CreateAtomicRMW(
          llvm::AtomicRMWInst::FAdd,
          builder.CreateConstInBoundsGEP1_64(number->getType(),
                                             atomic->getPointerOperand(), i),
          number, llvm::Align(4), atomic->getOrdering(),
          atomic->getSyncScopeID());
    atomic->eraseFromParent();
  }
}

void mlir::ssm::reduceVectors(llvm::Module &module) {
  for (llvm::AtomicRMWInst *atomic : vectorAtomics(module)) {
    llvm::IRBuilder<> builder(atomic);
    llvm::SmallVector<llvm::Value *> operands = {atomic->getPointerOperand()};
    llvm::append_range(operands, floatsOf(builder, atomic->getValOperand()));
    llvm::SmallVector<llvm::Type *> types;
    for (llvm::Value *operand : operands)
      types.push_back(operand->getType());
    auto *code = llvm::InlineAsm::get(
        llvm::FunctionType::get(builder.getVoidTy(), types, false),
        "red.relaxed.gpu.global.add.v4.f32 [$0], {$1, $2, $3, $4};",
        "l,f,f,f,f,~{memory}", /*hasSideEffects=*/true);
    builder.CreateCall(code, operands);
    atomic->eraseFromParent();
  }
}
