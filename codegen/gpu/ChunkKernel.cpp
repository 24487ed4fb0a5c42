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

namespace {

/// Each thread takes one (b, d, n) and walks the chunks. They are few, so that
/// a serial walk costs less than another tree.
class ChunkKernel {
public:
  ChunkKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
              LaunchPlan &plan, ChunkTensors tensors, const ChunkShape &shape)
      : e(e), plan(plan), tensors(tensors), shape(shape),
        kernel(e, module, name, plan, {tensors.decay, tensors.carry},
               kThreads) {}

  void build();

private:
  static constexpr int64_t kThreads = 128;
  /// Chunks whose segments are under way at a time: memory answers late, and
  /// behind a store no load is moved.
  static constexpr int64_t kTogether = 16;

  Value address(unsigned tensor, Value chunk);
  /// Of `count` chunks from `first` (i64) on: reads what each is, writes what
  /// lies before it. Returns what lies before the next one.
  Segment walk(Value first, int64_t count, Segment before);
  void walkAll();

  Emit &e;
  LaunchPlan &plan;
  ChunkTensors tensors;
  ChunkShape shape;
  Kernel kernel;
  Value offset; ///< i64: of the thread's (b, d, n) in the first chunk.
};

} // namespace

Value ChunkKernel::address(unsigned tensor, Value chunk) {
  Value at = e.add(offset, e.mul(chunk, kernel.stride(tensors.carry, 1)));
  return e.offset(kernel.pointer(tensor), e.mul(at, shape.isComplex ? 2 : 1),
                  e.getF32Type());
}

Segment ChunkKernel::walk(Value first, int64_t count, Segment before) {
  SmallVector<Value> decayAt, carryAt;
  SmallVector<Segment> segments;
  auto load = [&](Value from) {
    return e.loadNumbers(from, 1, shape.isComplex).front();
  };
  for (int64_t k = 0; k < count; ++k) {
    Value chunk = e.add(first, k);
    decayAt.push_back(address(tensors.decay, chunk));
    carryAt.push_back(address(tensors.carry, chunk));
    Segment &own = segments.emplace_back();
    own.decay = load(decayAt[k]);
    own.carry = load(carryAt[k]);
  }
  for (int64_t k = 0; k < count; ++k) {
    e.storeNumbers(before.decay, decayAt[k]);
    e.storeNumbers(before.carry, carryAt[k]);
    before = combine(e, before, segments[k]);
  }
  return before;
}

void ChunkKernel::walkAll() {
  Type type = e.getF32Type();
  if (shape.isComplex)
    type = ComplexType::get(type);
  Segment before;
  before.decay = e.one(type);
  before.carry = e.zero(type);
  int64_t rest = shape.chunks % kTogether, whole = shape.chunks - rest;
  auto walkSome = [&](Value chunk, ValueRange carried) {
    SmallVector<Value> words(carried);
    ArrayRef<Value> left(words);
    Segment next = walk(chunk, kTogether, takeSegment(left, shape.isComplex));
    return wordsOf({next.decay, next.carry});
  };
  if (whole > 0) {
    SmallVector<Value> words =
        e.loop(e.i64(0), e.i64(whole), kTogether,
               wordsOf({before.decay, before.carry}), walkSome);
    ArrayRef<Value> left(words);
    before = takeSegment(left, shape.isComplex);
  }
  walk(e.i64(whole), rest, before);
}

void ChunkKernel::build() {
  // A block covers whole channels; at least one, whatever the states.
  int64_t states = shape.states;
  int64_t channels = std::max<int64_t>(1, kThreads / states);
  auto id = [&](Value value) -> Value {
    return arith::IndexCastOp::create(e, e.getI64Type(), value);
  };
  Value block = id(gpu::BlockIdOp::create(e, gpu::Dimension::x));
  Value thread = id(gpu::ThreadIdOp::create(e, gpu::Dimension::x));
  Value tiles = e.ceilDiv(kernel.channels(), channels);
  Value first = e.mul(e.rem(block, tiles), channels);
  Value batch = e.div(block, tiles);
  Value here = e.min(e.sub(kernel.channels(), first), e.i64(channels));
  Value before = e.mul(batch, kernel.stride(tensors.carry, 0));
  e.loop(thread, e.mul(here, states), kThreads, [&](Value item) {
    // Rows of (d, n) are contiguous in a temporary.
    Value row = e.mul(first, states);
    offset = e.add(before, e.add(row, item));
    walkAll();
  });
  kernel.finish(plan,
                {{mamba::Axis::Channel, channels}, {mamba::Axis::Batch, 1}},
                SharedMemory());
}

void mlir::ssm::buildChunkKernel(Emit &e, gpu::GPUModuleOp module,
                                 StringRef name, LaunchPlan &plan,
                                 ChunkTensors tensors,
                                 const ChunkShape &shape) {
  ChunkKernel(e, module, name, plan, tensors, shape).build();
}
