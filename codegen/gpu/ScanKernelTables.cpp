//===- ScanKernelTables.cpp - Numbers of channels and states --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What has n and no l lies in shared memory: invariants of the recurrences, and
// the states that tiles hand on. The block fills and empties these tables
// together: a thread takes neighbouring states, the next thread the next ones,
// so that memory is read and written in whole lines whoever computes with them.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/BodyEmitter.h"
#include "codegen/gpu/ScanKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/DefaultSchedule.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

int64_t ScanKernel::rowWords() {
  return tableRowWords(fused.stateExtent(), schedule.getChannels(),
                       schedule.getUnroll());
}

ScanKernel::Table ScanKernel::allocateTable(Type type, bool perState) {
  int64_t floats = schedule.tileChannels() * (perState ? rowWords() : 1);
  Table table;
  table.perState = perState;
  table.re = memory.allocate(floats);
  if (isa<ComplexType>(type))
    table.im = memory.allocate(floats);
  return table;
}

/// Kernels that compute what tiles hand on skip what only results need.
bool ScanKernel::isNeeded(Value value) const {
  if (isForReplay(part))
    return body.feedsReplayed(value);
  return !isCarries() || body.feedsOther(value);
}

void ScanKernel::allocateTables() {
  for (Value value : body.tables())
    if (isNeeded(value))
      tables[value] = allocateTable(value.getType(), /*perState=*/true);
  for (RecurrenceOp op : recurrenceOps) {
    bool perState = body.dependence().dependsOn(op.getState(), Axis::State);
    carries.push_back(allocateTable(op.getA().getType(), perState));
    if (isCarries())
      decays.push_back(allocateTable(op.getA().getType(), perState));
  }
}

Value ScanKernel::tableIndex(const Table &table, Value state) {
  if (!table.perState)
    return at.channels[channel].row;
  return e.add(e.mul(at.channels[channel].row, rowWords()), state);
}

Number ScanKernel::readTable(const Table &table, Value state) {
  Value index = tableIndex(table, state);
  auto word = [&](int64_t offset) {
    return e.loadShared(kernel.shared(offset), index);
  };
  return {word(table.re), table.im >= 0 ? word(table.im) : Value()};
}

ScanKernel::Steps ScanKernel::readTable(const Table &table, StateRun run) {
  Steps numbers;
  for (int64_t k = 0; k < run.count; ++k)
    numbers.push_back(
        readTable(table, run.first ? e.add(run.first, k) : Value()));
  return numbers;
}

void ScanKernel::writeTable(const Table &table, Value state, Number number) {
  Value index = tableIndex(table, state);
  auto word = [&](int64_t offset, Value value) {
    e.store(value, e.offset(kernel.shared(offset), index, e.getF32Type()), 4);
  };
  word(table.re, number.re);
  if (number.isComplex())
    word(table.im, number.im);
}

void ScanKernel::writeTable(const Table &table, StateRun run,
                            ArrayRef<Number> numbers) {
  for (auto [k, number] : llvm::enumerate(numbers))
    writeTable(table,
               run.first ? e.add(run.first, static_cast<int64_t>(k)) : Value(),
               number);
}

//===----------------------------------------------------------------------===//
// Who does which states
//===----------------------------------------------------------------------===//

/// Emits `body` for a channel of the block's tile that need not be the
/// thread's: the current one, as long as `body` runs.
void ScanKernel::withChannel(Value row, function_ref<void()> body) {
  Value index = e.add(at.firstChannel, e.toI64(row));
  Value isValid =
      allChannelsExist() ? e.always() : e.lessThan(index, kernel.channels());
  at.channels.push_back({row, existingChannel(index, 1), isValid});
  unsigned outer = channel;
  channel = channels.size();
  channels.emplace_back();
  body();
  channels.pop_back();
  at.channels.pop_back();
  channel = outer;
}

/// True where memory has neighbouring channels side by side in most inputs with
/// n and without l.
bool ScanKernel::isChannelMajor() {
  int votes = 0;
  for (BlockArgument argument : fused.getBlock()->getArguments())
    if (body.home(argument) == Home::Table)
      if (std::optional<Axis> unit = operands.unitAxis(argument.getArgNumber()))
        votes += *unit == Axis::Channel ? 1 : -1;
  return votes > 0;
}

/// Visits the items of `count` that are those of `thread`, one of `threads`:
/// i32, the last item where there is none, and i1, whether there is one; null:
/// always.
void ScanKernel::eachItem(Value thread, int64_t threads, int64_t count,
                          function_ref<void(Value, Value)> visit) {
  for (int64_t first = 0; first < count; first += threads) {
    Value item = e.add(thread, first);
    if (first + threads <= count) {
      visit(item, nullptr);
      continue;
    }
    Value exists = e.lessThan(item, e.i32(count));
    visit(e.min(item, e.i32(count - 1)), exists);
  }
}

/// States that threads take together.
int64_t ScanKernel::runWidth() {
  constexpr int64_t kWidest = 4;
  int64_t states = fused.stateExtent();
  return std::min(kWidest, states & -states);
}

