//===- BoundMutants.cpp - One too many, one too few ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

using arith::AddIOp, arith::CmpIOp, arith::CmpIPredicate, arith::DivUIOp,
    arith::MinSIOp, arith::SubIOp;

/// Extents that are divided into pieces, and the pieces.
static std::vector<Mutant> pieceMutants() {
  Test roundsUp = is<AddIOp>() && atTop() && constantOperand(1);
  return {
      {"tiles-floor", "the number of tiles is rounded down",
       "body=s6 chunks=1 L=33",
       on(first(in(Part::Main) && roundsUp && takes("extent.l")),
          setOperand(1, 0))},
      {"channel-tiles-floor", "the number of channel tiles is rounded down",
       "body=s6 chunks=1 D=100 complex=0",
       on(first(in(Part::Main) && roundsUp && takes("extent.d")),
          setOperand(1, 0))},
      {"chunk-floor", "the number of tiles a chunk is rounded down",
       "body=s6 chunks=3 L=129",
       on(first(in(Part::Main) && roundsUp && operand(0, is<DivUIOp>())),
          setOperand(1, 0))},
      {"chunk-end", "the last chunk does not stop with the last tile",
       "body=s6 chunks=8 L=129",
       on(first(in(Part::Main) && atTop() && is<MinSIOp>() &&
                operand(0, is<AddIOp>()) && operand(1, is<DivUIOp>())),
          becomeOperand(0))},
      {"part-floor", "the number of tiles a part of a chunk is rounded down",
       "body=s6 chunks=3 L=129 carry_parts=2",
       on(last(in(Part::Carries) && roundsUp && operand(0, is<DivUIOp>())),
          setOperand(1, 0))},
      {"part-end", "parts of a chunk do not stop with it",
       "body=s6 chunks=3 L=129 carry_parts=2",
       on(each(in(Part::Carries) && is<MinSIOp>() &&
               operand(1, is<MinSIOp>()) && operand(0, is<AddIOp>())),
          becomeOperand(0))},
      {"part-end-back", "the same where tiles come from the end",
       "body=s6 grad=1 chunks=3 L=257 carry_parts=2",
       on(each(in(Part::Carries) && inGradient() && is<MinSIOp>() &&
               operand(1, is<MinSIOp>()) && operand(0, is<AddIOp>())),
          becomeOperand(0))},
      {"chunk-forward", "chunks of tiles from the end count from the start",
       "body=s6 grad=1 chunks=3 L=257 carry_parts=2",
       on(each(in(Part::Main) && inGradient() && atTop() && is<SubIOp>() &&
               operand(1, is<MinSIOp>())),
          becomeOperand(1))},
      {"last-chunk-short", "the last chunk is as long as the others",
       "body=s6 chunks=3 L=1025 last_chunk=3",
       on(first(in(Part::Main) && atTop() && is<arith::SelectOp>() &&
                operand(1, is<DivUIOp>())),
          becomeOperand(2))},
      {"empty-owner", "no chunk of an empty sequence stores the last states",
       "body=s6 L=0 chunks=3 init=bdn",
       on(first(in(Part::Main) && atTop() && is<arith::OrIOp>()),
          becomeOperand(0))},
      {"states-short", "the loop over states ends a trip early",
       "body=s6 chunks=1 N=8",
       on(first(in(Part::Main) && stateLoop()), subtractOperand(1, 2))},
      {"states-late", "the loop over states begins a trip late",
       "body=two chunks=1 N=8",
       on(last(in(Part::Main) && stateLoop()), useOperand(0, 2))},
      {"sum-over-states", "a sum over states keeps its last trip only",
       "body=s6 chunks=1 N=8 complex=0",
       on(first(in(Part::Main) && inStates() && is<arith::AddFOp>() &&
                operandIsCarried(0)),
          becomeOperand(1))},
      {"staging-short", "the last run of a tile is not staged",
       "body=s6 chunks=1 N=3 lanes=2 items=3",
       on(first(in(Part::Main) && inTiles() && !inStates() &&
                asks(CmpIPredicate::slt) && constantOperand(1)),
          addToOperand(1, -1))},
      {"tables-short", "the last state of the tables is not computed",
       "body=s6 chunks=1 N=8",
       on(first(in(Part::Main) && beforeTiles() && is<scf::ForOp>()),
          addToOperand(1, -1))},
  };
}

