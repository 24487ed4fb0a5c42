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

/// Each thread takes one (b, d, n) and walks the segments. They are few, so
/// that a serial walk costs less than another tree.
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
  /// Segments that are under way at a time, about: memory answers late, and
  /// behind a store no load is moved.
  static constexpr int64_t kTogether = 16;

  Value address(unsigned tensor, Value segment);
  void store(Value at, const Segment &segment);
  /// Of `count` segments from `first` (i64) on, whole chunks: reads them,
  /// writes what lies before each chunk. Returns what lies before the next one.
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

Value ChunkKernel::address(unsigned tensor, Value segment) {
  Value at = e.add(offset, e.mul(segment, kernel.stride(tensors.carry, 1)));
  return e.offset(kernel.pointer(tensor), e.mul(at, shape.isComplex ? 2 : 1),
                  e.getF32Type());
}

void ChunkKernel::store(Value at, const Segment &segment) {
  e.storeNumbers(segment.decay, address(tensors.decay, at));
  e.storeNumbers(segment.carry, address(tensors.carry, at));
}

Segment ChunkKernel::walk(Value first, int64_t count, Segment before) {
  SmallVector<Segment> segments;
  auto load = [&](unsigned tensor, Value at) {
    return e.loadNumbers(address(tensor, at), 1, shape.isComplex).front();
  };
  for (int64_t k = 0; k < count; ++k) {
    Value at = e.add(first, k);
    Segment &own = segments.emplace_back();
    own.decay = load(tensors.decay, at);
    own.carry = load(tensors.carry, at);
  }
  for (auto [k, segment] : llvm::enumerate(segments)) {
    if (k % shape.parts == 0)
      store(e.add(first, k), before);
    before = combine(e, before, segment);
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
  int64_t together = shape.parts * llvm::divideCeil(kTogether, shape.parts);
  int64_t rest = shape.segments % together, whole = shape.segments - rest;
  auto walkSome = [&](Value segment, ValueRange carried) {
    SmallVector<Value> words(carried);
    ArrayRef<Value> left(words);
    Segment next = walk(segment, together, takeSegment(left, shape.isComplex));
    return wordsOf({next.decay, next.carry});
  };
  if (whole > 0) {
    SmallVector<Value> words =
        e.loop(e.i64(0), e.i64(whole), together,
               wordsOf({before.decay, before.carry}), walkSome);
    ArrayRef<Value> left(words);
    before = takeSegment(left, shape.isComplex);
  }
  before = walk(e.i64(whole), rest, before);
  store(e.i64(shape.segments), before);
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
