//===- TaskEmitter.cpp - The code of one fused op's tasks -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TaskEmitter.h"
#include "codegen/cpu/BodyEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

/// Tables of one task must leave room for a thread's other frames.
constexpr int64_t kMaxStackBytes = 512 * 1024;

TaskEmitter::TaskEmitter(const KernelRequest &request, const BodyPlan &body,
                         LaunchPlan &plan)
    : request(request), op(request.op), body(body), plan(plan),
      e(op->getLoc(), OpBuilder(op), request.schedule.getVector()),
      kernel(e, request.module, request.name, plan) {
  frame.tileSteps = request.schedule.getItems();
  frame.numStates = op.stateExtent();
}

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

/// A task's number is (b, vector of channels, chunk), the last fastest:
/// neighbouring tasks share cache lines, and what all channels read.
void TaskEmitter::findPlace() {
  Value task = kernel.task();
  int64_t chunks = request.schedule.getChunks();
  if (has(Axis::Batch))
    grid.push_back({mamba::Axis::Batch, 1});
  if (has(Axis::Channel))
    grid.push_back({mamba::Axis::Channel, e.width});
  if (has(Axis::Length))
    length = extent(Axis::Length);
  bool isChunked =
      body.goal() == Goal::Carries || body.goal() == Goal::ChunkResults;
  if (isChunked) {
    grid.push_back({mamba::Axis::Other, chunks});
    frame.chunk = e.rem(task, e.i64(chunks));
    task = e.div(task, chunks);
    // Whole tiles, so that only the last one of a sequence is cut.
    chunkSteps = e.mul(e.ceilDiv(e.ceilDiv(length, chunks), frame.tileSteps),
                       frame.tileSteps);
  }
  findChannels(task);
}

void TaskEmitter::findChannels(Value task) {
  frame.batch = has(Axis::Batch) ? task : e.i64(0);
  frame.channel = e.i64(0);
  frame.validLanes = e.i64(e.width);
  if (!has(Axis::Channel))
    return;
  frame.numChannels = extent(Axis::Channel);
  Value vectors = e.ceilDiv(frame.numChannels, e.width);
  if (has(Axis::Batch))
    frame.batch = e.div(task, vectors);
  frame.channel = e.mul(e.rem(task, vectors), e.width);
  if (request.facts.isMultipleOf(e.width))
    return;
  Value left = e.sub(frame.numChannels, frame.channel);
  frame.isFull = e.atLeast(left, e.width);
  frame.validLanes = e.min(left, e.i64(e.width));
}

std::unique_ptr<TensorAccess>
TaskEmitter::openTemporary(const ChunkTensors &tensors, unsigned number) {
  RecurrenceOp scan = tensors.scan;
  return std::make_unique<TensorAccess>(
      kernel, e, plan, frame, number,
      RankedTensorType::get({}, scan.getState().getType()), tensors.access,
      request.facts, Outer::Chunks);
}

void TaskEmitter::openTensors() {
  auto open = [&](Value tensor, AccessAttr access) {
    return std::make_unique<TensorAccess>(
        kernel, e, plan, frame, plan.tensorOf(tensor),
        cast<RankedTensorType>(tensor.getType()), access, request.facts);
  };
  llvm::SmallDenseSet<Value> read, written;
  for (const Phase &phase : body.phases()) {
    read.insert(phase.reads.begin(), phase.reads.end());
    for (unsigned i : phase.results)
      written.insert(op.getResult(i));
  }
  for (RecurrenceOp scan : body.recurrences())
    if (body.isReplayed(scan))
      if (BlockArgument saved = savedStates(scan, frame.tileSteps))
        read.insert(saved);
  openTotals();
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    inputs.push_back(read.contains(op.getBlock()->getArgument(i))
                         ? open(input, op.inputAccess(i))
                         : nullptr);
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    results.push_back(
        written.contains(result) ? open(result, op.resultAccess(i)) : nullptr);
  bool isJoin = body.goal() == Goal::Carries || body.goal() == Goal::Starts;
  for (const ChunkTensors &tensors : request.chunkTensors) {
    starts.push_back(openTemporary(tensors, tensors.start));
    if (!isJoin)
      continue;
    carries.push_back(openTemporary(tensors, tensors.carry));
    decays.push_back(openTemporary(tensors, tensors.decay));
  }
}

