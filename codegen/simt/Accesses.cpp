//===- Accesses.cpp - Loads, stores and atomics that are checked ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/Accesses.h"

#include "runtime/simt/Copies.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace mlir::ssm;
using mamba::simt::Services;
using mamba::simt::SiteKind;
using mamba::simt::Space;

/// Where the address may point.
static SmallVector<const llvm::Value *> objectsOf(const llvm::Value *address) {
  SmallVector<const llvm::Value *> objects;
  llvm::getUnderlyingObjects(address, objects, /*LI=*/nullptr,
                             /*MaxLookup=*/0);
  return objects;
}

static bool isPrivate(const llvm::Value *object) {
  auto *global = dyn_cast<llvm::GlobalVariable>(object);
  return isa<llvm::AllocaInst>(object) || (global && global->isConstant());
}

static std::optional<MemoryAccess> access(SiteKind kind, llvm::Value *address,
                                          llvm::Type *type, llvm::Align align,
                                          const llvm::Instruction &by) {
  SmallVector<const llvm::Value *> objects = objectsOf(address);
  if (llvm::all_of(objects, isPrivate))
    return std::nullopt;
  unsigned space = address->getType()->getPointerAddressSpace();
  MemoryAccess result;
  result.kind = kind;
  result.space =
      space == 1 || space == 3 ? static_cast<Space>(space) : Space::Generic;
  result.address = address;
  result.bytes = by.getDataLayout().getTypeStoreSize(type).getFixedValue();
  result.alignment = align.value();
  auto *argument =
      objects.size() == 1 ? dyn_cast<llvm::Argument>(objects.front()) : nullptr;
  result.argument = argument ? static_cast<int32_t>(argument->getArgNo()) : -1;
  return result;
}

static SiteKind kindOf(const llvm::StoreInst &store) {
  if (llvm::isReleaseOrStronger(store.getOrdering()))
    return SiteKind::Release;
  return store.isAtomic() ? SiteKind::Atomic : SiteKind::Store;
}

std::optional<MemoryAccess>
mlir::ssm::findAcquire(llvm::Instruction &instruction) {
  auto *load = dyn_cast<llvm::LoadInst>(&instruction);
  if (!load || !llvm::isAcquireOrStronger(load->getOrdering()))
    return std::nullopt;
  return access(SiteKind::Acquire, load->getPointerOperand(), load->getType(),
                load->getAlign(), instruction);
}

std::optional<MemoryAccess>
mlir::ssm::findAccess(llvm::Instruction &instruction) {
  if (auto *load = dyn_cast<llvm::LoadInst>(&instruction))
    return access(load->isAtomic() ? SiteKind::Atomic : SiteKind::Load,
                  load->getPointerOperand(), load->getType(), load->getAlign(),
                  instruction);
  if (auto *store = dyn_cast<llvm::StoreInst>(&instruction))
    return access(kindOf(*store), store->getPointerOperand(),
                  store->getValueOperand()->getType(), store->getAlign(),
                  instruction);
  if (auto *update = dyn_cast<llvm::AtomicRMWInst>(&instruction))
    return access(SiteKind::Atomic, update->getPointerOperand(),
                  update->getType(), update->getAlign(), instruction);
  if (auto *exchange = dyn_cast<llvm::AtomicCmpXchgInst>(&instruction))
    return access(SiteKind::Atomic, exchange->getPointerOperand(),
                  exchange->getNewValOperand()->getType(), exchange->getAlign(),
                  instruction);
  return std::nullopt;
}

/// Operand `number` of `copy` as an access of `kind`.
static std::optional<MemoryAccess> accessOf(llvm::CallInst &copy, SiteKind kind,
                                            unsigned number) {
  constexpr uint64_t kBytes = mamba::simt::Copies::kBytes;
  auto *word =
      llvm::ArrayType::get(llvm::Type::getInt8Ty(copy.getContext()), kBytes);
  return access(kind, copy.getArgOperand(number), word, llvm::Align(kBytes),
                copy);
}

std::optional<MemoryAccess>
mlir::ssm::findCopySource(llvm::Instruction &instruction) {
  auto &copy = cast<llvm::CallInst>(instruction);
  std::optional<MemoryAccess> found = accessOf(copy, SiteKind::Load, 1);
  constexpr unsigned kSize = 2;
  if (found && copy.arg_size() > kSize)
    found->count = copy.getArgOperand(kSize);
  return found;
}

std::optional<MemoryAccess>
mlir::ssm::findCopyTarget(llvm::Instruction &instruction) {
  return accessOf(cast<llvm::CallInst>(instruction), SiteKind::Store, 0);
}

void mlir::ssm::checkAccess(HostKernel &kernel, llvm::Instruction &instruction,
                            const MemoryAccess &access, llvm::Constant *site) {
  llvm::IRBuilder<> b(&instruction);
  // What was released is acquired once the load has seen it.
  if (access.kind == SiteKind::Acquire)
    b.SetInsertPoint(instruction.getNextNode());
  llvm::Value *address = b.CreateAddrSpaceCast(access.address, b.getPtrTy());
  llvm::Value *bytes = access.count ? b.CreateZExt(access.count, b.getInt64Ty())
                                    : b.getInt64(access.bytes);
  kernel.callService(b, offsetof(Services, access), b.getVoidTy(),
                     {kernel.thread(), address, bytes, site});
}
