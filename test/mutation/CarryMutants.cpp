//===- CarryMutants.cpp - Carries from tile to tile and chunk to chunk ---===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

std::vector<Mutant> mutation::carryMutants() {
  constexpr Part kMain = Part::Main;
  return {
      {"carry-write", "the carry of a state is not kept for the next tile",
       "body=s6 chunks=1 L=129 lanes=8",
       on(last(in(kMain) && inStates() && stores() && onCarries()), erase())},
      {"carry-read", "tiles start from zero, not from the carry",
       "body=s6 chunks=1 L=129 lanes=8",
       on(each(in(kMain) && inTiles() && loads() && onCarries()),
          becomeConstant(0))},
      {"carry-not-decayed", "later warps take the carry as it is",
       "body=s6 warps_l=4 L=129 init=bdn complex=0",
       on(each(in(kMain) && inTiles() && is<math::FmaOp>() &&
               operand(0, loads() && onShared() && !onCarries()) &&
               operand(1, loads() && onCarries())),
          setOperand(0, 1))},
      {"initial-state", "the initial state is ignored",
       "body=s6 chunks=1 init=bdn",
       on(each(in(kMain) && loads() && onTensor("h0")), becomeConstant(0))},
      {"chunk-carry", "chunks start from zero",
       "body=s6 chunks=3 L=1025 init=none",
       on(each(in(kMain) && loads() && onTensor("chunk_carry")),
          becomeConstant(0))},
      {"chunk-decay", "the initial state does not decay over earlier chunks",
       "body=s6 chunks=3 L=129 init=bdn",
       on(each(in(kMain) && loads() && onTensor("chunk_decay")),
          becomeConstant(1))},
      {"chunk-first-part", "chunks start from what lies before another's part",
       "body=s6 chunks=3 L=129 carry_parts=3",
       on(each(in(kMain) && is<arith::MulIOp>() && constantOperand(1, 3) &&
               operand(0, is<arith::SubIOp>())),
          becomeOperand(0))},
      {"parts-joined", "what a chunk's later parts add is not joined",
       "body=s6 chunks=3 L=129 carry_parts=2",
       on(last(in(Part::Chunks) && loads() && onTensor("chunk_carry")),
          becomeConstant(0))},
      {"chunks-not-scanned", "carries of chunks are not joined",
       "body=s6 chunks=8 L=129",
       on(first(in(Part::Chunks) && stores() && onTensor("chunk_carry")),
          erase())},
      {"chunk-decay-kept", "decays of chunks are not joined",
       "body=s6 chunks=8 L=129 init=bdn",
       on(each(in(Part::Chunks) && is<arith::MulFOp>()), becomeOperand(0))},
      {"chunk-decay-unset", "a chunk's decay is multiplied onto nothing",
       "body=s6 chunks=3 L=129",
       on(last(in(Part::Carries) && beforeTiles() && stores() && onShared()),
          erase())},
      {"weights-later", "a chunk's steps do not decay over other lanes' steps",
       "body=s6 chunks=3 lanes=8",
       on(each(in(Part::Carries) && inTiles() && is<arith::SelectOp>() &&
               operand(2, is<arith::AddFOp>())),
          becomeOperand(1))},
      {"weights-reached", "a chunk's steps do not decay over later tiles",
       "body=s6 chunks=3 L=1025",
       on(each(in(Part::Carries) && inTiles() && !inStates() && stores() &&
               onShared() && operand(0, is<arith::AddFOp>())),
          erase())},
      {"weights-kept", "the terms of a chunk's last tile are all there are",
       "body=s6 chunks=3 L=1025",
       on(each(in(Part::Carries) && inStates() && loads() && onShared() &&
               ofVector()),
          becomeConstant(0))},
      {"weights-joined", "a chunk's carry is what one lane has added up",
       "body=s6 chunks=3 lanes=8",
       on(each(in(Part::Carries) && afterTiles() && is<arith::AddFOp>()),
          becomeOperand(0))},
      {"weights-missing", "steps past the end decay what a chunk adds up",
       "body=s6 grad=1 chunks=3 L=129",
       on(each(in(Part::Carries) && inGradient() && inTiles() &&
               is<arith::SelectOp>() && constantOperand(2, 0)),
          becomeOperand(1))},
  };
}
