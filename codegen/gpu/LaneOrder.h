//===- LaneOrder.h - Which lane has which steps and channel -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_LANEORDER_H
#define MAMBA_CODEGEN_GPU_LANEORDER_H

#include "codegen/LaunchPlan.h"
#include "codegen/gpu/Emit.h"

namespace mlir::ssm {

/// How the lanes of a warp share out its segments along L and its channels: so
/// many channels lie innermost, then the segments, then the rest of the
/// channels. With 4 lanes along L, 8 channels and 2 of them innermost, a lane's
/// five bits are those of (channel / 2, segment, channel % 2).
class LaneOrder {
public:
  LaneOrder(int64_t lanes, int64_t inner) : lanes(lanes), inner(inner) {}
  /// What suits the layouts of the op's inputs.
  static LaneOrder choose(const LaunchPlan &plan, FusedOp op,
                          ScheduleAttr schedule);

  /// Of lane `lane` (i32) of the warp.
  Value segment(Emit &e, Value lane) const;
  Value channel(Emit &e, Value lane) const;
  /// The lane that has both (i32).
  Value lane(Emit &e, Value segment, Value channel) const;
  /// Lanes from one segment to the next.
  int64_t segmentStride() const { return inner; }
  /// The bit of the lane for the bit `distance` of its channel.
  int64_t channelStride(int64_t distance) const {
    return distance < inner ? distance : distance * lanes;
  }

private:
  int64_t lanes;
  int64_t inner;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_LANEORDER_H
