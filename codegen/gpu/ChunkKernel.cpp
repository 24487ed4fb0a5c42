//===- ChunkKernel.cpp - The scan over chunks of a sequence ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ChunkKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace mlir::ssm;

/// Threads of a block; each takes one (b, d, n) and walks the chunks. Chunks
/// are few, so that a serial walk costs less than another tree.
static constexpr int64_t kThreads = 128;

void mlir::ssm::buildChunkKernel(Emit &e, gpu::GPUModuleOp module,
                                 StringRef name, LaunchPlan &plan,
                                 ChunkTensors tensors, int64_t chunks,
                                 int64_t states, bool isComplex) {
  Kernel kernel(e, module, name, plan, {tensors.decay, tensors.carry},
                kThreads);
  // A block covers whole channels; at least one, whatever the states.
  int64_t channels = std::max<int64_t>(1, kThreads / states);
  auto id = [&](Type type, Value value) -> Value {
    return arith::IndexCastOp::create(e, type, value);
  };
  Value block =
      id(e.getI64Type(), gpu::BlockIdOp::create(e, gpu::Dimension::x));
  Value thread =
      id(e.getI64Type(), gpu::ThreadIdOp::create(e, gpu::Dimension::x));
  Value tiles = e.ceilDiv(kernel.channels(), channels);
  Value first = e.mul(e.rem(block, tiles), channels);
  Value batch = e.div(block, tiles);
  Value here = e.min(e.sub(kernel.channels(), first), e.i64(channels));
  e.loop(thread, e.mul(here, states), kThreads, [&](Value item) {
    // Rows of (d, n) are contiguous in a temporary.
    Value offset = e.add(e.mul(batch, kernel.stride(tensors.carry, 0)),
                         e.add(e.mul(first, states), item));
    int64_t words = isComplex ? 2 : 1;
    Type type = e.getF32Type();
    if (isComplex)
      type = ComplexType::get(type);
    Number one = e.one(type), zero = e.zero(type);
    SmallVector<Value> init = {one.re, zero.re};
    if (isComplex)
      init.append({one.im, zero.im});
    e.loop(e.i64(0), e.i64(chunks), 1, init,
           [&](Value chunk, ValueRange carried) -> SmallVector<Value> {
             Value at =
                 e.add(offset, e.mul(chunk, kernel.stride(tensors.carry, 1)));
             auto address = [&](unsigned tensor) {
               return e.offset(kernel.pointer(tensor), e.mul(at, words),
                               e.getF32Type());
             };
             Value decayAt = address(tensors.decay);
             Value carryAt = address(tensors.carry);
             Segment own = {e.loadNumbers(decayAt, 1, isComplex).front(),
                            e.loadNumbers(carryAt, 1, isComplex).front()};
             Segment before = {{carried[0], isComplex ? carried[2] : Value()},
                               {carried[1], isComplex ? carried[3] : Value()}};
             e.storeNumbers(before.decay, decayAt);
             e.storeNumbers(before.carry, carryAt);
             Segment after = combine(e, before, own);
             SmallVector<Value> next = {after.decay.re, after.carry.re};
             if (isComplex)
               next.append({after.decay.im, after.carry.im});
             return next;
           });
  });
  kernel.finish(plan,
                {{mamba::Axis::Channel, channels}, {mamba::Axis::Batch, 1}},
                SharedMemory());
}
