//===- LaneMutants.cpp - Segments joined wrongly in a warp ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

using arith::AddFOp, arith::MulFOp, arith::SelectOp, math::FmaOp;

/// The carry is multiplied by the decay of its own segment.
static Action takeOtherDecay() {
  return setOperand(0, [](Operation *op) -> Value {
    Operation *decay = before(op->getOperand(1).getDefiningOp());
    return isa_and_present<gpu::ShuffleOp>(decay) ? decay->getResult(0)
                                                  : Value();
  });
}

/// What lanes tell each other.
static std::vector<Mutant> shuffleMutants() {
  Test isInTiles = in(Part::Main) && inTiles();
  Test isShuffle = isInTiles && is<gpu::ShuffleOp>();
  Test isProduct = isInTiles && is<MulFOp>();
  return {
      {"shuffle-distance", "lanes take the segment two below, not one",
       "kind=verify body=s6 L=129 lanes=8 complex=0",
       on(first(isShuffle), scaleOperand(1, 2))},
      {"lane-select", "the lane that is just far enough joins nothing",
       "kind=verify body=s6 L=129 lanes=8 complex=0",
       on(first(isInTiles && asks(arith::CmpIPredicate::sge)),
          compare(arith::CmpIPredicate::sgt))},
      {"shuffle-in-branch", "a shuffle in a branch that some lanes skip",
       "kind=verify body=s6 L=129 lanes=8 complex=0",
       on(first(isShuffle), onlyWhereCompared())},
      {"lane-blend", "segments are chosen by a product with 0 or 1",
       "kind=locality type=f32 order=bdl lanes=8 chunks=1",
       on(each(isInTiles && is<SelectOp>() &&
               operand(0, asks(arith::CmpIPredicate::sge))),
          blend())},
      {"lane-start", "lanes start from their own end",
       "kind=verify body=s6 L=129 lanes=8 items=4 complex=0",
       on(last(isShuffle), setOperand(1, 0))},
      {"lane-first", "the first lane starts from what its shuffle gives",
       "body=s6 lanes=8 L=129",
       on(each(isInTiles && is<SelectOp>() && operand(2, is<gpu::ShuffleOp>())),
          becomeOperand(2))},
      {"lane-other-decay", "a carry is multiplied by its own segment's decay",
       "body=s6 lanes=8 items=1",
       on(first(isInTiles && is<FmaOp>() && operand(1, is<gpu::ShuffleOp>()) &&
                !operand(0, is<gpu::ShuffleOp>())),
          takeOtherDecay())},
      {"lane-decay", "decays of lanes are not multiplied",
       "kind=verify body=s6 L=129 lanes=8 items=4 complex=0",
       on(first(isProduct && operand(0, is<gpu::ShuffleOp>())),
          becomeOperand(1))},
  };
}

/// Lanes that differ in one bit tell each other something.
static bool swapsLanes(Operation *op) {
  auto shuffle = dyn_cast<gpu::ShuffleOp>(op);
  return shuffle && shuffle.getMode() == gpu::ShuffleMode::XOR;
}

/// What a choice gives where its condition holds.
static Value chosenIfTrue(Operation *op) {
  auto choice = op->getOperand(0).getDefiningOp<SelectOp>();
  return choice ? choice.getTrueValue() : Value();
}

/// What lanes that split pairs of states among them tell each other.
static std::vector<Mutant> pairMutants() {
  Test isSwap = in(Part::Main) && inTiles() && Test(swapsLanes);
  Test isPick = in(Part::Main) && inTiles() && is<SelectOp>();
  std::string_view filter = "kind=verify body=s6 lanes=32 warps_l=1 complex=0";
  return {
      {"pair-distance", "lanes swap states with the lane two away", filter,
       on(first(isSwap), scaleOperand(1, 2))},
      {"pair-sent", "a lane keeps the state that it should pass on", filter,
       on(first(isSwap), setOperand(0, chosenIfTrue))},
      {"pair-order", "the upper lane's steps do not follow the lower one's",
       filter,
       on(first(isPick && operand(1, Test(swapsLanes))), becomeOperand(2))},
      {"pair-returned", "lanes take back what they did themselves", filter,
       on(last(isPick && operand(2, Test(swapsLanes))), becomeOperand(1))},
  };
}

/// What a thread makes of its own steps.
static std::vector<Mutant> stepMutants() {
  Test isInTiles = in(Part::Main) && inTiles();
  Test isProduct = isInTiles && is<MulFOp>();
  Test isSumOfSteps = is<AddFOp>() && inTiles() && !inStates();
  return {
      {"addend", "a step's input is not added",
       "kind=verify body=s6 L=129 lanes=8 items=4 complex=0",
       on(last(in(Part::Main) && inStates() && is<FmaOp>()), setOperand(2, 0))},
      {"sum-of-steps", "the sum that a segment's decay comes from lacks a step",
       "body=s6 rule=mamba lanes=8 items=4",
       on(first(isProduct && inStates() && operand(0, isSumOfSteps)),
          skipOperand(0))},
      {"exp2-scale", "exp2 without log2 e", "body=s6 rule=mamba chunks=1",
       on(each(is<MulFOp>() && beforeTiles() &&
               constantOperand(1, 1.4426950408889634)),
          becomeOperand(0))},
      {"complex-sign", "the real part of a product has the wrong sign",
       "body=s6 complex=1 lanes=8",
       on(first(isInTiles && is<FmaOp>() && operand(0, is<arith::NegFOp>())),
          skipOperand(0))},
  };
}

std::vector<Mutant> mutation::laneMutants() {
  std::vector<Mutant> mutants = shuffleMutants();
  llvm::append_range(mutants, pairMutants());
  llvm::append_range(mutants, stepMutants());
  return mutants;
}
