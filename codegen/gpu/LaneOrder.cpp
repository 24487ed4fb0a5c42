//===- LaneOrder.cpp - Which lane has which steps and channel -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/LaneOrder.h"

using namespace mlir;
using namespace mlir::ssm;

/// True where most of what is read by steps has channels for neighbours in
/// memory, not steps.
static bool areChannelsNeighbours(const LaunchPlan &plan, FusedOp op) {
  int votes = 0;
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AccessAttr access = op.inputAccess(i);
    int unit = plan.layout(plan.tensorOf(input)).unitDim;
    if (!access.has(Axis::Length) || !access.has(Axis::Channel) || unit < 0)
      continue;
    votes += access.getAxes()[unit] == Axis::Channel ? 1 : -1;
  }
  return votes > 0;
}

/// What channels share is read from shared memory 16 bytes a lane, which takes
/// a wavefront a quarter of the warp; two quarters share one where lanes l and
/// l ^ 1, or l ^ 2, read the same. With more than two lanes along L, pairs of
/// channels have to be innermost for that. Steps that are copied, or not asked
/// for ahead, lose more by it than they gain (bench/NOTES.md).
LaneOrder LaneOrder::choose(const LaunchPlan &plan, FusedOp op,
                            ScheduleAttr schedule) {
  constexpr int64_t kPair = 2;
  int64_t lanes = schedule.getLanes(), channels = schedule.channelLanes();
  if (areChannelsNeighbours(plan, op))
    return LaneOrder(lanes, channels);
  bool inPairs = lanes > kPair && schedule.getPrefetch() == 1;
  return LaneOrder(lanes, inPairs ? std::min(kPair, channels) : 1);
}

Value LaneOrder::segment(Emit &e, Value lane) const {
  return e.rem(e.div(lane, inner), lanes);
}

Value LaneOrder::channel(Emit &e, Value lane) const {
  Value upper = e.mul(e.div(lane, inner * lanes), inner);
  return e.add(upper, e.rem(lane, inner));
}

Value LaneOrder::lane(Emit &e, Value segment, Value channel) const {
  Value upper = e.mul(e.div(channel, inner), inner * lanes);
  Value lower = e.rem(channel, inner);
  return e.add(e.add(upper, e.mul(segment, inner)), lower);
}
