//===- Schedule.cpp - Schedules for fused ops -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads off a fused op what DefaultSchedule asks, and attaches its answer.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "dialect/Dependence.h"
#include "passes/DefaultSchedule.h"
#include "passes/TunedTable.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_SCHEDULEPASS
#include "passes/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// The problem that a fused op is
//===----------------------------------------------------------------------===//

static int64_t numbersOf(Type type) { return isa<ComplexType>(type) ? 2 : 1; }
static int64_t numbersOf(Value value) { return numbersOf(value.getType()); }

/// An input of 16-bit floats, as a body computes with it.
static bool isWidenedHalf(Value value) {
  auto widened = value.getDefiningOp<arith::ExtFOp>();
  return widened && isa<BlockArgument>(widened.getIn()) &&
         widened.getIn().getType().getIntOrFloatBitWidth() == 16;
}

/// Counts what kernels keep in tables: values whose users run more often.
static void countTables(FusedOp op, Problem &problem) {
  Dependence dependence(op);
  problem.tableNumbers = problem.stagedNumbers = problem.stagedHalves = 0;
  auto isUsedWith = [&](Value value, Axis axis) {
    return llvm::any_of(value.getUses(), [&](OpOperand &use) {
      // What a recurrence starts from goes to where its carries are.
      return !isOnlyStart(use) &&
             llvm::any_of(use.getOwner()->getResults(), [&](Value result) {
               return dependence.dependsOn(result, axis);
             });
    });
  };
  auto count = [&](Value value) {
    const ValueInfo &info = dependence.of(value);
    if (!info.axes.has(Axis::State) || info.afterLast)
      return;
    if (!info.axes.has(Axis::Length))
      problem.tableNumbers +=
          isUsedWith(value, Axis::Length) ? numbersOf(value) : 0;
    else if (!info.axes.has(Axis::Channel) &&
             isUsedWith(value, Axis::Channel)) {
      problem.stagedNumbers += numbersOf(value);
      problem.stagedHalves += isWidenedHalf(value) ? 1 : 0;
    }
  };
  // Saved states go to where carries are.
  for (BlockArgument argument : op.getBlock()->getArguments())
    if (!op.inputAccess(argument.getArgNumber()).has(Axis::Segment))
      count(argument);
  for (Operation &nested : op.getBlock()->without_terminator()) {
    for (Value result : nested.getResults())
      count(result);
    if (auto recurrence = dyn_cast<RecurrenceOp>(nested);
        recurrence && scanOf(recurrence) == recurrence)
      problem.tableNumbers += numbersOf(recurrence.getState());
  }
}

/// Counts what kernels sum in shared memory.
static void countTotals(FusedOp op, Problem &problem) {
  Dependence dependence(op);
  problem.summedSteps = problem.summedChannels = problem.summedStates = 0;
  for (TotalOp total : op.getBlock()->getOps<TotalOp>()) {
    bool perState = dependence.dependsOn(total.getValue(), Axis::State);
    int64_t numbers = numbersOf(total.getValue());
    if (total.getAxes().has(Axis::Length))
      problem.summedSteps +=
          numbers * (perState ? summedRowWords(problem.states) : 1);
    else if (dependence.dependsOn(total.getValue(), Axis::Length))
      (perState ? problem.summedStates : problem.summedChannels) += numbers;
  }
}

/// True where most (b, l, d) inputs have channels side by side in memory:
/// row-major memory does, unless the function states a layout.
static bool areChannelsNeighbours(FusedOp op) {
  int votes = 0;
  auto function = op->getParentOfType<func::FuncOp>();
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AccessAttr access = op.inputAccess(i);
    if (!access.has(Axis::Length) || !access.has(Axis::Channel))
      continue;
    int64_t unit = access.rank() - 1;
    auto argument = dyn_cast<BlockArgument>(input);
    if (function && argument)
      if (auto layout = function.getArgAttrOfType<LayoutAttr>(
              argument.getArgNumber(), kLayoutAttrName))
        unit = layout.getUnit();
    if (unit >= 0)
      votes += access.getAxes()[unit] == Axis::Channel ? 1 : -1;
  }
  return votes > 0;
}

Problem mlir::ssm::problemOf(FusedOp op, const Problem &assumed) {
  Problem problem = assumed;
  auto take = [&](Axis axis, int64_t &extent) {
    if (int64_t known = op.axisExtent(axis); !ShapedType::isDynamic(known))
      extent = known;
  };
  take(Axis::Batch, problem.batch);
  take(Axis::Length, problem.length);
  take(Axis::Channel, problem.channels);
  problem.states = op.stateExtent();
  problem.bytesPerStep = 0;
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AccessAttr access = op.inputAccess(i);
    Type element = cast<RankedTensorType>(input.getType()).getElementType();
    Type real = realTypeOf(element);
    if (access.has(Axis::Length) && access.has(Axis::Channel) &&
        !access.has(Axis::State) && real.isIntOrFloat())
      problem.bytesPerStep += numbersOf(element) *
                              llvm::divideCeil(real.getIntOrFloatBitWidth(), 8);
  }
  problem.isChained = findChained(op) != nullptr;
  problem.replays = !directionsOf(op)->replayed.empty();
  for (auto access : op.getInputAccesses().getAsRange<AccessAttr>())
    problem.savedEvery = std::max(problem.savedEvery, access.getEvery());
  problem.savesStates =
      llvm::any_of(op.getResultAccesses().getAsRange<AccessAttr>(),
                   [](AccessAttr access) { return access.has(Axis::Segment); });
  problem.isComplex =
      llvm::any_of(op.getBlock()->getOps<RecurrenceOp>(), [](RecurrenceOp r) {
        return isa<ComplexType>(r.getState().getType());
      });
  problem.areChannelsNeighbours = areChannelsNeighbours(op);
  countTables(op, problem);
  countTotals(op, problem);
  return problem;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

