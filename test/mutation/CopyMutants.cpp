//===- CopyMutants.cpp - Steps that are copied ahead ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

std::vector<Mutant> mutation::copyMutants() {
  Test isCopy = in(Part::Main) && is<NVVM::CpAsyncOp>();
  Test isPart = [](Operation *op) { return op->getNumOperands() > 2; };
  return {
      {"copy-unawaited", "steps are read before they are there",
       "body=s6 prefetch=2 chunks=1",
       on(each(in(Part::Main) && is<NVVM::CpAsyncWaitGroupOp>()), erase())},
      {"copy-uncommitted", "the wait is for no copies",
       "body=s6 prefetch=2 chunks=1",
       on(each(in(Part::Main) && is<NVVM::CpAsyncCommitGroupOp>()), erase())},
      {"copy-one-buffer", "the next tile is copied over this one",
       "body=s6 prefetch=2 chunks=1 L=129",
       on(each(in(Part::Main) && inTiles() && is<arith::AddIOp>() &&
               operand(1, is<arith::RemUIOp>() && constantOperand(1, 2)) &&
               operand(0, is<arith::MulIOp>() && constantOperand(1, 2))),
          becomeOperand(0))},
      {"copy-missing", "the last word is not copied",
       "body=s6 prefetch=2 chunks=1", on(last(isCopy && inTiles()), erase())},
      {"copy-whole", "a word that L ends in is copied to its end",
       "body=s6 prefetch=2 chunks=1 type=f32 order=bdl",
       on(each(isCopy && isPart), setOperand(2, 16))},
  };
}
