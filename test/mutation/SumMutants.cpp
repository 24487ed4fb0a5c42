//===- SumMutants.cpp - Sums over channels, and replayed tiles ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

using arith::AddFOp, arith::AddIOp, arith::MulIOp, arith::RemUIOp;

/// What it gives is stored.
static Test isStored() {
  return [](Operation *op) {
    return llvm::any_of(op->getUsers(), [](Operation *user) {
      return isa<LLVM::StoreOp, LLVM::InsertElementOp>(user);
    });
  };
}

std::vector<Mutant> mutation::sumMutants() {
  Test isInTiles = in(Part::Main) && inGradient() && inTiles();
  Test isLoad = is<LLVM::LoadOp>() && onShared();
  return {
      {"sums-share-row", "sums that a warp keeps apart lie over each other",
       "grad=1 apart=4 chunks=1",
       on(each(isInTiles && is<AddIOp>() && operand(0, is<MulIOp>()) &&
               operand(1, is<RemUIOp>() && constantOperand(1, 4))),
          becomeOperand(0))},
      {"sums-one-fewer", "a block leaves out the last of its sums of a tile",
       "grad=1 apart=4 chunks=1",
       on(each(isInTiles && is<AddFOp>() && operand(1, isLoad) && isStored()),
          becomeOperand(0))},
      {"totals-of-many", "one of many partial sums added at once is left out",
       "grad=1",
       on(first(in(Part::Totals) && is<AddFOp>() &&
                operand(1, is<LLVM::LoadOp>())),
          becomeOperand(0))},
      {"asked-own-tile", "states that are asked for ahead are the same tile's",
       "grad=1 save=32 chunks=1 prefetch=0",
       on(first(isInTiles && is<arith::MinSIOp>() &&
                operand(0, is<AddIOp>() && constantOperand(1, 1))),
          skipOperand(0))},
  };
}
