//===- ScanKernelResults.cpp - After a kernel's tiles ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Last states
//===----------------------------------------------------------------------===//

/// A value without l, after the last step; `state` is null where it has no n.
Number ScanKernel::evaluateLast(Value value, Value state,
                                llvm::DenseMap<Value, Number> &known) {
  if (body.home(value) == Home::Invariant)
    return invariant(value);
  if (body.home(value) == Home::Table)
    return evaluateTable(value, {state, 1}).front();
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Operation &op = *value.getDefiningOp();
  if (auto recurrence = dyn_cast<RecurrenceOp>(op)) {
    const Table &carry = carries[indexOf(recurrence)];
    return known[value] = readTable(carry, carry.perState ? state : Value());
  }
  if (auto sum = dyn_cast<SumOp>(op)) {
    // Short and once a kernel: unrolled, it needs no loop-carried words.
    Number total = e.zero(sum.getType());
    for (int64_t n = 0; n < fused.stateExtent(); ++n) {
      llvm::DenseMap<Value, Number> inner;
      total = e.addf(total, evaluateLast(sum.getValue(), e.i32(n), inner));
    }
    return known[value] = total;
  }
  SmallVector<Number> inputs;
  for (Value operand : op.getOperands())
    inputs.push_back(evaluateLast(operand, state, known));
  return known[value] = emitBodyOp(e, op, inputs);
}

/// Results without l.
void ScanKernel::storeLast() {
  for (unsigned i = 0; i < fused.getNumResults(); ++i) {
    AccessAttr access = fused.resultAccess(i);
    if (fused->getResult(i).use_empty() || hasSteps(access) ||
        body.home(yield().getValues()[i]) == Home::Total)
      continue;
    if (access.has(Axis::State))
      eachOwnStates([&](StateRun run) {
        e.ifThen(ownsLast(i), [&] { storeLastRun(i, run); });
      });
    else
      eachChannel([&] { storeLastOf(i); });
  }
}

/// Result `i` for the current channel.
void ScanKernel::storeLastOf(unsigned i) {
  StateRun none;
  e.ifThen(e.conjunction(ownsLast(i), isFirstOfChannel()),
           [&] { storeLastRun(i, none); });
}

/// Where chunks share a sequence, the one that it ends in owns its results.
Value ScanKernel::ownsLast(unsigned i) {
  Value owns = ownsResult(i);
  return isChunked() ? e.conjunction(owns, holdsEnd) : owns;
}

void ScanKernel::storeLastRun(unsigned i, StateRun run) {
  Steps numbers;
  for (int64_t k = 0; k < run.count; ++k) {
    llvm::DenseMap<Value, Number> known;
    Value state = run.first ? e.add(run.first, k) : Value();
    numbers.push_back(evaluateLast(yield().getValues()[i], state, known));
  }
  Value base = operands.resultBase(i, at.channels[channel].index);
  operands.storeRun(i, base, nullptr, run.first ? e.toI64(run.first) : Value(),
                    numbers, Axis::State);
}
