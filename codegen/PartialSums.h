//===- PartialSums.h - Totals in two steps ----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An `ssm.total` sums over points that several blocks (on a CPU: tasks)
// compute. Each writes what it has summed itself to a temporary, and a last
// kernel adds these partial sums in their order, so that two runs give the same
// bits. Where a schedule asks for atomics, blocks add theirs to one sum
// instead.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_PARTIALSUMS_H
#define MAMBA_CODEGEN_PARTIALSUMS_H

#include "codegen/LaunchPlan.h"
#include "dialect/Dependence.h"

namespace mlir::ssm {

/// What a block sums before it writes anything.
enum class PartialKind {
  Steps,    ///< All of its steps: one number a channel (and state).
  Channels, ///< All of its channels: one number a step (and state).
  Points    ///< Nothing.
};

/// The first step of one total.
struct PartialSums {
  TotalOp total;
  unsigned result; ///< Number of the fused op's result that it is.
  PartialKind kind;
  AxisSet axes; ///< Of the summed value; Channel also stands for Group.
  /// Blocks of the kind Channels add theirs to one sum of each group.
  bool isAtomic = false;
  /// The temporary's number in the plan, and what its dimensions run over,
  /// but for a first one, if `hasOuter`: blocks of channels for the kind
  /// Channels, or groups where it is atomic, chunks for Steps.
  unsigned tensor = 0;
  AccessAttr access;
  bool hasOuter = false;

  Value value() const { return TotalOp(total).getValue(); }
  bool has(Axis axis) const { return axes.has(axis); }
};

/// What decides how much a block sums.
struct PartialShape {
  /// Channels that a block has, all of one group; 0 where they are of several.
  int64_t tileChannels = 1;
  /// Blocks that share a sequence.
  int64_t chunks = 1;
  bool areAtomic = false;
};

/// Plans the totals of `op` that something reads, and adds their temporaries to
/// the plan. Channels lie side by side in them, or steps where there are steps.
SmallVector<PartialSums> planPartialSums(FusedOp op,
                                         const Dependence &dependence,
                                         const PartialShape &shape,
                                         LaunchPlan &plan);

/// The axis of a total's result along which its partial sums lie side by side;
/// none for a result of groups and states alone.
std::optional<Axis> neighbourAxis(AccessAttr result);

/// True where the last kernel sums over a dimension of the partial sums.
inline bool isSummed(const mamba::DimSpec &dim, AccessAttr result) {
  return dim.axis == mamba::Axis::Other ||
         !result.has(static_cast<Axis>(dim.axis));
}

/// Emits what of such a dimension belongs to one element of a result with so
/// many groups: all of it, or where channels become groups, those of `group`.
template <typename Emit, typename Kernel>
std::pair<Value, Value>
summedRange(Emit &e, Kernel &kernel, const PartialSums &sums,
            const mamba::DimSpec &dim, AccessAttr result, Value group,
            int64_t groups) {
  if (dim.axis == mamba::Axis::Other && sums.isAtomic)
    return {group, e.add(group, e.i64(1))};
  if (dim.axis == mamba::Axis::Other)
    return {e.i64(0), e.i64(dim.extent)};
  Value count =
      e.ceilDiv(kernel.extent(static_cast<Axis>(dim.axis)), dim.divisor);
  if (dim.axis != mamba::Axis::Channel || !result.has(Axis::Group))
    return {e.i64(0), count};
  Value own = e.div(count, groups);
  Value from = e.mul(group, own);
  return {from, e.add(from, own)};
}

/// One for each tensor of them: what a kernel sums.
SmallVector<PartialSums> distinctSums(ArrayRef<PartialSums> results);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_PARTIALSUMS_H
