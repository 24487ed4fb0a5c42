//===- Division.cpp - Integer division as GPUs do it ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/Division.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"

/// True where a host divides without looking: a divisor that is known to be
/// neither 0 nor -1.
static bool isSafe(const llvm::BinaryOperator &division) {
  auto *divisor = llvm::dyn_cast<llvm::ConstantInt>(division.getOperand(1));
  return divisor && !divisor->isZero() && !divisor->isMinusOne();
}

/// Divides by 1 in place of the divisors that trap.
static void guard(llvm::BinaryOperator &division) {
  llvm::IRBuilder<> b(&division);
  llvm::Value *x = division.getOperand(0), *y = division.getOperand(1);
  llvm::Type *type = division.getType();
  llvm::Value *traps = b.CreateICmpEQ(y, llvm::ConstantInt::get(type, 0));
  bool isSigned = division.getOpcode() == llvm::Instruction::SDiv ||
                  division.getOpcode() == llvm::Instruction::SRem;
  if (isSigned) {
    auto least = llvm::APInt::getSignedMinValue(type->getScalarSizeInBits());
    llvm::Value *overflows =
        b.CreateAnd(b.CreateICmpEQ(x, llvm::ConstantInt::get(type, least)),
                    b.CreateICmpEQ(y, llvm::Constant::getAllOnesValue(type)));
    traps = b.CreateOr(traps, overflows);
  }
  division.setOperand(
      1, b.CreateSelect(traps, llvm::ConstantInt::get(type, 1), y));
}

void mlir::ssm::guardDivisions(llvm::Function &function) {
  llvm::SmallVector<llvm::BinaryOperator *> divisions;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (auto *binary = llvm::dyn_cast<llvm::BinaryOperator>(&instruction))
      if (binary->isIntDivRem() && !isSafe(*binary))
        divisions.push_back(binary);
  for (llvm::BinaryOperator *division : divisions)
    guard(*division);
}