/// Run number `item` + `more` of the block's channels and states.
ScanKernel::OwnRun ScanKernel::runAt(Value item, int64_t more) {
  bool isChannelFirst = isChannelMajor();
  int64_t width = runWidth();
  int64_t inner =
      isChannelFirst ? schedule.tileChannels() : fused.stateExtent() / width;
  Value outer;
  // As a sum, so that LLVM sees what the addresses of several runs share. Where
  // a step is most of a kernel's time; others were timed as they are.
  if (asksAtOnce() && more % inner == 0) {
    outer = e.add(e.div(item, inner), more / inner);
  } else {
    item = e.add(item, more);
    outer = e.div(item, inner);
  }
  Value rest = e.rem(item, inner);
  return {isChannelFirst ? rest : outer,
          {e.mul(isChannelFirst ? outer : rest, width), width}};
}

int64_t ScanKernel::numRuns() {
  return schedule.tileChannels() * (fused.stateExtent() / runWidth());
}

/// Runs of a thread that are emitted one by one, not in a loop.
static constexpr int64_t kUnrolled = 4;

/// Emits `body` for each run of states that this thread does; the current
/// channel is the run's. Few runs are emitted one by one, so that their loads
/// are under way together.
void ScanKernel::eachOwnStates(function_ref<void(StateRun)> body) {
  int64_t runs = numRuns(), threads = schedule.threads();
  auto emit = [&](Value item, int64_t more) {
    OwnRun own = runAt(item, more);
    withChannel(own.row, [&] { body(own.states); });
  };
  if (runs > kUnrolled * threads)
    return e.loop(at.thread, e.i32(runs), threads,
                  [&](Value item) { emit(item, 0); });
  for (int64_t first = 0; first < runs; first += threads) {
    if (first + threads <= runs)
      emit(at.thread, first);
    else
      e.ifThen(e.lessThan(e.add(at.thread, first), e.i32(runs)),
               [&] { emit(at.thread, first); });
  }
}

//===----------------------------------------------------------------------===//
// Before the tiles
//===----------------------------------------------------------------------===//

/// A run of a value without l, straight from memory.
ScanKernel::Steps ScanKernel::evaluateTable(Value value, StateRun run) {
  llvm::DenseMap<Value, Steps> known;
  return evaluateTable(value, run, known);
}

ScanKernel::Steps
ScanKernel::evaluateTable(Value value, StateRun run,
                          llvm::DenseMap<Value, Steps> &known) {
  Value state = run.first ? e.toI64(run.first) : Value();
  return evaluateRun({nullptr, nullptr, state, {Axis::State, run.count}}, value,
                     known);
}

/// Where what lies before a chunk is found for recurrence `i`; null for one
/// that starts elsewhere.
const ChunkTensors *ScanKernel::chunkOf(unsigned i) const {
  bool isMain = part == KernelPart::ChunkMain;
  if (!isMain && !(part == KernelPart::Checkpoints && isChunked()))
    return nullptr;
  auto isStarted = [&](RecurrenceOp op) {
    return !isMain || !body.isReplayed(op);
  };
  if (!isStarted(recurrenceOps[i]))
    return nullptr;
  return &chunks[llvm::count_if(ArrayRef(recurrenceOps).take_front(i),
                                isStarted)];
}

/// The states before this block's first step: `init`, or zero; behind it, the
/// chunks before this one.
ScanKernel::Steps ScanKernel::initialCarries(unsigned i, const Steps &init,
                                             StateRun run) {
  if (isHandoff())
    return handedStates(i, init, run);
  const ChunkTensors *before = chunkOf(i);
  if (!before)
    return init;
  Value segment = e.mul(at.chunk, schedule.getCarryParts());
  Steps decays = readTemporary(before->decay, segment, i, run);
  Steps numbers = readTemporary(before->carry, segment, i, run);
  for (auto [number, decay, start] : llvm::zip(numbers, decays, init))
    number = e.fma(decay, start, number);
  return numbers;
}

void ScanKernel::fillScalarCarries() {
  for (auto [i, op] : llvm::enumerate(recurrenceOps)) {
    if (carries[i].perState)
      continue;
    Type type = op.getA().getType();
    Number init =
        op.getInit() && !isCarries() ? invariant(op.getInit()) : e.zero(type);
    StateRun none;
    writeTable(carries[i], none, initialCarries(i, {init}, none));
    if (isCarries())
      writeTable(decays[i], nullptr, e.one(type));
  }
}

void ScanKernel::fillTables() {
  e.ifThen(isFirstOfChannel(),
           [&] { eachChannel([&] { fillScalarCarries(); }); });
  bool hasStates =
      llvm::any_of(carries, [](const Table &table) { return table.perState; });
  if (hasStates || !tables.empty())
    fillStates();
}

