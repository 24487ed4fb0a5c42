//===- HandoffMutants.cpp - States handed on between blocks --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

static bool isBarrier(Operation *op) {
  return isa<gpu::BarrierOp, NVVM::SyncWarpOp>(op);
}

/// An `Op` is nested in `op`.
template <typename Op> static bool holds(Operation *op) {
  return op &&
         op->walk([](Op) { return WalkResult::interrupt(); }).wasInterrupted();
}

static bool isAtomicStore(Operation *op) {
  auto store = dyn_cast<LLVM::StoreOp>(op);
  return store && store.getOrdering() != LLVM::AtomicOrdering::not_atomic;
}

static bool isAtomicLoad(Operation *op) {
  auto load = dyn_cast<LLVM::LoadOp>(op);
  return load && load.getOrdering() != LLVM::AtomicOrdering::not_atomic;
}

/// The barrier behind the thread that waits.
static bool isBehindWait(Operation *op) {
  return isBarrier(op) && holds<scf::WhileOp>(op->getPrevNode());
}

/// The barrier in front of the thread that tells the next block.
static bool isBeforeSignal(Operation *op) {
  if (!isBarrier(op) || !isa<scf::IfOp>(op->getParentOp()))
    return false;
  for (Operation *next = op; (next = next->getNextNode());)
    if (next->walk([](LLVM::StoreOp store) {
              return isAtomicStore(store) ? WalkResult::interrupt()
                                          : WalkResult::advance();
            })
            .wasInterrupted())
      return true;
  return false;
}

/// The word is still written or read at once, but nothing is ordered by it.
static Action relax() {
  return [](Operation *op) {
    if (auto load = dyn_cast<LLVM::LoadOp>(op))
      load.setOrdering(LLVM::AtomicOrdering::monotonic);
    else
      cast<LLVM::StoreOp>(op).setOrdering(LLVM::AtomicOrdering::monotonic);
    return true;
  };
}

std::vector<Mutant> mutation::handoffMutants() {
  Test isMain = in(Part::Main);
  return {
      {"handoff-no-wait", "a chunk does not wait for the one before it",
       "body=s6 handoff=1 chunks=3 L=129",
       on(each(isMain && is<scf::WhileOp>()), erase())},
      {"handoff-wait-for-less", "a chunk waits for one before the last one",
       "body=s6 handoff=1 chunks=8 L=1025",
       on(each(isMain && asks(arith::CmpIPredicate::ne) &&
               directlyIn<scf::WhileOp>()),
          compare(arith::CmpIPredicate::sgt))},
      {"handoff-no-acquire", "the wait orders nothing behind it",
       "body=s6 handoff=1 chunks=3 L=129",
       on(each(isMain && Test(isAtomicLoad)), relax())},
      {"handoff-no-release", "the signal orders nothing before it",
       "body=s6 handoff=1 chunks=3 L=129",
       on(each(isMain && Test(isAtomicStore)), relax())},
      {"handoff-wait-alone", "threads do not wait for the one that waits",
       "body=s6 handoff=1 chunks=3 L=129 lanes=8",
       on(each(isMain && Test(isBehindWait)), erase())},
      {"handoff-signal-early", "the signal does not wait for all threads",
       "body=s6 handoff=1 chunks=3 L=129 lanes=8",
       on(each(isMain && Test(isBeforeSignal)), erase())},
      {"handoff-state", "chunks start from zero",
       "body=s6 handoff=1 chunks=3 L=1025",
       on(each(isMain && loads() && onTensor("chunk_state")),
          becomeConstant(0))},
      {"handoff-state-unset", "states are not handed on",
       "body=s6 handoff=1 chunks=3 L=129",
       on(each(isMain && stores() && onTensor("chunk_state")), erase())},
  };
}
