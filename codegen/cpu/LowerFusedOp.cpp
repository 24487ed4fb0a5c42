//===- LowerFusedOp.cpp - One fused op to CPU kernels ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/LowerFusedOp.h"
#include "codegen/cpu/BodyEmitter.h"
#include "codegen/cpu/TaskEmitter.h"
#include "codegen/cpu/TotalKernel.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

//===----------------------------------------------------------------------===//
// What has code
//===----------------------------------------------------------------------===//

static FailureOr<CpuScheduleAttr> scheduleOf(FusedOp op) {
  auto schedule = dyn_cast_or_null<CpuScheduleAttr>(op.getScheduleAttr());
  if (!schedule && op.getScheduleAttr())
    return op.emitOpError("has the schedule ")
           << op.getScheduleAttr() << ", expected a #ssm.cpu_schedule";
  return schedule ? schedule
                  : CpuScheduleAttr::get(op.getContext(), /*vector=*/16,
                                         /*items=*/16, /*chunks=*/1);
}

static bool hasAxis(FusedOp op, Axis axis) {
  return llvm::any_of(op.getInputAccesses(), [axis](Attribute access) {
    return cast<AccessAttr>(access).has(axis);
  });
}

static LogicalResult verifyBody(FusedOp op) {
  for (Operation &nested : op.getBlock()->without_terminator())
    if (!isa<RecurrenceOp, SumOp, TotalOp>(nested) &&
        failed(verifyEmittable(nested)))
      return failure();
  return success();
}

/// The chunks of a sequence can only be joined if a recurrence's decay and
/// input are known without the states of another.
static LogicalResult verifyUnchained(FusedOp op, CpuScheduleAttr schedule) {
  RecurrenceOp chained = findChained(op);
  if (!chained)
    return success();
  return chained.emitOpError("depends on the states of an earlier recurrence, "
                             "so its sequence cannot be split; found ")
         << schedule << " on its ssm.fused, expected chunks = 1";
}

//===----------------------------------------------------------------------===//
// Chunks
//===----------------------------------------------------------------------===//

/// Channels last: the kernels read and write them as vectors.
static AccessAttr stateAccess(FusedOp op, RecurrenceOp scan,
                              const Dependence &dependence) {
  AxisSet axes = dependence.of(scan.getState()).axes;
  SmallVector<Axis> kept;
  if (axes.has(Axis::Batch))
    kept.push_back(Axis::Batch);
  if (axes.has(Axis::State))
    kept.push_back(Axis::State);
  if (axes.has(Axis::Channel) || axes.has(Axis::Group))
    kept.push_back(Axis::Channel);
  return AccessAttr::get(op.getContext(), kept);
}

static SmallVector<mamba::DimSpec> stateDims(FusedOp op, AccessAttr access) {
  SmallVector<mamba::DimSpec> dims;
  for (Axis axis : access.getAxes()) {
    int64_t extent = op.axisExtent(axis);
    dims.push_back({runtimeAxis(axis),
                    extent == ShapedType::kDynamic ? mamba::kDynamic : extent});
  }
  return dims;
}

static SmallVector<ChunkTensors> addChunkTensors(FusedOp op,
                                                 ArrayRef<RecurrenceOp> scans,
                                                 int64_t chunks,
                                                 LaunchPlan &plan) {
  Dependence dependence(op);
  SmallVector<ChunkTensors> list;
  for (RecurrenceOp scan : scans) {
    AccessAttr access = stateAccess(op, scan, dependence);
    SmallVector<mamba::DimSpec> dims = {{mamba::Axis::Other, chunks}};
    llvm::append_range(dims, stateDims(op, access));
    mamba::DType dtype = *dtypeOf(scan.getState().getType());
    list.push_back({scan, access, plan.addTemporary("carry", dtype, dims),
                    plan.addTemporary("decay", dtype, dims),
                    plan.addTemporary("start", dtype, dims)});
  }
  return list;
}

/// The two kernels that find the states at the start of each chunk.
static LogicalResult emitChunkStarts(KernelRequest request,
                                     const BodyFacts &facts,
                                     ArrayRef<RecurrenceOp> scans,
                                     LaunchPlan &plan) {
  std::string name = request.name;
  std::pair<Goal, StringLiteral> kernels[] = {{Goal::Carries, "_carries"},
                                              {Goal::Starts, "_starts"}};
  for (auto [goal, suffix] : kernels) {
    FailureOr<BodyPlan> body = BodyPlan::build(request.op, facts, goal, scans);
    if (failed(body))
      return failure();
    request.name = name + suffix.str();
    request.totals = {};
    if (failed(TaskEmitter(request, *body, plan).run()))
      return failure();
  }
  return success();
}

static LogicalResult emitChunked(KernelRequest &request, const BodyFacts &facts,
                                 const BodyPlan &whole, LaunchPlan &plan) {
  if (failed(verifyUnchained(request.op, request.schedule)))
    return failure();
  FailureOr<BodyPlan> body =
      BodyPlan::build(request.op, facts, Goal::ChunkResults);
  if (failed(body))
    return failure();
  SmallVector<ChunkTensors> tensors = addChunkTensors(
      request.op, whole.recurrences(), request.schedule.getChunks(), plan);
  request.chunkTensors = tensors;
  if (!tensors.empty() &&
      failed(emitChunkStarts(request, facts, whole.recurrences(), plan)))
    return failure();
  return TaskEmitter(request, *body, plan).run();
}

//===----------------------------------------------------------------------===//
// Both directions
//===----------------------------------------------------------------------===//