/// Every thread has the same few runs, and registers for all numbers of its
/// tables (as many as the S6 layer's with 16 states, the most that were timed).
bool ScanKernel::holdsTables() {
  constexpr int64_t kMostWords = 32;
  int64_t runs = numRuns(), threads = schedule.threads();
  int64_t words = 0;
  for (Value value : body.tables())
    words += tables.contains(value) ? (isComplexValue(value) ? 2 : 1) : 0;
  for (const Table &table : carries)
    words += table.perState ? (table.im >= 0 ? 2 : 1) : 0;
  return runs % threads == 0 && runs <= kUnrolled * threads &&
         runs / threads * runWidth() * words <= kMostWords;
}

void ScanKernel::fillStates() {
  if (!asksAtOnce() || !holdsTables())
    return eachOwnStates([&](StateRun run) {
      fillStates(run, [&](const Table &table, ArrayRef<Number> numbers) {
        writeTable(table, run, numbers);
      });
    });
  // All are asked for before one is waited for: the barrier keeps ptxas from
  // moving stores up and loads down.
  SmallVector<std::function<void()>> writes;
  eachOwnStates([&](StateRun run) {
    Value row = at.channels[channel].row;
    fillStates(run, [&](const Table &table, ArrayRef<Number> numbers) {
      writes.push_back([this, row, run, &table, numbers = Steps(numbers)] {
        withChannel(row, [&] { writeTable(table, run, numbers); });
      });
    });
  });
  e.warpBarrier();
  for (const std::function<void()> &write : writes)
    write();
}

/// What the run's part of the current channel's rows is filled with.
void ScanKernel::fillStates(
    StateRun run, function_ref<void(const Table &, ArrayRef<Number>)> write) {
  llvm::DenseMap<Value, Steps> known;
  for (Value value : body.tables())
    if (tables.contains(value)) {
      Steps numbers = evaluateTable(value, run, known);
      makeFinite(value, numbers);
      write(tables[value], numbers);
    }
  for (auto [i, op] : llvm::enumerate(recurrenceOps)) {
    if (!carries[i].perState)
      continue;
    Type type = op.getA().getType();
    Steps init(run.count, e.zero(type));
    if (op.getInit() && !isCarries())
      init = evaluateTable(op.getInit(), run, known);
    write(carries[i], initialCarries(i, init, run));
    if (isCarries())
      write(decays[i], Steps(run.count, e.one(type)));
  }
}

//===----------------------------------------------------------------------===//
// Temporaries
//===----------------------------------------------------------------------===//

/// The address of the current channel's number in a temporary (b[, chunk], d[,
/// n]); chunks are blocks of a sequence, or tiles of it.
Value ScanKernel::temporaryAddress(unsigned tensor, Value chunk, Value state,
                                   bool isComplex) {
  unsigned dim = 0;
  Value offset = e.mul(at.batch, kernel.stride(tensor, dim++));
  if (plan.tensor(tensor).dims[dim].axis != mamba::Axis::Channel)
    offset = e.add(offset, e.mul(chunk, kernel.stride(tensor, dim++)));
  offset = e.add(offset,
                 e.mul(at.channels[channel].index, kernel.stride(tensor, dim)));
  if (state)
    offset = e.add(offset, e.toI64(state));
  return e.offset(kernel.pointer(tensor), e.mul(offset, isComplex ? 2 : 1),
                  e.getF32Type());
}

/// Numbers of recurrence `i` in a temporary.
ScanKernel::Steps ScanKernel::readTemporary(unsigned tensor, Value chunk,
                                            unsigned i, StateRun run) {
  bool isComplex = isComplexValue(recurrenceOps[i].getA());
  return e.loadNumbers(temporaryAddress(tensor, chunk, run.first, isComplex),
                       run.count, isComplex);
}

void ScanKernel::writeTemporary(unsigned tensor, Value chunk, StateRun run,
                                ArrayRef<Number> numbers) {
  e.storeNumbers(numbers, temporaryAddress(tensor, chunk, run.first,
                                           numbers.front().isComplex()));
}

/// Emits `body` for each recurrence and each run of its states that this thread
/// does; a recurrence without states has one number.
void ScanKernel::eachOwnCarry(function_ref<void(unsigned, StateRun)> body) {
  auto visit = [&](StateRun run) {
    e.ifThen(at.channels[channel].valid, [&] {
      for (unsigned i = 0; i < carries.size(); ++i)
        if (carries[i].perState == (run.first != nullptr))
          body(i, run);
    });
  };
  auto hasStates = [](const Table &table) { return table.perState; };
  if (!llvm::all_of(carries, hasStates))
    e.ifThen(isFirstOfChannel(), [&] { eachChannel([&] { visit({}); }); });
  if (llvm::any_of(carries, hasStates))
    eachOwnStates(visit);
}

/// Writes the segment that this block's tiles are to each recurrence.
void ScanKernel::storeChunkCarries() {
  eachOwnCarry([&](unsigned i, StateRun run) {
    writeTemporary(chunks[i].decay, at.chunk, run, readTable(decays[i], run));
    writeTemporary(chunks[i].carry, at.chunk, run, readTable(carries[i], run));
  });
}
