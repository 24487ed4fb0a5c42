//===- TaskEmitter.cpp - The code of one fused op's tasks -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task, phase by phase (see BodyPlan.h):
//
//   inputs without steps; phases before the steps
//   for each tile of steps
//     inputs of the tile
//     for each level:  for t: values of a step
//                      for n: for t: values of a state, recurrences, sums
//     results of the tile
//   phases after the steps; results without steps
//
// The loop over n is outside that over t, so that a state and its constants
// stay in registers for a tile's steps; what the sums over n add up to lies in
// a table of the tile, which the first-level cache holds.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TaskEmitter.h"
#include "codegen/cpu/BodyEmitter.h"
#include "codegen/cpu/BodyPlan.h"
#include "codegen/cpu/TensorAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

namespace {

/// Tables of one task must leave room for a thread's other frames.
constexpr int64_t kMaxStackBytes = 512 * 1024;

class TaskEmitter {
public:
  TaskEmitter(FusedOp op, const BodyPlan &body, ChannelFacts facts,
              CpuScheduleAttr schedule, ModuleOp module, StringRef name,
              LaunchPlan &plan);

  LogicalResult run();

private:
  using Values = llvm::DenseMap<Value, Lanes>;

  bool has(Axis axis) const;
  Value extent(Axis axis);
  void findPlace();
  void openTensors();
  void makeTables();
  void emitTask();
  void emitTile();
  void emitStage(Stage stage);
  void emitPhase(const Phase &phase);
  void emitStates(const Phase &phase, Value state);
  void emitSteps(const Phase &phase, Value state, const Values &hoisted);
  void emitPoint(const Phase &phase, Point point, Values &values);
  void emitOp(const Phase &phase, Operation *op, Point point, Values &values);
  void clearSums(const Phase &phase);
  void clearStates();
  Lanes read(Value value, Point point);
  Lanes valueOf(Value value, const Values &values) const;
  Value entryOf(Place place, Point point);
  LogicalResult finish();

  FusedOp op;
  const BodyPlan &body;
  ChannelFacts facts;
  CpuScheduleAttr schedule;
  LaunchPlan &plan;
  Emit e;
  Kernel kernel;
  TaskFrame frame;
  SmallVector<mamba::GridTerm> grid;
  SmallVector<std::unique_ptr<TensorAccess>> inputs, results;
  /// Tables of kept values and of sums, and of recurrences by their state.
  llvm::DenseMap<Value, Table> tables;
  /// Values that a task computes once.
  Values once;
};

} // namespace

TaskEmitter::TaskEmitter(FusedOp op, const BodyPlan &body, ChannelFacts facts,
                         CpuScheduleAttr schedule, ModuleOp module,
                         StringRef name, LaunchPlan &plan)
    : op(op), body(body), facts(facts), schedule(schedule), plan(plan),
      e(op.getLoc(), OpBuilder(op), schedule.getVector()),
      kernel(e, module, name, plan) {
  frame.tileSteps = schedule.getItems();
  frame.numStates = op.stateExtent();
}

//===----------------------------------------------------------------------===//
// The task's place
//===----------------------------------------------------------------------===//

bool TaskEmitter::has(Axis axis) const {
  auto hasAxis = [axis](Attribute access) {
    return cast<AccessAttr>(access).has(axis);
  };
  return llvm::any_of(FusedOp(op).getInputAccesses(), hasAxis);
}

Value TaskEmitter::extent(Axis axis) {
  int64_t known = op.axisExtent(axis);
  return known == ShapedType::kDynamic ? kernel.extent(axis) : e.i64(known);
}

/// Channels are the fastest part of a task's number: neighbouring tasks share
/// cache lines, and the values that all channels of a sequence read.
void TaskEmitter::findPlace() {
  frame.batch = has(Axis::Batch) ? kernel.task() : e.i64(0);
  frame.channel = e.i64(0);
  frame.validLanes = e.i64(e.width);
  if (has(Axis::Batch))
    grid.push_back({mamba::Axis::Batch, 1});
  if (!has(Axis::Channel))
    return;
  grid.push_back({mamba::Axis::Channel, e.width});
  frame.numChannels = extent(Axis::Channel);
  Value vectors = e.ceilDiv(frame.numChannels, e.width);
  if (has(Axis::Batch))
    frame.batch = e.div(kernel.task(), vectors);
  frame.channel = e.mul(e.rem(kernel.task(), vectors), e.width);
  if (facts.isMultipleOf(e.width))
    return;
  Value left = e.sub(frame.numChannels, frame.channel);
  frame.isFull = e.atLeast(left, e.width);
  frame.validLanes = e.min(left, e.i64(e.width));
}

