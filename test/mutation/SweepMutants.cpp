//===- SweepMutants.cpp - Segments joined wrongly between warps ----------===//
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

std::vector<Mutant> mutation::sweepMutants() {
  Test clearsRoot = in(Part::Main) && is<scf::IfOp>() &&
                    inFrontOf(barrier(Wait::RootCleared));
  auto inRoot = [clearsRoot](Operation *op) {
    return clearsRoot(op->getParentOp());
  };
  return {
      {"up-sweep-order",
       "the up-sweep joins later segments before earlier ones",
       "body=s6 warps_l=8 L=1025 N=8 complex=0",
       on(first(in(Part::Main) && upSweep()), swapPair())},
      {"down-sweep-order",
       "the down-sweep joins later segments before earlier ones",
       "body=s6 warps_l=8 L=1025 N=8 complex=0",
       on(last(in(Part::Main) && downSweep()), swapPair())},
      {"down-sweep-left", "the down-sweep leaves the left node as it is",
       "body=s6 warps_l=8 L=1025 N=8 complex=0",
       on(first(in(Part::Main) && inDownSweep() && stores()), erase())},
      {"root-kept", "the root is not cleared",
       "body=s6 warps_l=8 L=1025 N=8 complex=0",
       on(first(clearsRoot), erase())},
      {"root-decay", "what lies before a tile decays to nothing",
       "body=s6 warps_l=8 L=129 init=bdn",
       on(each(Test(inRoot) && stores() && constantOperand(0, 1)),
          setOperand(0, 0.0))},
      {"sweep-late", "the first pair of a level does not meet",
       "body=s6 warps_l=8 L=1025 N=8 complex=0",
       on(last(in(Part::Main) && downSweep()), increaseOperand(0))},
      {"meet-short", "the last warp misses the one below it",
       "body=s6 warps_l=4 L=1025 N=8 complex=0",
       on(last(in(Part::Main) && inStates() && asks(arith::CmpIPredicate::sge)),
          compare(arith::CmpIPredicate::sgt))},
      {"totals-slot", "warps' totals lie in one buffer, not in two in turn",
       "body=s6 warps_l=4 relay=0 N=8",
       on(each(in(Part::Main) && inStates() && !inSweep() &&
               is<arith::RemUIOp>() && constantOperand(1, 2)),
          becomeConstant(0))},
  };
}