/// Positions next to an end.
static std::vector<Mutant> endMutants() {
  Test isLastStep = is<SubIOp>() && takes("extent.l");
  Test isLastChannel = is<SubIOp>() && takes("extent.d");
  Test isChannelValid = in(Part::Main) && atTop() && takes("extent.d") &&
                        asks(CmpIPredicate::slt);
  return {
      {"position-clamp", "loads are clamped to L, not to L - 1",
       "body=s6 chunks=1 D=1 L=33",
       on(each(in(Part::Main) && inTiles() && is<MinSIOp>() &&
               operand(1, isLastStep)),
          skipOperand(1))},
      {"channel-clamp", "threads without a channel are not clamped to the last",
       "body=s6 D=3",
       on(each(in(Part::Main) && atTop() && is<MinSIOp>() &&
               operand(1, isLastChannel)),
          becomeOperand(0))},
      {"channel-valid", "the channel behind the last one counts as valid",
       "body=s6 D=3", on(each(isChannelValid), compare(CmpIPredicate::sle))},
      {"channel-mask", "threads without a channel store as well", "body=s6 D=3",
       on(each(isChannelValid), becomeConstant(1))},
      {"full-tile", "a tile that lacks one step counts as full",
       "body=s6 L=127",
       on(each(in(Part::Main) && inTiles() && !inStates() &&
               directlyIn<scf::ForOp>() && asks(CmpIPredicate::slt) &&
               takes("extent.l")),
          compare(CmpIPredicate::sle))},
      {"tail-mask", "steps past the end are stored", "body=s6 L=33",
       on(each(in(Part::Main) && inTiles() && takes("extent.l") &&
               guardsStore() && asks(CmpIPredicate::slt) &&
               !directlyIn<scf::ForOp>()),
          becomeConstant(1))},
      {"last-segment", "the segment behind the last step keeps the carry",
       "body=s6 chunks=1 N=8 last=1",
       on(each(in(Part::Main) && inTiles() && is<SubIOp>() &&
               operand(0, is<SubIOp>() && takes("extent.l"))),
          skipOperand(0))},
      {"run-past-end", "a thread without steps stores its channel's last run",
       "body=s6 chunks=1 L=80 items=16",
       on(each(in(Part::Main) && inTiles() && takes("extent.l") &&
               asks(CmpIPredicate::slt)),
          becomeConstant(1))},
      {"run-read-past-end", "a thread without steps reads behind the last run",
       "body=s6 chunks=1 L=80 items=16",
       on(each(in(Part::Main) && inTiles() && is<MinSIOp>() &&
               operand(1, is<SubIOp>() && takes("extent.l") &&
                              constantOperand(1, 16))),
          becomeOperand(0))},
      {"prefetch-own-tile", "steps loaded ahead are those of the same tile",
       "body=mingru chunks=1 L=129 prefetch=1",
       on(first(in(Part::Main) && inTiles() && is<MinSIOp>() &&
                operand(0, is<AddIOp>() && constantOperand(1, 1))),
          skipOperand(0))},
      {"stage-same-state", "the second state of a trip is begun as the first",
       "body=s6 chunks=1 N=8 unroll=1 stages=2",
       on(first(in(Part::Main) && inStates() && is<AddIOp>() &&
                constantOperand(1, 1)),
          becomeOperand(0))},
      {"stage-next-state", "a trip begins its own second state for the next",
       "body=s6 chunks=1 N=8 unroll=1 stages=2",
       on(first(in(Part::Main) && inStates() && is<AddIOp>() &&
                constantOperand(1, 2)),
          addToOperand(1, -1))},
  };
}

std::vector<Mutant> mutation::boundMutants() {
  std::vector<Mutant> mutants = pieceMutants();
  llvm::append_range(mutants, endMutants());
  return mutants;
}