GpuScheduleFields mlir::ssm::fieldsOf(ScheduleAttr s) {
  return {.lanes = s.getLanes(),
          .split = s.getSplit(),
          .items = s.getItems(),
          .channels = s.getChannels(),
          .warpsL = s.getWarpsL(),
          .warpsD = s.getWarpsD(),
          .chunks = s.getChunks(),
          .handoff = s.getHandoff(),
          .carryParts = s.getCarryParts(),
          .lastChunk = s.getLastChunk(),
          .relay = s.getRelay(),
          .unroll = s.getUnroll(),
          .stages = s.getStages(),
          .prefetch = s.getPrefetch(),
          .packed = s.getPacked(),
          .apart = s.getApart(),
          .atomics = s.getAtomics(),
          .fmaExps = s.getFmaExps(),
          .minBlocks = s.getMinBlocks()};
}

CpuScheduleFields mlir::ssm::fieldsOf(CpuScheduleAttr s) {
  return {
      .vector = s.getVector(), .items = s.getItems(), .chunks = s.getChunks()};
}

Attribute mlir::ssm::attributeOf(Location location,
                                 const GpuScheduleFields &s) {
  return ScheduleAttr::getChecked(
      [=] { return emitError(location); }, location.getContext(), s.lanes,
      s.split, s.items, s.channels, s.warpsL, s.warpsD, s.chunks, s.handoff,
      s.carryParts, s.lastChunk, s.relay, s.unroll, s.stages, s.prefetch,
      s.packed, s.apart, s.atomics, s.fmaExps, s.minBlocks);
}

Attribute mlir::ssm::attributeOf(Location location,
                                 const CpuScheduleFields &s) {
  return CpuScheduleAttr::getChecked([=] { return emitError(location); },
                                     location.getContext(), s.vector, s.items,
                                     s.chunks);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct SchedulePass : ssm::impl::SchedulePassBase<SchedulePass> {
  using SchedulePassBase::SchedulePassBase;

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](FusedOp op) {
      if (op.getSchedule())
        return WalkResult::advance();
      Attribute attr = schedule.empty() ? choose(op) : parse(op);
      if (!attr)
        return WalkResult::interrupt();
      op.setScheduleAttr(attr);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  Attribute choose(FusedOp op);
  Attribute parse(FusedOp op);
};
} // namespace

/// The default; null after an error.
Attribute SchedulePass::choose(FusedOp op) {
  Problem assumed;
  assumed.batch = batch;
  assumed.length = length;
  assumed.channels = channels;
  Problem problem = problemOf(op, assumed);
  if (target == "cpu") {
    CpuTarget cpu;
    if (threads > 0)
      cpu.threads = threads;
    return attributeOf(op.getLoc(), defaultCpuSchedule(problem, cpu));
  }
  std::optional<GpuTarget> gpu = findGpuTarget(target);
  if (!gpu) {
    op.emitError("found target '")
        << target << "', expected cpu, " << knownGpuTargets();
    return nullptr;
  }
  if (std::optional<std::string_view> tuned = findTunedSchedule(problem, *gpu))
    return parseAttribute(StringRef(*tuned), &getContext());
  return attributeOf(op.getLoc(), defaultGpuSchedule(problem, *gpu));
}

/// The attribute that the option `schedule` gives; null after an error.
Attribute SchedulePass::parse(FusedOp op) {
  // The parser calls itself for each bracket; with all fields a schedule has
  // some 300 characters.
  constexpr size_t kMostCharacters = 1024;
  if (schedule.size() > kMostCharacters) {
    op.emitError("found a schedule of ")
        << schedule.size()
        << " characters for --ssm-schedule, expected at most "
        << kMostCharacters;
    return nullptr;
  }
  Attribute attr = parseAttribute(schedule, &getContext());
  bool isCpu = target == "cpu";
  if (isCpu ? isa_and_present<CpuScheduleAttr>(attr)
            : isa_and_present<ScheduleAttr>(attr))
    return attr;
  StringRef wanted = isCpu ? "#ssm.cpu_schedule" : "#ssm.schedule";
  // The parser has said what is wrong with it.
  if (!attr)
    op.emitError("cannot use the schedule '")
        << schedule << "', which is no valid " << wanted;
  else
    op.emitError("found schedule '") << schedule << "' for the target "
                                     << target << ", expected a " << wanted;
  return nullptr;
}
