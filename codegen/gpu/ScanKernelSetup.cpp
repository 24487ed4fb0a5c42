//===- ScanKernelSetup.cpp - Before a kernel's tiles ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "codegen/gpu/BodyEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "passes/DefaultSchedule.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------===//
// Frame
//===----------------------------------------------------------------------===//

/// Another kernel writes the totals.
static bool isTotal(FusedOp op, unsigned result) {
  Value value = op.getBlock()->getTerminator()->getOperand(result);
  return value.getDefiningOp<TotalOp>() != nullptr;
}

/// Numbers of the tensors that the kernel of `op` reads and writes.
static SmallVector<unsigned>
kernelTensors(const LaunchPlan &plan, FusedOp op, KernelPart part,
              const ScanKernel::Temporaries &temporaries) {
  llvm::SetVector<unsigned> tensors;
  for (Value input : op.getInputs())
    tensors.insert(plan.tensorOf(input));
  if (!isAhead(part))
    for (OpResult result : op->getResults())
      if (!result.use_empty() && !isTotal(op, result.getResultNumber()))
        tensors.insert(plan.tensorOf(result));
  for (const PartialSums &total : temporaries.totals)
    tensors.insert(total.tensor);
  tensors.insert_range(temporaries.checkpoints);
  for (const ChunkTensors &chunk : temporaries.chunks) {
    tensors.insert(chunk.decay);
    tensors.insert(chunk.carry);
  }
  if (part == KernelPart::Handoff) {
    tensors.insert(temporaries.handoff.ticket);
    tensors.insert(temporaries.handoff.progress);
    tensors.insert_range(temporaries.handoff.states);
  }
  return tensors.takeVector();
}

ScanKernel::ScanKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
                       LaunchPlan &plan, const BodyAnalysis &body,
                       ScheduleAttr schedule, KernelPart part,
                       const Temporaries &temporaries)
    : e(e), plan(plan), body(body), fused(body.op()), schedule(schedule),
      part(part), chunks(temporaries.chunks), handoff(temporaries.handoff),
      checkpoints(temporaries.checkpoints),
      kernel(e, module, name, plan,
             kernelTensors(plan, fused, part, temporaries), schedule.threads()),
      laneOrder(LaneOrder::choose(plan, fused, schedule)), at(place()),
      atStates(placeInLoops()), operands(e, kernel, plan, fused, at),
      levels(e, kernel, memory, at, schedule, schedule.getLanes(),
             laneOrder.segmentStride()),
      stateLevels(e, kernel, memory, atStates, schedule,
                  splits() ? 1 : schedule.getLanes(),
                  laneOrder.segmentStride()) {
  for (RecurrenceOp op : body.scans())
    if (isScanned(op))
      recurrenceOps.push_back(op);
  for (const PartialSums &sums : temporaries.totals)
    totals.push_back({sums, sums.has(Axis::State)});
  if (schedule.getMinBlocks() > 0)
    kernel.function()->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                               e.getI32IntegerAttr(schedule.getMinBlocks()));
}

void ScanKernel::build() {
  channels.resize(schedule.getChannels());
  for (auto [i, argument] : llvm::enumerate(fused.getBlock()->getArguments()))
    if (body.home(argument) == Home::Staged)
      stagedBases[argument] = operands.inputBase(i, at.firstChannel);
    else
      eachChannel([&, argument = argument] { baseOf(argument); });
  operands.keepPlace(asksAtOnce());
  eachChannel([&] { emitInvariants(); });
  allocateTables();
  allocateStaged();
  allocateRows();
  allocateTotals();
  clearTotals();
  allocateWeights();
  clearWeighted();
  FirstTile first;
  if (asksBeforeTables())
    first = requestFirstTile();
  if (isHandoff())
    waitForChunk();
  fillTables();
  operands.keepPlace(false);
  if (isRelay())
    prepareBatons();
  if (!asksBeforeTables())
    first = requestFirstTile();
  if (part == KernelPart::Checkpoints)
    e.ifThen(e.conjunction(e.equals(at.chunk, 0),
                           e.lessThan(e.i64(0), kernel.length())),
             [&] { storeCheckpoints(e.i64(0)); });
  emitTiles(first);
  blockBarrier();
  if (isWeighted()) {
    // Over what fillTables() wrote to the carries.
    joinWeighted();
    blockBarrier();
  }
  if (isCarries())
    storeChunkCarries();
  else if (!isAhead())
    storeLast();
  if (isHandoff())
    handStatesOn();
  storeTotals();
  SmallVector<mamba::GridTerm> grid = {
      {mamba::Axis::Channel, schedule.tileChannels()}, {mamba::Axis::Batch, 1}};
  if (isChunked())
    grid.push_back({mamba::Axis::Other, numBlocks()});
  kernel.finish(plan, grid, memory);
}

