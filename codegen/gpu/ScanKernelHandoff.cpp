//===- ScanKernelHandoff.cpp - From chunk to chunk in one launch ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block takes the next ticket when it starts, and tickets go to all
// sequences' first chunks before the second ones. So a block waits only for
// blocks that have started, whatever the order in which a GPU starts them. It
// hands its states on through memory, and tells so by the number of chunks
// done:
//
//   wait until chunks_done = c;  states -> carries;  tiles
//   carries -> states;  chunks_done = c + 1
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

using namespace mlir;
using namespace mlir::ssm;

/// The number of blocks that started before this one, as i64.
Value ScanKernel::takeTicket(Value thread) {
  Value slot = kernel.shared(memory.allocate(1));
  e.ifThen(e.equals(thread, 0), [&] {
    Value ticket = e.atomicAdd(kernel.pointer(handoff.ticket), e.i32(1));
    e.store(ticket, slot, 4);
  });
  blockBarrier();
  return e.toI64(e.load(e.getI32Type(), slot, 4));
}

/// Where the chunks done of this block's channels are counted.
Value ScanKernel::progressAddress() {
  Value offset =
      e.add(e.mul(at.batch, kernel.stride(handoff.progress, 0)),
            e.mul(at.firstChannel, kernel.stride(handoff.progress, 1)));
  return e.offset(kernel.pointer(handoff.progress), offset, e.getI32Type());
}

void ScanKernel::waitForChunk() {
  Value isFirst = e.equals(at.thread, 0);
  Value hasBefore = e.lessThan(e.i64(0), at.chunk);
  e.ifThen(e.conjunction(isFirst, hasBefore),
           [&] { e.waitFor(progressAddress(), e.toI32(at.chunk)); });
  blockBarrier();
}

/// What the chunk before this one ended in; `init` in the first one.
ScanKernel::Steps ScanKernel::handedStates(unsigned i, const Steps &init,
                                           StateRun run) {
  SmallVector<Value> words = e.ifElse(
      e.equals(at.chunk, 0), [&] { return wordsOf(init); },
      [&] {
        return wordsOf(readTemporary(handoff.states[i], at.chunk, i, run));
      });
  ArrayRef<Value> rest(words);
  return takeNumbers(rest, run.count, init.front().isComplex());
}

/// Writes the carries for the next chunk, if there is one.
void ScanKernel::handStatesOn() {
  Value done = e.add(at.chunk, 1);
  e.ifThen(e.lessThan(done, e.i64(schedule.getChunks())), [&] {
    eachOwnCarry([&](unsigned i, StateRun run) {
      writeTemporary(handoff.states[i], at.chunk, run,
                     readTable(carries[i], run));
    });
    blockBarrier();
    e.ifThen(e.equals(at.thread, 0),
             [&] { e.signal(e.toI32(done), progressAddress()); });
  });
}
