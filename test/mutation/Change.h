//===- Change.h - Defects as changes of ops ---------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Small actions on one op, and a change that applies one to the ops that a Pick
// gives: together they make a mutant one line.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_MUTATION_CHANGE_H
#define MAMBA_TEST_MUTATION_CHANGE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "test/mutation/Match.h"

namespace mlir::ssm::mutation {

/// Changes an op; false where there was nothing to change.
using Action = std::function<bool(Operation *)>;
/// Changes a module; false where nothing in it matches.
using Change = std::function<bool(ModuleOp)>;

/// Applies `action` to each op of `pick`.
Change on(Pick pick, Action action);
/// Both, the first one first; applies where both do.
Change both(Change a, Change b);

/// Removes an op without results.
Action erase();
/// Users of the op's result get its operand `i`, or a constant.
Action becomeOperand(unsigned i);
Action becomeConstant(double value);
/// Operand `i` becomes a constant; that constant plus `by` (or times it);
/// operand `j`; something computed for the op.
Action setOperand(unsigned i, double value);
Action addToOperand(unsigned i, double by);
Action scaleOperand(unsigned i, double by);
Action useOperand(unsigned i, unsigned j);
Action setOperand(unsigned i, std::function<Value(Operation *)> make);
/// Operand `i` becomes operand 0 of the op that it comes from.
Action skipOperand(unsigned i);
/// Operand `i` is lowered by operand `j`.
Action subtractOperand(unsigned i, unsigned j);
/// Operand `i` is raised by 1.
Action increaseOperand(unsigned i);
/// A comparison asks another question.
Action compare(arith::CmpIPredicate predicate);
/// The address of a load or store moves by so many bytes.
Action moveAddress(int64_t bytes);
/// A load or store claims to be aligned to so many bytes.
Action claimAlignment(int64_t bytes);
/// The op's result, an i64, goes through 32 bits.
Action narrowResult();
/// The op moves to the end of the `if` in front of it.
Action moveIntoIfBefore();
/// The op moves to the start of the `if` behind it.
Action moveIntoIfAfter();
/// Lanes of a warp do the op only where the nearest comparison before it holds;
/// elsewhere its result is operand 0.
Action onlyWhereCompared();

/// A choice between x and y becomes y + c (x - y), with c of 1 or 0.
Action blend();
/// In a level of a sweep, the left and the right of a pair change places.
Action swapPair();

/// Uses of one kernel argument become uses of another in every kernel that has
/// both.
Change useArgument(StringRef from, StringRef to);
Change swapArguments(StringRef a, StringRef b);
/// An integer argument is taken for 0 in kernels of `part`.
Change ignoreArgument(Part part, StringRef name);

/// Reads of two tables that tiles are staged in are exchanged.
Change swapStagedReads();

} // namespace mlir::ssm::mutation

#endif // MAMBA_TEST_MUTATION_CHANGE_H
