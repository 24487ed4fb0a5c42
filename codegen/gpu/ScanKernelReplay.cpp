//===- ScanKernelReplay.cpp - Recurrences in both directions --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where recurrences of one direction read those of the other, these run twice.
// A first kernel scans them alone and keeps their states at the start of each
// tile, unless another function saved these. The second one walks the tiles
// from the last to the first:
//
//   for each tile, from the end
//     checkpoint -> carries of the replayed
//     replay them within the tile, in each loop over n that reads them; scan
//     the others from its far end
//
// Positions count along the replayed ones, so that a sequence ends within the
// last tile, whose missing steps come first in the order of the others: they
// are skipped there, as a = 1 and b = 0.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

using namespace mlir;
using namespace mlir::ssm;

/// The temporary of a replayed scan.
unsigned ScanKernel::checkpointOf(RecurrenceOp op) const {
  unsigned number = 0;
  for (RecurrenceOp other : body.scans()) {
    if (other == op)
      break;
    number += hasCheckpoints(other);
  }
  return checkpoints[number];
}

/// Writes the carries as the states at the start of tile `tile`.
void ScanKernel::storeCheckpoints(Value tile) {
  eachOwnCarry([&](unsigned i, StateRun run) {
    writeTemporary(checkpointOf(recurrenceOps[i]), tile, run,
                   readTable(carries[i], run));
  });
}

/// The states of replayed recurrence `i` at the start of the tile: as another
/// function saved them, or from the first kernel.
ScanKernel::Steps ScanKernel::stateBefore(Tile &tile, unsigned i,
                                          StateRun run) {
  RecurrenceOp op = recurrenceOps[i];
  BlockArgument saved = savedStates(op, schedule.tileSteps());
  if (!saved)
    return readTemporary(checkpointOf(op), tile.number, i, run);
  int64_t every = fused.inputAccess(saved.getArgNumber()).getEvery();
  Value segment = e.mul(tile.number, schedule.tileSteps() / every);
  return loadSteps(nullptr, saved, segment,
                   run.first ? e.toI64(run.first) : Value(),
                   {Axis::State, run.count});
}

/// Asks for the states that a tile is replayed from, where a thread has few: it
/// holds them while it ends the tile before.
SmallVector<Value> ScanKernel::requestCheckpoints(Tile &tile) {
  constexpr int64_t kMostRuns = 2;
  int64_t runs = numRuns(), threads = schedule.threads();
  SmallVector<Value> words;
  if (!isReplaying() || runs > kMostRuns * threads)
    return words;
  eachItem(at.thread, threads, runs, [&](Value item, Value) {
    OwnRun own = runAt(item);
    withChannel(own.row, [&] {
      for (auto [i, op] : llvm::enumerate(recurrenceOps))
        if (carries[i].perState && body.isReplayed(op))
          words.append(wordsOf(stateBefore(tile, i, own.states)));
    });
  });
  return words;
}

/// Fills the carries of what is replayed.
void ScanKernel::loadCheckpoints(Tile &tile) {
  ArrayRef<Value> asked(tile.checkpoints);
  eachOwnCarry([&](unsigned i, StateRun run) {
    RecurrenceOp op = recurrenceOps[i];
    if (!body.isReplayed(op))
      return;
    bool isAsked = run.first && !tile.checkpoints.empty();
    writeTable(carries[i], run,
               isAsked
                   ? takeNumbers(asked, run.count, isComplexValue(op.getA()))
                   : stateBefore(tile, i, run));
  });
}

/// Puts the thread's steps in the order of the scan.
void ScanKernel::orderScan(Tile &tile, RecurrenceOp op, LocalScan &scan) {
  if (!isMirrored(op))
    return;
  if (meetsEnd() && !hasWholeRuns()) {
    Type type = op.getA().getType();
    for (size_t k = 0; k < scan.a.size(); ++k) {
      scan.a[k] = orElse(tile, scan.a[k], k, e.one(type));
      scan.b[k] = orElse(tile, scan.b[k], k, e.zero(type));
    }
    // It is that of all steps.
    scan.decay.reset();
  }
  std::reverse(scan.a.begin(), scan.a.end());
  std::reverse(scan.b.begin(), scan.b.end());
}

/// Takes the segments of threads without steps out of a mirrored scan.
void ScanKernel::skipMissing(Tile &tile, RecurrenceOp op,
                             MutableArrayRef<LocalScan> scans) {
  if (!isMirrored(op) || !hasWholeRuns())
    return;
  for (LocalScan &scan : scans)
    if (scan.own) {
      Segment none = levels.identityLike(*scan.own);
      scan.own = {e.select(tile.inside, scan.own->decay, none.decay),
                  e.select(tile.inside, scan.own->carry, none.carry)};
    }
}

/// Keeps the states of a scan for all recurrences that it is the scan of.
void ScanKernel::takeStates(RecurrenceOp leader, const LocalScan &scan,
                            llvm::DenseMap<Value, Steps> &values) {
  for (RecurrenceOp op : scannedWith(leader)) {
    Steps states = op.getExclusive() ? scan.statesBefore() : scan.states;
    if (isMirrored(op))
      std::reverse(states.begin(), states.end());
    values[op.getState()] = std::move(states);
  }
  if (!scan.addsFirst)
    return;
  Steps entered = scan.entered;
  if (isMirrored(leader))
    std::reverse(entered.begin(), entered.end());
  values[findEntered(leader)->sum] = std::move(entered);
}
