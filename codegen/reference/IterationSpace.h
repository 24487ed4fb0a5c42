//===- IterationSpace.h - Extents and strides of b, l, d, n -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inside of the reference: joins the extents of an ssm op's operands at run
// time, and finds an operand's element at a point (b, l, d, n).
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REFERENCE_ITERATIONSPACE_H
#define MAMBA_CODEGEN_REFERENCE_ITERATIONSPACE_H

#include "codegen/reference/Evaluation.h"

namespace mlir::ssm {

/// Where a tensor's element at (b, l, d, n) lies.
class ElementMap {
public:
  /// `channels` is the extent of d.
  ElementMap(const ReferenceTensor &tensor, bool isUniform, AccessAttr access,
             int64_t channels);

  int64_t at(int64_t b, int64_t l, int64_t d, int64_t n) const {
    return b * batch + l * length + d / channelsPerGroup * channel + n * state;
  }

  /// Of the state that segment `k` starts from.
  int64_t atSegment(int64_t b, int64_t k, int64_t d, int64_t n) const {
    return at(b, 0, d, n) + k * segment;
  }

private:
  int64_t batch = 0, length = 0, segment = 0, channel = 0, state = 0;
  int64_t channelsPerGroup = 1;
};

class IterationSpace {
public:
  explicit IterationSpace(Operation *op) : op(op) {}

  /// Joins the extents of `operand`, whose dimensions run over `access`. Emits
  /// an error where an extent differs from an earlier operand's.
  LogicalResult add(Value operand, const ReferenceValue &value,
                    AccessAttr access);
  /// Joins the number of groups of `result`, which its type has.
  void addGroups(Value result, AccessAttr access);
  /// Checks that groups divide the channels. Called after the last add.
  LogicalResult finish();

  bool knows(Axis axis) const { return lookUp(axis) >= 0; }
  /// Extent of `axis`; 1 where no operand has it.
  int64_t extent(Axis axis) const { return knows(axis) ? lookUp(axis) : 1; }
  int64_t batches() const { return extent(Axis::Batch); }
  int64_t steps() const { return extent(Axis::Length); }
  int64_t channels() const { return extent(Axis::Channel); }
  int64_t states() const { return extent(Axis::State); }
  /// Extents of the axes of `access`; groups as in `type`, a result's.
  SmallVector<int64_t> shapeOf(AccessAttr access, Type type = nullptr) const;

  ElementMap mapOf(const ReferenceValue &value, AccessAttr access) const {
    return {*value.tensor, value.isUniform, access, channels()};
  }
  /// For a tensor of the shape that shapeOf gives.
  ElementMap mapOf(const ReferenceTensor &tensor, AccessAttr access) const {
    return {tensor, false, access, channels()};
  }

private:
  /// What is known of one axis: the extent, and the operand that has it.
  struct Known {
    int64_t extent = -1;
    Value operand;
    /// Only a type says so; an operand with values overrules it.
    bool isHint = true;
  };
  int64_t lookUp(Axis axis) const {
    return axes[static_cast<unsigned>(axis)].extent;
  }
  LogicalResult join(Axis axis, const Known &found);

  Operation *op;
  Known axes[5];
  SmallVector<Known> groups;
  SmallVector<std::pair<Known, int64_t>> segments;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REFERENCE_ITERATIONSPACE_H