/// A relay has a multiprocessor to itself: nothing else would work while it
/// fills its tables. A single step takes little more time than its loads, which
/// should be under way together. Others have no registers to spare.
bool ScanKernel::asksBeforeTables() { return isRelay() || asksAtOnce(); }

/// A block of one warp needs no more than the warp's barrier.
void ScanKernel::blockBarrier() {
  if (schedule.threads() > 32)
    e.barrier();
  else
    e.warpBarrier();
}

/// All threads that share a tile.
void ScanKernel::teamBarrier() {
  if (isRelay())
    e.warpBarrier();
  else
    blockBarrier();
}

void ScanKernel::eachChannel(function_ref<void()> body) {
  unsigned outer = channel;
  for (channel = 0; channel < channels.size(); ++channel)
    body();
  channel = outer;
}

/// Where the elements of an input lie for the current channel; for the block,
/// where it is staged.
Value ScanKernel::baseOf(BlockArgument argument) {
  if (body.home(argument) == Home::Staged)
    return stagedBases.at(argument);
  Value &base = channels[channel].bases[argument];
  if (!base)
    base =
        operands.inputBase(argument.getArgNumber(), at.channels[channel].index);
  return base;
}

const ScanLevels &ScanKernel::levelsOf(RecurrenceOp op) const {
  bool isInLoop = body.dependence().dependsOn(op.getState(), Axis::State);
  return isInLoop ? stateLevels : levels;
}

unsigned ScanKernel::indexOf(RecurrenceOp op) const {
  return llvm::find(recurrenceOps, scanOf(op)) - recurrenceOps.begin();
}

//===----------------------------------------------------------------------===//
// Place
//===----------------------------------------------------------------------===//

static Value idAs(Emit &e, Type type, Value id) {
  return arith::IndexCastOp::create(e, type, id);
}

/// Blocks run over channel tiles first, so that neighbours share the operands
/// that have no channel, then over sequences, then over chunks: those that hand
/// states on in their order, others with the last ones first, which may be
/// longest.
Place ScanKernel::place() {
  Place p;
  p.thread =
      idAs(e, e.getI32Type(), gpu::ThreadIdOp::create(e, gpu::Dimension::x));
  Value block = isHandoff()
                    ? takeTicket(p.thread)
                    : idAs(e, e.getI64Type(),
                           gpu::BlockIdOp::create(e, gpu::Dimension::x));
  Value tiles = e.ceilDiv(kernel.channels(), schedule.tileChannels());
  Value tile = e.rem(block, tiles);
  Value rest = e.div(block, tiles);
  p.chunk = e.i64(0);
  p.batch = rest;
  if (isChunked()) {
    Value blocks =
        idAs(e, e.getI64Type(), gpu::GridDimOp::create(e, gpu::Dimension::x));
    Value sequences = e.div(e.div(blocks, numBlocks()), tiles);
    p.chunk = e.div(rest, sequences);
    p.batch = e.rem(rest, sequences);
    if (part == KernelPart::ChunkMain || part == KernelPart::Checkpoints)
      p.chunk = e.sub(e.i64(numBlocks() - 1), p.chunk);
  }
  Value lane = e.rem(p.thread, 32), warp = e.div(p.thread, 32);
  int64_t lanes = schedule.getLanes(), warps = schedule.scanWarps();
  p.team = e.i32(0);
  p.teamThread = p.thread;
  if (isRelay()) {
    p.team = warp;
    p.teamThread = lane;
    warp = e.i32(0);
  }
  p.laneSegment = laneOrder.segment(e, lane);
  p.laneChannel = laneOrder.channel(e, lane);
  p.warpSegment = e.rem(warp, warps);
  p.segment = e.add(e.mul(p.warpSegment, lanes), p.laneSegment);
  p.firstChannel = e.mul(tile, schedule.tileChannels());
  placeChannels(p, p.laneChannel, e.div(warp, warps));
  return p;
}

