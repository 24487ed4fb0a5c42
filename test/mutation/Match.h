//===- Match.h - Ops of a lowered module by what they do --------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mutant says which op it changes by the op's part in the kernel ("the
// barrier after the root is cleared"), not by a line of the lowering, so that
// it survives changes of the lowering.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_MUTATION_MATCH_H
#define MAMBA_TEST_MUTATION_MATCH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"

#include <functional>

namespace mlir::ssm::mutation {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Gives the arguments of all kernels the names that argumentName() finds.
LogicalResult nameArguments(ModuleOp module);
/// Takes them away again: no conversion knows them.
void forgetArguments(ModuleOp module);

/// What a kernel's argument is: "u" (the tensor's memory), "u.0" (its stride in
/// dimension 0), "extent.l" or "extent.d"; tensors as tensorName() calls them.
/// Empty for other values.
StringRef argumentName(Value value);

/// The argument or array that an address was computed from.
Value rootOf(Value address);
/// Bytes from the start of shared memory to the table that `address` is in;
/// -1 for other memory.
int64_t sharedTable(Value address);
/// The address of a load or a store; null for other ops.
Value addressOf(Operation *op);

/// The number of the thread in its block.
bool isThreadId(Value value);
/// The op that `value` comes from, if it is an `Op`.
template <typename Op> Op from(Value value) {
  return value ? value.getDefiningOp<Op>() : Op();
}
/// The neighbours of `op` in its block, constants left out; null at an end.
Operation *before(Operation *op);
Operation *after(Operation *op);

//===----------------------------------------------------------------------===//
// Properties
//===----------------------------------------------------------------------===//

/// A property of an op.
class Test {
public:
  template <typename Function> Test(Function holds) : holds(std::move(holds)) {}
  bool operator()(Operation *op) const { return holds(op); }

  friend Test operator&&(Test a, Test b) {
    return [a, b](Operation *op) { return a(op) && b(op); };
  }
  friend Test operator!(Test a) {
    return [a](Operation *op) { return !a(op); };
  }

private:
  std::function<bool(Operation *)> holds;
};

template <typename Op> Test is() {
  return [](Operation *op) { return isa<Op>(op); };
}

/// The kernel that computes results; the one that keeps the states that a
/// gradient is replayed from; the one that adds up a total; the one that finds
/// each chunk's segment; the one that scans these.
enum class Part { Main, Checkpoints, Totals, Carries, Chunks };
Test in(Part part);
/// In a kernel of a function of gradients.
Test inGradient();

/// In the function's own block.
Test atTop();
/// In the loop over tiles, in a loop over states there, and in one that deals
/// items to the threads.
Test inTiles();
Test inStates();
Test inSweep();
/// In front of the loop over tiles, or behind it.
Test beforeTiles();
Test afterTiles();

/// Uses shared memory, or memory behind an argument: the tensor's.
Test onShared();
Test onTensor(StringRef name);
/// Uses the table of carries (the last one, if there are several).
Test onCarries();
Test loads();
Test stores();
/// The address is a vector's.
Test ofVector();

/// The nearest op around is an `Op`.
template <typename Op> Test directlyIn() {
  return [](Operation *op) { return isa<Op>(op->getParentOp()); };
}
/// The op behind it, or the one in front, constants left out, has this
/// property.
Test inFrontOf(Test test);
Test behind(Test test);

/// An address is computed into the tensor's memory.
Test pointsInto(StringRef name);
/// Gives an integer of so many bits.
Test givesInteger(unsigned bits);
/// A comparison asks this.
Test asks(arith::CmpIPredicate predicate);
/// Decides whether something is stored in memory.
Test guardsStore();
/// A loop over states in a tile, or a level of a sweep.
Test stateLoop();
Test upSweep();
Test downSweep();
Test inDownSweep();
/// One of the operands is this argument.
Test takes(StringRef argument);
/// Operand `i` is the thread's number.
Test operandIsThread(unsigned i);
/// Operand `i` is what a loop's last trip gave.
Test operandIsCarried(unsigned i);
/// Operand `i` comes from an op with this property.
Test operand(unsigned i, Test test);
/// Operand `i` is a constant; this one.
Test constantOperand(unsigned i);
Test constantOperand(unsigned i, double value);

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// What a barrier waits for.
enum class Wait {
  StagedRead,  ///< Everyone has read what one buffer holds, before the next.
  Staged,      ///< All is staged.
  Carries,     ///< Tables and carries are written; nothing is staged.
  Totals,      ///< Each warp's total lies in shared memory, for the sweeps.
  WarpsMeet,   ///< The same, where warps read each other's.
  UpLevel,     ///< A level of the up-sweep, before the next.
  UpDone,      ///< The last level, before the root is cleared.
  RootCleared, ///< Before the down-sweep.
  DownLevel,   ///< A level of the down-sweep, before the next.
  DownDone,    ///< The last level, before threads read.
  TilesDone    ///< All tiles, before what follows them.
};
Test barrier(Wait wait);

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

using Ops = SmallVector<Operation *>;
/// Some ops of a module, in the order in which it has them.
using Pick = std::function<Ops(ModuleOp)>;

Pick each(Test test);
Pick first(Test test);
Pick last(Test test);
/// The number `n`, from 0 on.
Pick nth(unsigned n, Test test);

} // namespace mlir::ssm::mutation

#endif // MAMBA_TEST_MUTATION_MATCH_H