void TaskEmitter::makeTables() {
  auto make = [&](Value value, bool perState, bool perStep) {
    int64_t entries = perStep    ? frame.tileSteps
                      : perState ? frame.numStates
                                 : 1;
    return kernel.table(value.getType(), body.isUniform(value), entries);
  };
  for (const Phase &phase : body.phases()) {
    bool perStep = phase.place.stage == Stage::During;
    for (Value value : phase.kept)
      tables[value] = make(value, phase.place.perState, perStep);
    for (Operation *nested : phase.ops)
      if (isLoopSum(nested, body))
        tables[nested->getResult(0)] =
            make(nested->getResult(0), false, perStep);
  }
  for (RecurrenceOp scan : body.recurrences()) {
    bool perState = body.placeOf(scan.getState()).perState;
    states[scan] = make(scan.getState(), perState, false);
    if (body.isReplayed(scan))
      for (RecurrenceOp other : scannedWith(scan))
        replayed[other.getState()] =
            kernel.table(other.getState().getType(),
                         body.isUniform(other.getState()), frame.tileSteps);
    if (body.goal() == Goal::Carries)
      products[scan] = make(scan.getState(), perState, false);
  }
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

void TaskEmitter::emitTask() {
  for (Tensors *list :
       {&inputs, &results, &carries, &decays, &starts, &partials})
    for (auto &tensor : *list)
      if (tensor)
        tensor->beginTask();
  for (auto &input : inputs)
    if (input)
      input->fill(/*perTile=*/false);
  startStates();
  clearTotals();
  emitStage(Stage::Before);
  if (body.goal() == Goal::Starts)
    return joinChunks();
  if (body.goal() == Goal::Checkpoints)
    return emitCheckpoints();
  if (!frame.chunk) {
    if (replays())
      emitTilesFromEnd();
    else if (length)
      emitTiles(e.i64(0), length);
    storeStepSums();
    return emitEnd();
  }
  Value from = e.min(e.mul(frame.chunk, chunkSteps), length);
  Value to = e.min(e.add(from, chunkSteps), length);
  emitTiles(from, to);
  if (body.goal() == Goal::Carries)
    return storeCarries();
  storeStepSums();
  // The last chunk that has steps knows the last states; chunk 0 if none has.
  Value isLast =
      e.both(e.equals(e.sub(length, to), 0),
             e.either(e.differ(from, to),
                      e.both(e.equals(frame.chunk, 0), e.equals(length, 0))));
  e.ifThen(isLast, [&] { emitEnd(); });
}

/// Runs the steps [from, to), counted in the direction of the recurrences.
void TaskEmitter::emitTiles(Value from, Value to) {
  e.loop(from, to, frame.tileSteps, [&](Value done) {
    frame.tileLength = e.min(e.sub(to, done), e.i64(frame.tileSteps));
    // In reverse the tiles run from the end; within a tile positions ascend
    // all the same.
    frame.tileStart = body.directions().isReverse
                          ? e.sub(e.sub(length, done), frame.tileLength)
                          : done;
    emitTile();
  });
}

void TaskEmitter::emitTile() {
  for (auto &input : inputs)
    if (input)
      input->fill(/*perTile=*/true);
  emitStage(Stage::During);
  flushResults(/*perTile=*/true);
}

void TaskEmitter::flushResults(bool perTile) {
  for (Tensors *list : {&results, &partials})
    for (auto &tensor : *list)
      if (tensor)
        tensor->flush(perTile);
}

void TaskEmitter::emitEnd() {
  emitStage(Stage::After);
  flushResults(/*perTile=*/false);
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
      values[value] = read(phase, value, {nullptr, state});
  emitSteps(phase, state, values);
}

/// A loop over a tile's steps that carries numbers; `body` gives the next ones.
SmallVector<Lanes> TaskEmitter::overSteps(
    bool reverse, ArrayRef<Lanes> init,
    function_ref<SmallVector<Lanes>(Value step, ArrayRef<Lanes>)> body) {
  auto pack = [](ArrayRef<Lanes> list) {
    SmallVector<Value> words;
    for (const Lanes &lanes : list) {
      words.push_back(lanes.re);
      if (lanes.isComplex())
        words.push_back(lanes.im);
    }
    return words;
  };
  auto unpack = [&](ValueRange words) {
    SmallVector<Lanes> list;
    for (const Lanes &like : init) {
      list.push_back({words[0], like.isComplex() ? words[1] : Value()});
      words = words.drop_front(like.isComplex() ? 2 : 1);
    }
    return list;
  };
  SmallVector<Value> last =
      e.loop(e.i64(0), frame.tileLength, 1, pack(init),
             [&](Value done, ValueRange words) {
               Value step = done;
               if (reverse)
                 step = e.sub(e.sub(frame.tileLength, e.i64(1)), done);
               return pack(body(step, unpack(words)));
             });
  return unpack(last);
}

/// The loop over a tile's steps carries the states of the recurrences in
/// registers, the products of their decays where those are wanted, and sums.
void TaskEmitter::emitSteps(const Phase &phase, Value state,
                            const Values &hoisted) {
  replay(phase, state, hoisted);
  SmallVector<std::pair<Value, Table>> carried;
  for (RecurrenceOp scan : body.scansOf(phase, /*replayed=*/false)) {
    carried.push_back({scan.getState(), states[scan]});
    // During the steps, the last state's name stands for the product.
    if (body.goal() == Goal::Carries)
      carried.push_back({scan.getLast(), products[scan]});
  }
  for (TotalOp total : phase.totals)
    if (isOfSteps(total))
      carried.push_back({total.getResult(), tables[total.getResult()]});
  SmallVector<Lanes> init;
  for (auto &[_, table] : carried)
    init.push_back(kernel.load(table, stateEntry(state)));
  bool reverse = body.goal() == Goal::Checkpoints
                     ? body.directions().countsFromEnd()
                     : body.directions().isReverse;
  SmallVector<Lanes> last =
      overSteps(reverse, init, [&](Value step, ArrayRef<Lanes> before) {
        Values values = hoisted;
        for (auto [entry, lanes] : llvm::zip(carried, before))
          values[entry.first] = lanes;
        emitPoint(phase, {step, state}, values);
        return llvm::map_to_vector(carried, [&](auto &entry) {
          auto after = afterStep.find(entry.first);
          return after == afterStep.end() ? values[entry.first] : after->second;
        });
      });
  for (auto [entry, lanes] : llvm::zip(carried, last))
    kernel.store(entry.second, stateEntry(state), lanes);
}

void TaskEmitter::emitPoint(const Phase &phase, Point point, Values &values) {
  readInputs(phase, point, values);
  for (Operation &nested : op.getBlock()->without_terminator())
    if (phase.ops.contains(&nested))
      emitOp(phase, &nested, point, values);
  for (Value value : phase.kept)
    kernel.store(tables[value], entryOf(phase.place, point),
                 valueOf(value, values));
  for (RecurrenceOp scan : phase.initialStates)
    kernel.store(states[scan], stateEntry(point.state),
                 valueOf(scan.getInit(), values));
  for (TotalOp total : phase.totals)
    addToTotal(total, point, values);
  for (unsigned i : phase.results)
    storeResult(i, point,
                valueOf(op.getBlock()->getTerminator()->getOperand(i), values));
}

/// States that are saved: where a segment starts, counted along the scans.
void TaskEmitter::storeResult(unsigned i, Point point, Lanes value) {
  int64_t every = op.resultAccess(i).getEvery();
  if (every == 0)
    return results[i]->store(point, value);
  Value done = e.add(frame.tileStart, point.step);
  if (body.directions().isReverse)
    done = e.sub(e.sub(length, e.i64(1)), done);
  e.ifThen(e.equals(e.rem(done, e.i64(every)), 0), [&] {
    frame.segment = e.div(done, every);
    results[i]->store(point, value);
    frame.segment = nullptr;
  });
}

void TaskEmitter::emitOp(const Phase &phase, Operation *nested, Point point,
                         Values &values) {
  if (auto scan = dyn_cast<RecurrenceOp>(nested))
    return emitRecurrence(scan, point, values);
  SmallVector<Lanes> operands;
  for (Value operand : nested->getOperands())
    operands.push_back(valueOf(operand, values));
  if (isLoopSum(nested, body)) {
    const Table &sums = tables[nested->getResult(0)];
    Place home = phase.place;
    home.perState = false;
    Value entry = entryOf(home, point);
    return kernel.store(sums, entry,
                        e.sum(kernel.load(sums, entry), operands[0]));
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

/// The first recurrence of a scan computes what all of it are the states of.
void TaskEmitter::emitRecurrence(RecurrenceOp scan, Point point,
                                 Values &values) {
  if (body.isReplayed(scan)) {
    values[scan.getState()] =
        kernel.load(replayed[scan.getState()], point.step);
    return;
  }
  RecurrenceOp first = scanOf(scan);
  if (scan == first) {
    Lanes a = valueOf(scan.getA(), values), b = valueOf(scan.getB(), values);
    Lanes h = values[scan.getState()];
    beforeStep[scan.getState()] = h;
    afterStep[scan.getState()] = e.multiplyAdd(a, h, b);
    if (body.goal() == Goal::Carries) {
      Lanes zero = e.zero(scan.getState().getType(), /*uniform=*/true);
      values[scan.getLast()] = e.multiplyAdd(a, values[scan.getLast()], zero);
    }
  }
  values[scan.getState()] =
      (scan.getExclusive() ? beforeStep : afterStep)[first.getState()];
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

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

Value TaskEmitter::stateEntry(Value state) { return state ? state : e.i64(0); }

bool TaskEmitter::isPerState(RecurrenceOp scan) const {
  return body.placeOf(scan.getState()).perState;
}

void TaskEmitter::forEachState(bool perState, function_ref<void(Value)> body) {
  if (!perState)
    return body(nullptr);
  e.loop(e.i64(0), e.i64(frame.numStates), 1, body);
}

/// Where a task starts from what it does not compute itself: zero, or the
/// states that the second kernel found for its chunk.
void TaskEmitter::startStates() {
  Goal goal = body.goal();
  for (size_t i = 0; i < body.recurrences().size(); ++i) {
    RecurrenceOp scan = body.recurrences()[i];
    bool isGiven = goal == Goal::Results || goal == Goal::Starts;
    if (isGiven && scan.getInit())
      continue;
    Type type = scan.getState().getType();
    Lanes zero = e.zero(type, /*uniform=*/true);
    Lanes one = e.one(type);
    forEachState(isPerState(scan), [&](Value state) {
      bool isLoaded = goal == Goal::ChunkResults;
      kernel.store(states[scan], stateEntry(state),
                   isLoaded ? starts[i]->load({nullptr, state}) : zero);
      if (goal == Goal::Carries)
        kernel.store(products[scan], stateEntry(state), one);
    });
  }
}

void TaskEmitter::storeCarries() {
  for (size_t i = 0; i < body.recurrences().size(); ++i) {
    RecurrenceOp scan = body.recurrences()[i];
    forEachState(isPerState(scan), [&](Value state) {
      Value entry = stateEntry(state);
      carries[i]->store({nullptr, state}, kernel.load(states[scan], entry));
      decays[i]->store({nullptr, state}, kernel.load(products[scan], entry));
    });
  }
}

/// h = decay h + carry, chunk by chunk.
void TaskEmitter::joinChunks() {
  for (size_t i = 0; i < body.recurrences().size(); ++i) {
    RecurrenceOp scan = body.recurrences()[i];
    forEachState(isPerState(scan), [&](Value state) {
      Value entry = stateEntry(state);
      e.loop(e.i64(0), e.i64(request.schedule.getChunks()), 1,
             [&](Value chunk) {
               frame.chunk = chunk;
               Point point{nullptr, state};
               Lanes h = kernel.load(states[scan], entry);
               starts[i]->store(point, h);
               Lanes next = e.multiplyAdd(decays[i]->load(point), h,
                                          carries[i]->load(point));
               kernel.store(states[scan], entry, next);
             });
    });
  }
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value TaskEmitter::entryOf(Place place, Point point) {
  if (place.stage == Stage::During)
    return point.step;
  return place.perState ? point.state : e.i64(0);
}

/// Reads what the phase needs from elsewhere, unless it is known.
void TaskEmitter::readInputs(const Phase &phase, Point point, Values &values) {
  for (Value value : phase.reads)
    if (!values.contains(value))
      values[value] = read(phase, value, point);
}

/// A value of another phase, or an input.
Lanes TaskEmitter::read(const Phase &phase, Value value, Point point) {
  auto argument = dyn_cast<BlockArgument>(value);
  bool isHome = phase.place == body.placeOf(value);
  if (argument && (isHome || !tables.contains(value)))
    return inputs[argument.getArgNumber()]->load(point);
  Value entry = entryOf(body.placeOf(value), point);
  if (auto scan = value.getDefiningOp<RecurrenceOp>();
      scan && value == scan.getLast())
    return kernel.load(states[scanOf(scan)], entry);
  return kernel.load(tables[value], entry);
}

Lanes TaskEmitter::valueOf(Value value, const Values &values) const {
  auto found = values.find(value);
  return found != values.end() ? found->second : once.at(value);
}
