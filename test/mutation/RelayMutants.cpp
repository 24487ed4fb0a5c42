//===- RelayMutants.cpp - Warps that take turns ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

/// The barrier behind the batons' preparation.
static bool endsPreparation(Operation *op) {
  auto branch = dyn_cast_or_null<scf::IfOp>(before(op));
  return isa<gpu::BarrierOp>(op) && branch &&
         branch
             .walk([](NVVM::MBarrierInitOp) { return WalkResult::interrupt(); })
             .wasInterrupted();
}

/// Counts the tiles that lie before a team's turn.
static bool countsTurns(Operation *op) {
  return isa<arith::MulIOp>(op) && isa<BlockArgument>(op->getOperand(0)) &&
         op->getResult(0).getType().isInteger(64);
}

/// A wait that ends at once.
static Action neverWait() {
  return [](Operation *op) { return becomeConstant(1)(op) && erase()(op); };
}

std::vector<Mutant> mutation::relayMutants() {
  Test isWait = in(Part::Main) && is<NVVM::MBarrierTryWaitOp>();
  std::string_view filter = "body=s6 relay=1 chunks=1 complex=0";
  return {
      {"relay-wait", "teams do not wait for the tile before", filter,
       on(each(isWait), neverWait())},
      {"relay-parity", "teams wait for the same phase in every turn", filter,
       on(each(isWait), setOperand(1, 0))},
      {"relay-behind", "the first team is not a turn behind", filter,
       on(each(in(Part::Main) && inTiles() && is<arith::ExtUIOp>()),
          becomeConstant(0))},
      {"relay-not-passed", "a team keeps its batons", filter,
       on(each(in(Part::Main) && is<NVVM::MBarrierArriveOp>()), erase())},
      {"relay-one-lane", "a phase ends when the first lane arrives", filter,
       on(each(in(Part::Main) && is<NVVM::MBarrierInitOp>()),
          setOperand(1, 1))},
      {"relay-wait-stateless",
       "teams do not wait where a recurrence has no states",
       "body=mingru relay=1 chunks=1", on(each(isWait), neverWait())},
      {"relay-wait-carries", "teams do not wait for what chunks start from",
       "body=s6 relay=1 chunks=3 handoff=0",
       on(each(in(Part::Carries) && is<NVVM::MBarrierTryWaitOp>()),
          neverWait())},
      {"relay-unprepared", "no barrier behind the batons' preparation", filter,
       on(first(in(Part::Main) && Test(endsPreparation)), erase())},
      {"relay-turns", "a team skips too few tiles", filter,
       on(first(in(Part::Main) && inTiles() && Test(countsTurns)),
          addToOperand(1, -1))},
  };
}