Place ScanKernel::placeInLoops() {
  Place place = at;
  if (splits())
    place.segment = place.laneSegment = e.i32(0);
  return place;
}

/// The channel `index` (i64), or where it is the first of `count` that do not
/// exist, of the last ones that do.
Value ScanKernel::existingChannel(Value index, int64_t count) {
  return allChannelsExist()
             ? index
             : e.min(index, e.sub(kernel.channels(), e.i64(count)));
}

/// Threads without a channel read the last one's, and write nothing. Where the
/// channels of a thread all exist or none does, their distance stays known;
/// where those of all blocks do, no one asks.
void ScanKernel::placeChannels(Place &p, Value laneChannel, Value warp) {
  int64_t count = schedule.getChannels();
  Value first =
      e.add(e.mul(warp, schedule.warpChannels()), e.mul(laneChannel, count));
  bool isWhole = plan.channelMultiple() % count == 0;
  Value start = e.add(p.firstChannel, e.toI64(first));
  Value lastStart = e.sub(kernel.channels(), e.i64(isWhole ? count : 1));
  for (int64_t c = 0; c < count; ++c) {
    Place::Channel own;
    own.row = e.add(first, c);
    Value index = e.add(start, c);
    if (allChannelsExist()) {
      own.valid = e.always();
      own.index = index;
    } else {
      own.valid = e.lessThan(index, kernel.channels());
      own.index =
          isWhole ? e.add(e.min(start, lastStart), c) : e.min(index, lastStart);
    }
    p.channels.push_back(own);
  }
}

//===----------------------------------------------------------------------===//
// Invariants
//===----------------------------------------------------------------------===//

void ScanKernel::emitInvariants() {
  for (BlockArgument argument : fused.getBlock()->getArguments())
    if (body.home(argument) == Home::Invariant)
      invariant(argument);
  for (Operation &op : fused.getBlock()->without_terminator())
    if (!isa<RecurrenceOp>(op) && body.home(op.getResult(0)) == Home::Invariant)
      invariant(op.getResult(0));
}

/// A value with neither l nor n, of the current channel; emitted once.
Number ScanKernel::invariant(Value value) {
  auto &known = channels[channel].invariants;
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Number number;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    number = operands.load(argument.getArgNumber(), baseOf(argument), nullptr,
                           nullptr, {})[0];
  } else if (auto sum = value.getDefiningOp<SumOp>()) {
    number = sumOfTable(sum);
  } else {
    SmallVector<Number> inputs;
    for (Value operand : value.getDefiningOp()->getOperands())
      inputs.push_back(invariant(operand));
    number = emitBodyOp(e, *value.getDefiningOp(), inputs);
  }
  return channels[channel].invariants[value] = number;
}

/// Emits what the loop over n reads and code behind it may read, too.
void ScanKernel::prepareTable(Value value, DenseSet<Value> &prepared) {
  if (!prepared.insert(value).second)
    return;
  if (body.home(value) == Home::Invariant) {
    invariant(value);
  } else if (auto argument = dyn_cast<BlockArgument>(value)) {
    baseOf(argument);
  } else {
    for (Value operand : value.getDefiningOp()->getOperands())
      prepareTable(operand, prepared);
  }
}

/// A sum over n of what has no l.
Number ScanKernel::sumOfTable(SumOp sum) {
  DenseSet<Value> prepared;
  prepareTable(sum.getValue(), prepared);
  SmallVector<Value> init(e.zero(sum.getType()).words());
  SmallVector<Value> words =
      e.loop(e.i32(0), e.i32(fused.stateExtent()), 1, init,
             [&](Value n, ValueRange carried) -> SmallVector<Value> {
               Number term = evaluateTable(sum.getValue(), {n, 1}).front();
               SmallVector<Value> own(carried);
               ArrayRef<Value> rest(own);
               return e.addf(takeNumber(rest, term.isComplex()), term).words();
             });
  ArrayRef<Value> rest(words);
  return takeNumber(rest, isComplexValue(sum));
}
