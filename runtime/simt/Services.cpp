//===- Services.cpp - What kernels call -----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels know a Thread; the runtime knows that each is part of a ThreadState.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Approximations.h"
#include "runtime/simt/Block.h"

namespace mamba::simt {

static ThreadState &stateOf(Thread *thread) {
  return *static_cast<ThreadState *>(thread);
}

static void access(Thread *thread, const void *address, uint64_t bytes,
                   const Site *site) {
  ThreadState &state = stateOf(thread);
  state.block->access(state, address, bytes, *site);
}

static void barrier(Thread *thread, uint32_t id, uint32_t count,
                    const Site *site) {
  ThreadState &state = stateOf(thread);
  state.block->barrier(state, id, count, *site);
}

static void warpSync(Thread *thread, uint32_t mask, const Site *site) {
  ThreadState &state = stateOf(thread);
  state.block->exchange(state, mask, 0, 0, 0, *site);
}

static uint64_t shuffle(Thread *thread, uint32_t mask, uint32_t value,
                        uint32_t lane, uint32_t clamp, const Site *site) {
  ThreadState &state = stateOf(thread);
  return state.block->exchange(state, mask, value, lane, clamp, *site);
}

static uint32_t vote(Thread *thread, uint32_t mask, uint32_t predicate,
                     const Site *site) {
  ThreadState &state = stateOf(thread);
  return static_cast<uint32_t>(
      state.block->exchange(state, mask, predicate, 0, 0, *site));
}

static void initPhases(Thread *thread, const void *address, uint32_t count,
                       const Site *site) {
  ThreadState &state = stateOf(thread);
  state.block->initPhases(state, address, count, *site);
}

static void arrive(Thread *thread, const void *address, const Site *site) {
  ThreadState &state = stateOf(thread);
  state.block->arrive(state, address, *site);
}

static void waitForPhase(Thread *thread, const void *address, uint32_t parity,
                         const Site *site) {
  ThreadState &state = stateOf(thread);
  state.block->waitForPhase(state, address, parity, *site);
}

static void copy(Thread *thread, void *to, const void *from, uint32_t bytes) {
  stateOf(thread).copies.request(to, from, bytes);
}

static void commitCopies(Thread *thread) { stateOf(thread).copies.commit(); }

static void finishCopies(Thread *thread, uint32_t most) {
  stateOf(thread).copies.finish(most);
}

const Services kServices = {access,
                            barrier,
                            warpSync,
                            shuffle,
                            vote,
                            initPhases,
                            arrive,
                            waitForPhase,
                            copy,
                            commitCopies,
                            finishCopies,
                            approximateExp2,
                            approximateLog2,
                            approximateReciprocal,
                            approximateSquareRoot,
                            approximateReciprocalSquareRoot};

} // namespace mamba::simt
