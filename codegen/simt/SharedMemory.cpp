//===- SharedMemory.cpp - Arrays in shared memory -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/SharedMemory.h"

#include "llvm/IR/Module.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/Support/Alignment.h"

using namespace mlir;
using namespace mlir::ssm;

static SmallVector<llvm::GlobalVariable *> sharedArrays(llvm::Module &code) {
  SmallVector<llvm::GlobalVariable *> arrays;
  for (llvm::GlobalVariable &global : code.globals())
    if (global.getAddressSpace() == 3)
      arrays.push_back(&global);
  return arrays;
}

static bool isUsedIn(const llvm::GlobalVariable &array,
                     const llvm::Function &function) {
  return llvm::any_of(array.users(), [&](const llvm::User *user) {
    auto *instruction = dyn_cast<llvm::Instruction>(user);
    return instruction && instruction->getFunction() == &function;
  });
}

void mlir::ssm::expandSharedConstants(llvm::Module &code) {
  SmallVector<llvm::Constant *> arrays;
  for (llvm::GlobalVariable *array : sharedArrays(code))
    arrays.push_back(array);
  llvm::convertUsersOfConstantsToInstructions(arrays);
}

uint64_t mlir::ssm::placeSharedMemory(HostKernel &kernel) {
  llvm::Function &function = kernel.function();
  const llvm::DataLayout &layout = function.getDataLayout();
  uint64_t bytes = 0;
  SmallVector<std::pair<llvm::GlobalVariable *, uint64_t>> places;
  // Blocks find their dynamic memory aligned for every instruction.
  constexpr uint64_t kDynamicAlignment = 16;
  for (bool isDynamic : {false, true})
    for (llvm::GlobalVariable *array : sharedArrays(*function.getParent())) {
      if (array->isDeclaration() != isDynamic || !isUsedIn(*array, function))
        continue;
      uint64_t alignment = isDynamic ? kDynamicAlignment
                                     : layout.getPreferredAlign(array).value();
      bytes = llvm::alignTo(bytes, alignment);
      places.push_back({array, bytes});
      if (!isDynamic)
        bytes += layout.getTypeAllocSize(array->getValueType());
    }
  for (auto [array, offset] : places) {
    auto *after = cast<llvm::Instruction>(kernel.sharedMemory())->getNextNode();
    llvm::IRBuilder<> b(after);
    llvm::Value *address = b.CreateConstInBoundsGEP1_64(
        b.getInt8Ty(), kernel.sharedMemory(), offset);
    array->replaceUsesWithIf(address, [&](llvm::Use &use) {
      auto *user = dyn_cast<llvm::Instruction>(use.getUser());
      return user && user->getFunction() == &function;
    });
  }
  return bytes;
}

void mlir::ssm::dropSharedMemory(llvm::Module &code) {
  for (llvm::GlobalVariable *array : sharedArrays(code)) {
    array->removeDeadConstantUsers();
    assert(array->use_empty() && "kernels have addresses of their own");
    array->eraseFromParent();
  }
}
