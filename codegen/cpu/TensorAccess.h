//===- TensorAccess.h - How a task reads and writes a tensor ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The lanes of a vector are neighbouring channels, but memory may have any
// stride between them. Tensors whose unit dimension is the channel are loaded
// and stored as vectors; the others are transposed through a table on the
// stack, a tile of steps (or all states) at a time.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_TENSORACCESS_H
#define MAMBA_CODEGEN_CPU_TENSORACCESS_H

#include "codegen/cpu/Kernel.h"

namespace mlir::ssm::cpu {

/// What all tensors of a task share.
struct TaskFrame {
  /// Steps of a whole tile.
  int64_t tileSteps = 1;
  int64_t numStates = 1;
  /// The sequence and the first channel.
  Value batch, channel;
  /// Lanes that hold a channel, and whether all of them do; the second is null
  /// where all vectors of all tasks are full.
  Value validLanes, isFull;
  /// Channels of the tensors; null without a channel axis.
  Value numChannels;
  /// The chunk of the sequence; null where tasks take whole sequences.
  Value chunk;
  /// The first position of the current tile and its number of steps.
  Value tileStart, tileLength;
  /// The segment that a state is stored for, or loaded; null: the first one.
  Value segment;
};

/// Where a value is: the step within the tile and the state. Null where the
/// tensor has no such axis.
struct Point {
  Value step;
  Value state;
};

/// Static facts that choose between the ways of access.
struct ChannelFacts {
  /// Extent of the channel axis, or kDynamic.
  int64_t extent = ShapedType::kDynamic;
  /// Known divisor of the extent.
  int64_t multiple = 1;

  bool isMultipleOf(int64_t divisor) const {
    return (extent == ShapedType::kDynamic ? multiple : extent) % divisor == 0;
  }
};

/// True where all channels of each vector read one element of the tensor at
/// every (b, l, n): it has no channel, or only groups that no vector straddles.
bool isUniformAccess(RankedTensorType type, AccessAttr access,
                     ChannelFacts facts, int64_t width);

/// A first dimension of a temporary that its access does not list.
enum class Outer {
  None,
  Chunks,  ///< Of a sequence.
  Vectors, ///< Of channels, each of which has one element for all of its lanes.
};

/// One input, result or temporary of a fused op in a kernel.
class TensorAccess {
public:
  TensorAccess(Kernel &kernel, Emit &e, const LaunchPlan &plan,
               TaskFrame &frame, unsigned number, RankedTensorType type,
               AccessAttr access, ChannelFacts facts,
               Outer outer = Outer::None);

  /// At the start of a task: finds the task's part of the tensor.
  void beginTask();
  /// Fills the table of an input that has a step axis (`perTile`) or not.
  void fill(bool perTile);
  /// Writes the table of a result back.
  void flush(bool perTile);

  Lanes load(Point point);
  void store(Point point, Lanes value);

private:
  enum class Path {
    Uniform, ///< One element for all lanes.
    Vector,  ///< Channels are neighbours in memory.
    Table,   ///< Transposed through a table.
    Lanes    ///< Each lane by itself.
  };

  Path choosePath() const;
  /// The tensor's dimension of `axis`, or -1.
  int64_t dimOf(Axis axis) const;
  /// Stride of the dimension of `axis`; zero where there is none.
  Value strideOf(Axis axis);
  bool has(Axis axis) const { return access.has(axis); }
  bool hasUnit(Axis axis) const;
  /// Elements from `base` to the element of `point` in lane 0.
  Value offset(Point point);
  /// Elements from lane 0 to lane `lane`, which must hold a channel.
  Value laneOffset(Value lane);
  /// `lane`, or the last lane in use.
  Value clampLane(Value lane);
  /// Number of entries of the table, and elements between them in memory.
  bool isTiled() const { return has(Axis::Length); }
  int64_t tableEntries() const;
  Value tableIndex(Point point);
  Value rowsInUse();
  Point rowPoint(Value row);

  Value loadWord(Value element, unsigned part);
  Lanes loadAnywhere(Point point);
  Lanes loadVector(Value at);
  void storeVector(Value at, Lanes value);
  Lanes loadLanes(Value at);
  void storeLanes(Value at, Lanes value);
  void copyRows(bool toTable);
  bool canTranspose() const;
  void transposeTile(bool toTable);
  /// Runs `body` where this task is the one that writes the result.
  void ifOwner(function_ref<void()> body);

  Kernel &kernel;
  Emit &e;
  const LaunchPlan &plan;
  TaskFrame &frame;
  unsigned number;
  AccessAttr access;
  Outer outer;
  Type type;
  Type word;
  int64_t words;
  /// The dimension that channels run over: of d, or of g where every channel
  /// is a group; -1 for none.
  int64_t channelDim = -1;
  /// The dimension of groups of several channels, or -1.
  int64_t groupDim = -1;
  int64_t numGroups = 1;
  bool groupsAreUniform = true;
  Path path = Path::Uniform;
  Value base;
  Table table;
  Table scratch;
};

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_TENSORACCESS_H
