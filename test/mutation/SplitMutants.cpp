//===- SplitMutants.cpp - Lanes that split the states ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

using arith::AddFOp, arith::AddIOp, arith::MulIOp, arith::SelectOp;

std::vector<Mutant> mutation::splitMutants() {
  Test isInTiles = in(Part::Main) && inTiles();
  Test isShuffle = is<gpu::ShuffleOp>();
  std::string_view filter = "kind=verify body=s6 split=1 unroll=2 chunks=1";
  return {
      {"split-same-states", "all lanes take the first one's states", filter,
       on(each(in(Part::Main) && inStates() && is<AddIOp>() &&
               operand(0, is<MulIOp>()) && operand(1, is<MulIOp>())),
          becomeOperand(0))},
      {"split-own-steps", "lanes take their own steps for others'", filter,
       on(each(isInTiles && is<SelectOp>() && operand(1, isShuffle)),
          becomeOperand(2))},
      {"split-own-sums", "lanes leave out what others add up", filter,
       on(each(isInTiles && is<AddFOp>() && operand(1, isShuffle)),
          becomeOperand(0))},
      {"split-other-half", "lanes keep the sums of others' steps", filter,
       on(each(isInTiles && isShuffle && !inStates() &&
               operand(0, is<SelectOp>())),
          setOperand(0,
                     [](Operation *op) {
                       return op->getOperand(0).getDefiningOp()->getOperand(2);
                     }))},
  };
}
