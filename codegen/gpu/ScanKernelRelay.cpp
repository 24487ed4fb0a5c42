//===- ScanKernelRelay.cpp - From team to team of a block -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The teams of a block take its tiles in turn. A recurrence needs the states
// that the tile before ended in, trip by trip of the loop over n: the team with
// that tile writes them to the table of carries and passes the trip's baton on.
// So all teams compute at one time, each some states behind the one before it,
// and no step is scanned twice:
//
//   team 0  n = 0  1  2  3 ...
//   team 1     n = 0  1  2 ...
//   team 2        n = 0  1 ...
//
// A baton is a barrier in shared memory, one for each recurrence, trip and team
// that takes it.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScanKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

static constexpr int64_t kBatonBytes = 8;

/// Trips of the loop that recurrence `i` is scanned in; 1 outside of any.
int64_t ScanKernel::tripsOf(unsigned i) {
  return carries[i].perState ? ownStates() / statesTogether() : 1;
}

/// One lane of each team does its own: several lanes at one instruction would
/// take turns, which compute-sanitizer mistakes for writes elsewhere.
void ScanKernel::prepareBatons() {
  for (unsigned i = 0; i < recurrenceOps.size(); ++i)
    batons.push_back(
        memory.allocate(tripsOf(i) * schedule.teams() * kBatonBytes / 4));
  e.ifThen(e.equals(at.teamThread, 0), [&] {
    for (unsigned i = 0; i < recurrenceOps.size(); ++i)
      e.loop(e.i32(0), e.i32(tripsOf(i)), 1, [&](Value trip) {
        e.initBarrier(batonAddress(i, trip, at.team), schedule.teamThreads());
      });
  });
  blockBarrier();
}

/// The baton that `team` takes.
Value ScanKernel::batonAddress(unsigned recurrence, Value trip, Value team) {
  Value index = e.add(e.mul(trip, schedule.teams()), team);
  return e.offset(kernel.shared(batons[recurrence]), index, e.getI64Type());
}

/// Waits until the tile before has left its states of this trip. The first
/// team takes what the last one left a turn ago: its first wait ends at once.
void ScanKernel::waitForBaton(Tile &tile, RecurrenceOp op, Value trip) {
  if (!isRelay())
    return;
  Value isFirst =
      arith::ExtUIOp::create(e, e.getI32Type(), e.equals(at.team, 0));
  Value parity = e.rem(e.add(tile.turn, isFirst), 2);
  e.waitForPhase(batonAddress(indexOf(op), trip, at.team), parity);
}

/// Hands what finishCarries() wrote on: each lane speaks for itself, and the
/// simulator wants them to have met before.
void ScanKernel::passBaton(RecurrenceOp op, Value trip) {
  if (!isRelay())
    return;
  teamBarrier();
  Value next = e.rem(e.add(at.team, 1), schedule.teams());
  e.arrive(batonAddress(indexOf(op), trip, next));
}

/// One thread of those with steps of the current channel.
Value ScanKernel::isFirstOfChannel() {
  return e.conjunction(e.equals(at.segment, 0), e.equals(at.team, 0));
}