void TaskEmitter::openTensors() {
  auto open = [&](Value tensor, AccessAttr access) {
    return std::make_unique<TensorAccess>(
        kernel, e, plan, frame, plan.tensorOf(tensor),
        cast<RankedTensorType>(tensor.getType()), access, facts);
  };
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    inputs.push_back(op.getBlock()->getArgument(i).use_empty()
                         ? nullptr
                         : open(input, op.inputAccess(i)));
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    results.push_back(plan.isStored(result) ? open(result, op.resultAccess(i))
                                            : nullptr);
}

void TaskEmitter::makeTables() {
  auto add = [&](Value value, bool perState, bool perStep) {
    int64_t entries = perStep    ? frame.tileSteps
                      : perState ? frame.numStates
                                 : 1;
    tables[value] =
        kernel.table(value.getType(), body.isUniform(value), entries);
  };
  for (const Phase &phase : body.phases()) {
    bool perStep = phase.place.stage == Stage::During;
    for (Value value : phase.kept)
      // A state of a step is kept beside the table of its recurrence.
      add(value, phase.place.perState, perStep);
    for (Operation *nested : phase.ops)
      if (isLoopSum(nested, body))
        add(nested->getResult(0), false, perStep);
  }
  for (RecurrenceOp scan : body.recurrences())
    add(scan.getLast(), body.placeOf(scan.getState()).perState, false);
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

LogicalResult TaskEmitter::run() {
  findPlace();
  openTensors();
  makeTables();
  emitTask();
  return finish();
}

LogicalResult TaskEmitter::finish() {
  if (kernel.stackBytes() > kMaxStackBytes)
    return op.emitOpError("needs ")
           << kernel.stackBytes() << " bytes of stack for tables of "
           << frame.numStates << " states and " << frame.tileSteps
           << " steps, but a task may have " << kMaxStackBytes
           << "; use fewer states, or a smaller 'items' or 'vector' in "
              "#ssm.cpu_schedule";
  kernel.finish(plan, grid);
  return success();
}

void TaskEmitter::emitTask() {
  auto each = [&](auto method) {
    for (auto *list : {&inputs, &results})
      for (auto &tensor : *list)
        if (tensor)
          method(*tensor);
  };
  each([](TensorAccess &tensor) { tensor.beginTask(); });
  for (auto &input : inputs)
    if (input)
      input->fill(/*perTile=*/false);
  clearStates();
  emitStage(Stage::Before);
  if (has(Axis::Length)) {
    Value length = extent(Axis::Length);
    e.loop(e.i64(0), length, frame.tileSteps, [&](Value done) {
      Value left = e.sub(length, done);
      frame.tileLength = e.min(left, e.i64(frame.tileSteps));
      // In reverse the tiles run from the end; within a tile positions ascend
      // all the same.
      frame.tileStart = op.isReverse() ? e.sub(left, frame.tileLength) : done;
      emitTile();
    });
  }
  emitStage(Stage::After);
  for (auto &result : results)
    if (result)
      result->flush(/*perTile=*/false);
}

void TaskEmitter::emitTile() {
  for (auto &input : inputs)
    if (input)
      input->fill(/*perTile=*/true);
  emitStage(Stage::During);
  for (auto &result : results)
    if (result)
      result->flush(/*perTile=*/true);
}

void TaskEmitter::emitStage(Stage stage) {
  for (const Phase &phase : body.phases())
    if (phase.place.stage == stage && !phase.isEmpty())
      emitPhase(phase);
}

void TaskEmitter::emitPhase(const Phase &phase) {
  clearSums(phase);
  if (!phase.place.perState)
    return emitStates(phase, nullptr);
  e.loop(e.i64(0), e.i64(frame.numStates), 1,
         [&](Value state) { emitStates(phase, state); });
}

void TaskEmitter::emitStates(const Phase &phase, Value state) {
  if (phase.place.isOnce())
    return emitPoint(phase, {}, once);
  Values values;
  if (phase.place.stage != Stage::During)
    return emitPoint(phase, {nullptr, state}, values);
  for (Value value : phase.reads)
    if (body.placeOf(value).stage != Stage::During)
      values[value] = read(value, {nullptr, state});
  emitSteps(phase, state, values);
}

/// The loop over a tile's steps carries the states of the recurrences.
void TaskEmitter::emitSteps(const Phase &phase, Value state,
                            const Values &hoisted) {
  SmallVector<RecurrenceOp> scans;
  SmallVector<Value> carried;
  Point start{nullptr, state};
  for (Operation *nested : phase.ops)
    if (auto scan = dyn_cast<RecurrenceOp>(nested)) {
      scans.push_back(scan);
      Lanes h =
          kernel.load(tables[scan.getLast()],
                      entryOf({Stage::After, 0, state != nullptr}, start));
      carried.push_back(h.re);
      if (h.isComplex())
        carried.push_back(h.im);
    }
  auto unpack = [&](ValueRange words, Values &values) {
    for (RecurrenceOp scan : scans) {
      Lanes h{words.front(), nullptr};
      words = words.drop_front();
      if (isa<ComplexType>(scan.getState().getType())) {
        h.im = words.front();
        words = words.drop_front();
      }
      values[scan.getState()] = h;
    }
  };
  SmallVector<Value> last =
      e.loop(e.i64(0), frame.tileLength, 1, carried,
             [&](Value done, ValueRange words) {
               Value step = done;
               if (op.isReverse())
                 step = e.sub(e.sub(frame.tileLength, e.i64(1)), done);
               Values values = hoisted;
               unpack(words, values);
               emitPoint(phase, {step, state}, values);
               SmallVector<Value> next;
               for (RecurrenceOp scan : scans) {
                 Lanes h = values[scan.getState()];
                 next.push_back(h.re);
                 if (h.isComplex())
                   next.push_back(h.im);
               }
               return next;
             });
  Values values;
  unpack(last, values);
  for (RecurrenceOp scan : scans)
    kernel.store(tables[scan.getLast()],
                 entryOf({Stage::After, 0, state != nullptr}, start),
                 values[scan.getState()]);
}

void TaskEmitter::emitPoint(const Phase &phase, Point point, Values &values) {
  for (Value value : phase.reads)
    if (!values.contains(value))
      values[value] = read(value, point);
  for (Operation &nested : op.getBlock()->without_terminator())
    if (phase.ops.contains(&nested))
      emitOp(phase, &nested, point, values);
  for (Value value : phase.kept)
    kernel.store(tables[value], entryOf(phase.place, point),
                 valueOf(value, values));
  for (RecurrenceOp scan : phase.initialStates)
    kernel.store(tables[scan.getLast()], entryOf(phase.place, point),
                 valueOf(scan.getInit(), values));
  for (unsigned i : phase.results)
    results[i]->store(
        point, valueOf(op.getBlock()->getTerminator()->getOperand(i), values));
}

void TaskEmitter::emitOp(const Phase &phase, Operation *nested, Point point,
                         Values &values) {
  if (auto scan = dyn_cast<RecurrenceOp>(nested)) {
    Lanes a = valueOf(scan.getA(), values), b = valueOf(scan.getB(), values);
    Lanes &h = values[scan.getState()];
    h = e.multiplyAdd(a, h, b);
    return;
  }
  SmallVector<Lanes> operands;
  for (Value operand : nested->getOperands())
    operands.push_back(valueOf(operand, values));
  if (isLoopSum(nested, body)) {
    const Table &sums = tables[nested->getResult(0)];
    Place home = phase.place;
    home.perState = false;
    Value entry = entryOf(home, point);
    kernel.store(sums, entry, e.sum(kernel.load(sums, entry), operands[0]));
    return;
  }
  if (auto sum = dyn_cast<SumOp>(nested)) {
    // A value without n counts once a state.
    values[sum.getResult()] = e.scale(operands[0], frame.numStates);
    return;
  }
  for (auto [result, lanes] :
       llvm::zip(nested->getResults(), emitBodyOp(e, *nested, operands)))
    values[result] = lanes;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value TaskEmitter::entryOf(Place place, Point point) {
  if (place.stage == Stage::During)
    return point.step;
  return place.perState ? point.state : e.i64(0);
}

/// A value of another phase, or an input.
Lanes TaskEmitter::read(Value value, Point point) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return inputs[argument.getArgNumber()]->load(point);
  return kernel.load(tables[value], entryOf(body.placeOf(value), point));
}

Lanes TaskEmitter::valueOf(Value value, const Values &values) const {
  auto found = values.find(value);
  return found != values.end() ? found->second : once.at(value);
}

void TaskEmitter::clearSums(const Phase &phase) {
  for (Operation *nested : phase.ops) {
    if (!isLoopSum(nested, body))
      continue;
    Value sum = nested->getResult(0);
    Lanes zero = e.zero(sum.getType(), body.isUniform(sum));
    if (phase.place.stage != Stage::During)
      kernel.store(tables[sum], e.i64(0), zero);
    else
      e.loop(e.i64(0), frame.tileLength, 1,
             [&](Value step) { kernel.store(tables[sum], step, zero); });
  }
}

/// States without an initial value start from zero.
void TaskEmitter::clearStates() {
  for (RecurrenceOp scan : body.recurrences()) {
    if (scan.getInit())
      continue;
    Lanes zero =
        e.zero(scan.getState().getType(), body.isUniform(scan.getState()));
    bool perState = body.placeOf(scan.getState()).perState;
    e.loop(e.i64(0), e.i64(perState ? frame.numStates : 1), 1,
           [&](Value entry) {
             kernel.store(tables[scan.getLast()], entry, zero);
           });
  }
}

//===----------------------------------------------------------------------===//
// Entry
//===----------------------------------------------------------------------===//

static FailureOr<CpuScheduleAttr> scheduleOf(FusedOp op) {
  auto schedule = dyn_cast_or_null<CpuScheduleAttr>(op.getScheduleAttr());
  if (!schedule && op.getScheduleAttr())
    return op.emitOpError("has the schedule ")
           << op.getScheduleAttr() << ", expected #ssm.cpu_schedule; run "
           << "--ssm-schedule for the CPU";
  if (!schedule)
    schedule = CpuScheduleAttr::get(op.getContext(), 16, 16, 1);
  if (schedule.getChunks() != 1)
    return op.emitOpError("has ")
           << schedule.getChunks()
           << " chunks in its schedule, but the CPU scans a sequence in one";
  return schedule;
}

static LogicalResult verifyBody(FusedOp op) {
  for (Operation &nested : op.getBlock()->without_terminator())
    if (!isa<RecurrenceOp, SumOp>(nested) && failed(verifyEmittable(nested)))
      return failure();
  auto hasLength = [](Attribute access) {
    return cast<AccessAttr>(access).has(Axis::Length);
  };
  auto scans = op.getBlock()->getOps<RecurrenceOp>();
  if (!scans.empty() && llvm::none_of(op.getInputAccesses(), hasLength))
    return (*scans.begin())
        .emitOpError("has no length: no input of its ssm.fused has axis l");
  return success();
}

LogicalResult mlir::ssm::cpu::emitFusedOp(FusedOp op, ModuleOp module,
                                          StringRef name, LaunchPlan &plan) {
  FailureOr<CpuScheduleAttr> schedule = scheduleOf(op);
  if (failed(schedule) || failed(verifyBody(op)))
    return failure();
  ChannelFacts facts{op.axisExtent(Axis::Channel), plan.channelMultiple()};
  auto isUniformInput = [&](unsigned i) {
    return isUniformAccess(cast<RankedTensorType>(op.getInputs()[i].getType()),
                           op.inputAccess(i), facts, schedule->getVector());
  };
  auto isStored = [&](unsigned i) { return plan.isStored(op.getResult(i)); };
  FailureOr<BodyPlan> body = BodyPlan::build(op, isUniformInput, isStored);
  if (failed(body))
    return failure();
  return TaskEmitter(op, *body, facts, *schedule, module, name, plan).run();
}
