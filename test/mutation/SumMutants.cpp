//===- SumMutants.cpp - Sums over channels, and replayed tiles ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
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

/// The address of an atomic sum is computed from it, a group's place first.
static Test addressesAtomic() {
  return [](Operation *op) {
    for (Operation *user : op->getUsers()) {
      if (!isa<MulIOp>(user))
        continue;
      SmallVector<Operation *> rest(user->getUsers());
      while (!rest.empty()) {
        Operation *next = rest.pop_back_val();
        if (isa<LLVM::AtomicRMWOp>(next))
          return true;
        if (isa<AddIOp, MulIOp, LLVM::GEPOp>(next))
          llvm::append_range(rest, next->getUsers());
      }
    }
    return false;
  };
}

/// Directly in the loop over groups of 16 states, behind their trips.
static Test isBehindGroup() {
  Test isBehindTrips = behind(is<scf::ForOp>());
  return [isBehindTrips](Operation *op) {
    auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
    return loop && getConstantIntValue(loop.getStep()) == 16 &&
           isBehindTrips(op);
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
      {"sums-group-barrier", "sums of a group are read before all are written",
       "grad=1 N=48 warps_l=1 stages=1",
       on(first(isInTiles && inStates() && is<gpu::BarrierOp>() &&
                isBehindGroup()),
          erase())},
      {"sums-group-buffer", "the next group's sums go where these are read",
       "grad=1 N=48 warps_l=1 stages=1",
       on(each(isInTiles && inStates() && is<RemUIOp>() &&
               constantOperand(1, 32)),
          setOperand(1, 16))},
      {"sums-group-first", "each group's sums are stored as the first one's",
       "grad=1 N=48 warps_l=1 stages=1",
       on(each(isInTiles && inStates() && is<AddIOp>() &&
               operand(1, is<arith::DivUIOp>())),
          becomeOperand(1))},
      {"sums-lost", "blocks do not add their sums to those of others",
       "grad=1 atomics=1 chunks=1",
       on(each(isInTiles && is<LLVM::AtomicRMWOp>()), erase())},
      {"sums-one-group", "blocks add their sums to those of the first group",
       "grad=1 atomics=1 chunks=1 G=2 D=64 N=4",
       on(each(in(Part::Main) && inGradient() && is<arith::DivUIOp>() &&
               addressesAtomic()),
          becomeConstant(0))},
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