/// One temporary for each scan that is replayed, and whose states were not
/// saved: those at the start of each tile.
static SmallVector<ChunkTensors> addCheckpoints(const KernelRequest &request,
                                                const BodyPlan &whole,
                                                LaunchPlan &plan) {
  Dependence dependence(request.op);
  SmallVector<ChunkTensors> list;
  for (RecurrenceOp scan : whole.recurrences()) {
    if (!whole.directions().needsCheckpoints(scan, request.schedule.getItems()))
      continue;
    AccessAttr access = stateAccess(request.op, scan, dependence);
    SmallVector<mamba::DimSpec> dims = {
        {mamba::Axis::Length, mamba::kDynamic, request.schedule.getItems()}};
    llvm::append_range(dims, stateDims(request.op, access));
    mamba::DType dtype = *dtypeOf(scan.getState().getType());
    list.push_back(
        {scan, access, 0, 0, plan.addTemporary("checkpoints", dtype, dims)});
  }
  return list;
}

static LogicalResult emitBothWays(KernelRequest request, const BodyFacts &facts,
                                  const BodyPlan &whole, LaunchPlan &plan) {
  SmallVector<ChunkTensors> tensors = addCheckpoints(request, whole, plan);
  SmallVector<RecurrenceOp> scans;
  for (const ChunkTensors &own : tensors)
    scans.push_back(own.scan);
  if (scans.empty())
    return TaskEmitter(request, whole, plan).run();
  request.chunkTensors = tensors;
  FailureOr<BodyPlan> body =
      BodyPlan::build(request.op, facts, Goal::Checkpoints, scans);
  if (failed(body))
    return failure();
  KernelRequest first = request;
  first.name += "_checkpoints";
  first.totals = {};
  if (failed(TaskEmitter(first, *body, plan).run()))
    return failure();
  return TaskEmitter(request, whole, plan).run();
}

//===----------------------------------------------------------------------===//
// Entry
//===----------------------------------------------------------------------===//

/// A replayed scan that the channels of a group share.
static bool replaysGroups(FusedOp op) {
  Dependence dependence(op);
  return llvm::any_of(directionsOf(op)->replayed, [&](RecurrenceOp scan) {
    AxisSet axes = dependence.of(scan.getState()).axes;
    return axes.has(Axis::Group) && !axes.has(Axis::Channel);
  });
}

/// The states at the start of chunks and tiles are stored by channel, so there
/// no value of a group is taken as one number for all its channels.
static BodyFacts factsOf(const KernelRequest &request, const LaunchPlan &plan) {
  FusedOp op = request.op;
  BodyFacts facts;
  bool isByChannel = request.schedule.getChunks() > 1 || replaysGroups(op);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AccessAttr access = op.inputAccess(i);
    bool isSplit = isByChannel && access.has(Axis::Group);
    facts.uniformInputs.push_back(
        !isSplit &&
        isUniformAccess(cast<RankedTensorType>(input.getType()), access,
                        request.facts, request.schedule.getVector()));
    // A row of a tile is far from the next one in memory.
    facts.keptInputs.push_back(access.has(Axis::Channel) &&
                               plan.layout(plan.tensorOf(input)).unitDim ==
                                   access.dimOf(Axis::Channel));
  }
  for (Value result : op.getResults())
    facts.storedResults.push_back(plan.isStored(result));
  return facts;
}

/// Channels of a task, or 0 where they may be of several groups.
static int64_t tileChannels(const KernelRequest &request) {
  FusedOp op = request.op;
  int64_t width = request.schedule.getVector();
  auto isUniform = [&](Type type, AccessAttr access) {
    return access.has(Axis::Channel) ||
           isUniformAccess(cast<RankedTensorType>(type), access, request.facts,
                           width);
  };
  for (auto [i, type] : llvm::enumerate(op.getResultTypes()))
    if (!isUniform(type, op.resultAccess(i)))
      return 0;
  return width;
}

LogicalResult mlir::ssm::cpu::lowerFusedOp(FusedOp op, ModuleOp module,
                                           StringRef name, LaunchPlan &plan) {
  FailureOr<CpuScheduleAttr> schedule = scheduleOf(op);
  if (failed(schedule) || failed(verifyBody(op)))
    return failure();
  bool isBothWays = !directionsOf(op)->replayed.empty();
  if (isBothWays && schedule->getChunks() > 1)
    return op.emitOpError("has recurrences in both directions, of which the "
                          "ones of one are replayed tile by tile; found ")
           << *schedule << ", expected chunks = 1";
  KernelRequest request{op,
                        module,
                        name.str(),
                        *schedule,
                        {op.axisExtent(Axis::Channel), plan.channelMultiple()},
                        {},
                        {}};
  BodyFacts facts = factsOf(request, plan);
  FailureOr<BodyPlan> body = BodyPlan::build(op, facts, Goal::Results);
  if (failed(body))
    return failure();
  bool isChunked = schedule->getChunks() > 1 && hasAxis(op, Axis::Length);
  SmallVector<PartialSums> totals = planPartialSums(
      op, Dependence(op),
      {tileChannels(request), isChunked ? schedule->getChunks() : 1}, plan);
  SmallVector<PartialSums> summed = distinctSums(totals);
  request.totals = summed;
  if (failed(isBothWays  ? emitBothWays(request, facts, *body, plan)
             : isChunked ? emitChunked(request, facts, *body, plan)
                         : TaskEmitter(request, *body, plan).run()))
    return failure();
  for (const PartialSums &sums : totals)
    emitTotalKernel(request, sums, plan);
  return success();
}
