//===- BFloat.cpp - Brain floats on hosts without them --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/BFloat.h"

#include "mlir/Support/LLVM.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace mlir;

static bool isBFloat(const llvm::Type *type) {
  return type->getScalarType()->isBFloatTy();
}

/// `type` with scalars of type `scalar`.
static llvm::Type *withScalar(llvm::Type *type, llvm::Type *scalar) {
  if (auto *vector = dyn_cast<llvm::VectorType>(type))
    return llvm::VectorType::get(scalar, vector->getElementCount());
  return scalar;
}

/// `value`, of f32, as `type`, of bf16.
static llvm::Value *roundTo(llvm::IRBuilder<> &b, llvm::Type *type,
                            llvm::Value *value) {
  llvm::Type *words = withScalar(type, b.getInt32Ty());
  auto constant = [&](uint64_t bits) {
    return llvm::ConstantInt::get(words, bits);
  };
  llvm::Value *bits = b.CreateBitCast(value, words);
  llvm::Value *upper = b.CreateLShr(bits, 16);
  // Half a unit, less where the even neighbour is the lower one.
  llvm::Value *half =
      b.CreateAdd(b.CreateAnd(upper, constant(1)), constant(0x7fff));
  llvm::Value *rounded = b.CreateLShr(b.CreateAdd(bits, half), 16);
  llvm::Value *isNaN = b.CreateFCmpUNO(value, value);
  llvm::Value *chosen = b.CreateSelect(isNaN, constant(0x7fff), rounded);
  llvm::Value *narrow = b.CreateTrunc(chosen, withScalar(type, b.getInt16Ty()));
  return b.CreateBitCast(narrow, type);
}

static llvm::Value *widen(llvm::IRBuilder<> &b, llvm::Value *value) {
  return b.CreateFPExt(value, withScalar(value->getType(), b.getFloatTy()));
}

/// Arithmetic that some operand or result makes one of bf16; not what only
/// moves values.
static bool computesInBFloat(const llvm::Instruction &instruction) {
  bool isArithmetic =
      isa<llvm::BinaryOperator, llvm::UnaryOperator, llvm::FCmpInst>(
          instruction) ||
      (isa<llvm::IntrinsicInst>(instruction) &&
       !instruction.mayReadOrWriteMemory());
  return isArithmetic && (isBFloat(instruction.getType()) ||
                          llvm::any_of(instruction.operand_values(),
                                       [](const llvm::Value *operand) {
                                         return isBFloat(operand->getType());
                                       }));
}

/// The same operation on f32 operands.
static llvm::Value *computeWide(llvm::IRBuilder<> &b,
                                llvm::Instruction &instruction) {
  SmallVector<llvm::Value *> operands;
  for (llvm::Value *operand : instruction.operand_values())
    if (!isa<llvm::Function>(operand))
      operands.push_back(isBFloat(operand->getType()) ? widen(b, operand)
                                                      : operand);
  if (auto *binary = dyn_cast<llvm::BinaryOperator>(&instruction))
    return b.CreateBinOp(binary->getOpcode(), operands[0], operands[1]);
  if (auto *unary = dyn_cast<llvm::UnaryOperator>(&instruction))
    return b.CreateUnOp(unary->getOpcode(), operands[0]);
  if (auto *compare = dyn_cast<llvm::FCmpInst>(&instruction))
    return b.CreateFCmp(compare->getPredicate(), operands[0], operands[1]);
  auto &call = cast<llvm::IntrinsicInst>(instruction);
  llvm::Type *type = isBFloat(call.getType())
                         ? withScalar(call.getType(), b.getFloatTy())
                         : call.getType();
  return b.CreateIntrinsic(type, call.getIntrinsicID(), operands);
}

void mlir::ssm::expandBFloat(llvm::Function &function) {
  SmallVector<llvm::Instruction *> work;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if ((isa<llvm::FPTruncInst>(instruction) &&
         isBFloat(instruction.getType())) ||
        computesInBFloat(instruction))
      work.push_back(&instruction);
  for (llvm::Instruction *instruction : work) {
    llvm::IRBuilder<> b(instruction);
    llvm::Value *wide = isa<llvm::FPTruncInst>(instruction)
                            ? instruction->getOperand(0)
                            : computeWide(b, *instruction);
    llvm::Value *result = isBFloat(instruction->getType())
                              ? roundTo(b, instruction->getType(), wide)
                              : wide;
    instruction->replaceAllUsesWith(result);
    instruction->eraseFromParent();
  }
}
