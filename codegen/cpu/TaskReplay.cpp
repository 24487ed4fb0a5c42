//===- TaskReplay.cpp - Recurrences in both directions --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where recurrences of one direction read those of the other, these run twice.
// A first kernel scans them alone and keeps their states at the start of each
// tile (Goal::Checkpoints). The second one walks the tiles from the last to the
// first; each loop over n that reads them replays a state from there, keeps the
// states of the tile's steps in a table, and then walks the steps as others do.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TaskEmitter.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

/// Tile `number`, counted along what is replayed.
void TaskEmitter::findTile(Value number) {
  Value done = e.mul(number, frame.tileSteps);
  frame.chunk = number;
  frame.tileLength = e.min(e.sub(length, done), e.i64(frame.tileSteps));
  frame.tileStart = body.directions().countsFromEnd()
                        ? e.sub(e.sub(length, done), frame.tileLength)
                        : done;
}

void TaskEmitter::emitCheckpoints() {
  Value tiles = e.ceilDiv(length, frame.tileSteps);
  e.loop(e.i64(0), tiles, 1, [&](Value number) {
    findTile(number);
    for (size_t i = 0; i < starts.size(); ++i) {
      RecurrenceOp scan = body.recurrences()[i];
      forEachState(isPerState(scan), [&](Value state) {
        starts[i]->store({nullptr, state},
                         kernel.load(states[scan], stateEntry(state)));
      });
      starts[i]->flush(/*perTile=*/false);
    }
    emitTile();
  });
}

void TaskEmitter::emitTilesFromEnd() {
  Value tiles = e.ceilDiv(length, frame.tileSteps);
  e.loop(e.i64(0), tiles, 1, [&](Value done) {
    findTile(e.sub(e.sub(tiles, e.i64(1)), done));
    emitTile();
  });
}

/// The ops that the scans' decays and inputs are computed by.
static llvm::DenseSet<Operation *> opsBefore(ArrayRef<RecurrenceOp> scans) {
  llvm::DenseSet<Operation *> found;
  SmallVector<Operation *> left(scans.begin(), scans.end());
  while (!left.empty())
    for (Value operand : left.pop_back_val()->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        if (found.insert(producer).second)
          left.push_back(producer);
  return found;
}

/// What a replayed scan starts the tile from: what another function saved, or
/// what the first kernel found.
Lanes TaskEmitter::stateBefore(RecurrenceOp scan, Value state) {
  if (BlockArgument saved = savedStates(scan, frame.tileSteps)) {
    unsigned i = saved.getArgNumber();
    int64_t every = op.inputAccess(i).getEvery();
    frame.segment = e.mul(frame.chunk, frame.tileSteps / every);
    Lanes before = inputs[i]->load({nullptr, state});
    frame.segment = nullptr;
    return before;
  }
  const ChunkTensors *tensors =
      llvm::find_if(request.chunkTensors,
                    [&](const ChunkTensors &own) { return own.scan == scan; });
  return starts[tensors - request.chunkTensors.begin()]->load({nullptr, state});
}

/// Fills the tables of states that the phase replays, at `state`.
void TaskEmitter::replay(const Phase &phase, Value state,
                         const Values &hoisted) {
  SmallVector<RecurrenceOp> scans = body.scansOf(phase, /*replayed=*/true);
  if (scans.empty())
    return;
  llvm::DenseSet<Operation *> wanted = opsBefore(scans);
  SmallVector<Lanes> init;
  for (RecurrenceOp scan : scans)
    init.push_back(stateBefore(scan, state));
  overSteps(scans.front().getReverse(), init,
            [&](Value step, ArrayRef<Lanes> before) {
              Values values = hoisted;
              Point point{step, state};
              readInputs(phase, point, values);
              for (Operation &nested : op.getBlock()->without_terminator())
                if (phase.ops.contains(&nested) && wanted.contains(&nested))
                  emitOp(phase, &nested, point, values);
              SmallVector<Lanes> next;
              for (auto [scan, h] : llvm::zip(scans, before))
                next.push_back(e.multiplyAdd(valueOf(scan.getA(), values), h,
                                             valueOf(scan.getB(), values)));
              for (auto [scan, h, after] : llvm::zip(scans, before, next))
                for (RecurrenceOp other : scannedWith(scan))
                  kernel.store(replayed[other.getState()], step,
                               other.getExclusive() ? h : after);
              return next;
            });
}
