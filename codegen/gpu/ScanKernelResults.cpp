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
    return invariants().at(value);
  if (body.home(value) == Home::Table)
    return evaluateTable(value, state, known);
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

/// Results without l. Where chunks share a sequence, the one that it ends in
/// writes them.
void ScanKernel::storeLast() {
  for (unsigned i = 0; i < fused.getNumResults(); ++i) {
    AccessAttr access = fused.resultAccess(i);
    if (fused->getResult(i).use_empty() || access.has(Axis::Length))
      continue;
    eachChannel([&] { storeLastOf(i); });
  }
}

/// Result `i` for the current channel.
void ScanKernel::storeLastOf(unsigned i) {
  Value owns = ownsResult(i);
  if (part != KernelPart::Whole)
    owns = e.conjunction(owns, holdsEnd);
  Value base = operands.resultBase(i, at.channels[channel].index);
  auto storeAt = [&](Value state) {
    llvm::DenseMap<Value, Number> known;
    Number number = evaluateLast(yield().getValues()[i], state, known);
    operands.store(i, base, nullptr, state ? e.toI64(state) : Value(), number);
  };
  if (fused.resultAccess(i).has(Axis::State))
    return e.ifThen(owns, [&] { eachOwnState(storeAt); });
  e.ifThen(e.conjunction(owns, e.equals(at.segment, 0)),
           [&] { storeAt(nullptr); });
}

//===----------------------------------------------------------------------===//
// Chunks
//===----------------------------------------------------------------------===//

/// The address of the current channel's number in a temporary (b[, chunk], d[,
/// n]).
Value ScanKernel::temporaryAddress(unsigned tensor, Value state,
                                   bool isComplex) {
  unsigned dim = 0;
  Value offset = e.mul(at.batch, kernel.stride(tensor, dim++));
  if (plan.tensor(tensor).dims[dim].axis == mamba::Axis::Other)
    offset = e.add(offset, e.mul(at.chunk, kernel.stride(tensor, dim++)));
  offset = e.add(offset,
                 e.mul(at.channels[channel].index, kernel.stride(tensor, dim)));
  if (state)
    offset = e.add(offset, e.toI64(state));
  return e.offset(kernel.pointer(tensor), e.mul(offset, isComplex ? 2 : 1),
                  e.getF32Type());
}

/// Emits `body` for each recurrence and each of its states that this thread
/// does; the state is null where a recurrence has none.
void ScanKernel::eachOwnCarry(function_ref<void(unsigned, Value)> body) {
  eachChannel([&] {
    e.ifThen(at.channels[channel].valid, [&] {
      for (unsigned i = 0; i < carries.size(); ++i) {
        if (carries[i].perState)
          eachOwnState([&](Value n) { body(i, n); });
        else
          e.ifThen(e.equals(at.segment, 0), [&] { body(i, nullptr); });
      }
    });
  });
}

/// Writes the segment that this chunk is to each recurrence.
void ScanKernel::storeChunkCarries() {
  eachOwnCarry([&](unsigned i, Value state) {
    for (auto [tensor, table] : {std::pair(chunks[i].decay, decays[i]),
                                 std::pair(chunks[i].carry, carries[i])}) {
      Number number = readTable(table, state);
      e.storeNumber(number,
                    temporaryAddress(tensor, state, number.isComplex()));
    }
  });
}
