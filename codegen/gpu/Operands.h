//===- Operands.h - Where a fused op's tensors lie in a kernel --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads elements of inputs into registers and writes results. Half-precision
// elements are f32 in registers. Positions count in the order of the
// recurrence: position p is step p, or step L - 1 - p of a reverse one.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_OPERANDS_H
#define MAMBA_CODEGEN_GPU_OPERANDS_H

#include "codegen/gpu/Kernel.h"
#include "dialect/Dependence.h"

namespace mlir::ssm {

/// A thread's place in the iteration space.
struct Place {
  /// One of the thread's channels.
  struct Channel {
    Value row;   ///< i32 within the block's tile.
    Value index; ///< i64, clamped to the last channel.
    Value valid; ///< i1: the thread has such a channel of its own.
  };
  Value thread;       ///< i32 thread of the block.
  Value laneSegment;  ///< i32 segment among the lanes of the warp.
  Value laneChannel;  ///< i32 among the lanes along the channels.
  Value team;         ///< i32 of those that take tiles in turn.
  Value teamThread;   ///< i32 thread of the team.
  Value warpSegment;  ///< i32 warp along L among those that share a tile.
  Value segment;      ///< i32 segment of the tile: both together.
  Value batch;        ///< i64.
  Value firstChannel; ///< i64 first channel of the block's tile.
  Value chunk;        ///< i64 chunk of the length axis.
  SmallVector<Channel, 2> channels;
};

/// Elements that one access reads or writes side by side.
struct Run {
  Axis along = Axis::Length;
  int64_t count = 1;
};

/// The tensors of one fused op, addressed from one thread.
class Operands {
public:
  Operands(Emit &e, Kernel &kernel, const LaunchPlan &plan, FusedOp op,
           const Place &place);

  /// The address of the elements of input `i` at `channel`, position 0 and
  /// state 0.
  Value inputBase(unsigned i, Value channel);
  Value resultBase(unsigned i, Value channel);

  /// `run.count` elements of input `i` from `base`, at `position` and `state`
  /// (i64; null where the input has no such axis).
  SmallVector<Number> load(unsigned i, Value base, Value position, Value state,
                           Run run) {
    return widen(i, loadRaw(i, base, position, state, run));
  }
  /// The same in two halves: the loads, and the numbers in what they loaded.
  /// Where `limit` is given, positions from it on read the element before it:
  /// valid memory whose value nobody uses. What is loaded has the same types
  /// either way.
  SmallVector<Value> loadRaw(unsigned i, Value base, Value position,
                             Value state, Run run, Value limit = nullptr);
  SmallVector<Number> widen(unsigned i, ArrayRef<Value> raw);

  /// True where one access moves an element of each of a thread's `count`
  /// channels: they are neighbours in memory, and all exist or none does.
  bool inputJoinsChannels(unsigned i, int64_t count);
  bool resultJoinsChannels(unsigned i, int64_t count);
  /// As loadRaw along L, of such channels: step by step, each with its channels
  /// side by side.
  SmallVector<Value> loadRawAcross(unsigned i, Value base, Value position,
                                   int64_t steps, int64_t count, Value limit);

  /// Writes one element of result `i`, or one of each of such channels.
  void store(unsigned i, Value base, Value position, Value state,
             ArrayRef<Number> numbers);
  /// Writes neighbours of result `i` along an axis, in full.
  void storeRun(unsigned i, Value base, Value position, Value state,
                ArrayRef<Number> numbers, Axis along = Axis::Length);

  /// True where the elements of input `i` are real numbers of 16 bits.
  bool isHalf(unsigned i);
  /// Elements of input `i` side by side in shared memory, of the type that they
  /// have in global memory. Writes a power of two of them, at an address
  /// aligned to their bytes; reads whole words of 16 bytes, or a power of two
  /// of elements.
  void storeShared(unsigned i, Value address, ArrayRef<Number> numbers);
  SmallVector<Number> loadShared(unsigned i, Value address, int64_t count);

  /// Bytes of an element of input `i`.
  int64_t inputBytes(unsigned i);
  /// Where its element is, of an input without states.
  Value inputAddress(unsigned i, Value base, Value position) {
    return address(input(i), base, position, nullptr);
  }
  /// Elements of input `i` that one load moves in a run of `count`.
  int64_t inputWidth(unsigned i, Run run);
  bool countsFromEnd() const { return isReverse; }
  /// The step (i64) at a position.
  Value stepAt(Value position);

  /// While `keep` is true, what is loaded is asked for where the code says so:
  /// ptxas moves loads of what is known not to change down to their first use,
  /// also past barriers.
  void keepPlace(bool keep) { keepsPlace = keep; }

  /// The axis of input `i` with a stride of one element, if any.
  std::optional<Axis> unitAxis(unsigned i);

private:
  SmallVector<Value> loadRun(unsigned i, Value base, Value position,
                             Value state, Run run, Value limit);
  /// One side of a tensor: what inputs and results share.
  struct Tensor {
    unsigned number;
    AccessAttr access;
    Type element;
  };
  Tensor input(unsigned i);
  Tensor result(unsigned i);
  Location locationOfResult(unsigned i);
  Value base(const Tensor &tensor, Value channel);
  Value strideOf(const Tensor &tensor, Axis axis);
  Value address(const Tensor &tensor, Value base, Value position, Value state);
  int64_t width(const Tensor &tensor, Run run);
  bool joinsChannels(const Tensor &tensor, int64_t count);
  Value loadVector(const Tensor &tensor, Value base, Value position,
                   Value state, int64_t count);
  Value gather(const Tensor &tensor, Value base, Value position, Value state,
               int64_t count, Value limit);
  Value groupOf(const Tensor &tensor, Value channel);

  bool keepsPlace = false;
  Emit &e;
  Kernel &kernel;
  const LaunchPlan &plan;
  FusedOp op;
  const Place &place;
  /// Positions count from the last step.
  bool isReverse;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_OPERANDS_H
