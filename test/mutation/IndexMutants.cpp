//===- IndexMutants.cpp - Wrong places -----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

using arith::AddIOp, arith::DivUIOp, arith::MulIOp, arith::RemUIOp,
    arith::SubIOp;

static std::vector<Mutant> placeMutants() {
  Test isSum = in(Part::Main) && atTop() && is<AddIOp>();
  return {
      {"warp-number", "warps of 16 threads", "body=s6 warps_l=4 chunks=1",
       on(first(in(Part::Main) && atTop() && is<DivUIOp>() &&
                operandIsThread(0) && constantOperand(1, 32)),
          setOperand(1, 16))},
      {"segment", "segments are numbered in their warp only",
       "body=s6 warps_l=4 lanes=8 complex=0",
       on(first(isSum && operand(0, is<MulIOp>() && operand(0, is<RemUIOp>()))),
          becomeOperand(1))},
      {"row", "channels are numbered in their warp only",
       "body=s6 warps_d=4 lanes=8 complex=0",
       on(first(isSum && operand(0, is<MulIOp>() && operand(0, is<DivUIOp>()))),
          becomeOperand(1))},
      {"channel-row", "channels of a thread share a row of the tables",
       "body=s6 channels=4 chunks=1 D=100 complex=0",
       on(first(isSum && givesInteger(32) && constantOperand(1)),
          becomeOperand(0))},
      {"channel-index", "channels of a thread are all its first one",
       "body=s6 channels=4 chunks=1 D=100 complex=0",
       on(first(isSum && givesInteger(64) && constantOperand(1) &&
                operand(0, is<AddIOp>())),
          becomeOperand(0))},
      {"group", "all channels use the first group", "body=s6 G=2",
       on(each(in(Part::Main) && atTop() && is<DivUIOp>() &&
               operand(1, is<DivUIOp>() && takes("extent.d"))),
          becomeConstant(0))},
      {"staged-slot", "tiles are staged in one buffer, not in two in turn",
       "body=s6 chunks=1 L=129 lanes=8 warps_l=4",
       on(each(in(Part::Main) && inTiles() && is<RemUIOp>() &&
               operand(0, is<arith::TruncIOp>()) && constantOperand(1, 2)),
          becomeConstant(0))},
      {"staged-late", "what is staged is that of the tile before",
       "body=s6 chunks=1 L=129 lanes=8",
       on(first(in(Part::Main) && inTiles() && is<arith::MinSIOp>() &&
                directlyIn<scf::ForOp>() &&
                operand(0, is<AddIOp>() && constantOperand(1, 1))),
          skipOperand(0))},
  };
}

/// What lies side by side and is moved together.
static std::vector<Mutant> vectorMutants() {
  std::string_view packed = "body=s6 packed=1 lanes=1 items=16 chunks=1";
  Test isPair = [](Operation *op) {
    auto type = dyn_cast<VectorType>(op->getOperand(0).getType());
    return type && type.getNumElements() == 2;
  };
  return {
      {"packed-rows", "states of a packed tile lie over each other", packed,
       on(each(in(Part::Main) && is<MulIOp>() && constantOperand(1, 24)),
          setOperand(1, 8))},
      {"packed-pair", "the upper half of a packed word is not written", packed,
       on(each(in(Part::Main) && is<arith::OrIOp>() && givesInteger(32)),
          becomeOperand(0))},
      {"joined-channels", "channels that are read together are all the first",
       "body=s6 type=f32 order=bld channels=2 D=64 chunks=1",
       on(each(in(Part::Main) && is<LLVM::ExtractElementOp>() &&
               constantOperand(1, 1) && isPair),
          setOperand(1, 0))},
  };
}

static std::vector<Mutant> strideMutants() {
  Test isLastStep = is<SubIOp>() && takes("extent.l") && constantOperand(1, 1);
  Test startsAtEnd = in(Part::Main) && is<MulIOp>() && operand(0, isLastStep);
  return {
      {"input-batch", "all sequences read the first one's input",
       "body=s6 chunks=1 B=2 D=3", ignoreArgument(Part::Main, "u.0")},
      {"stride-swapped", "strides of two dimensions change places",
       "body=s6 chunks=1 B=2 D=3", swapArguments("u.0", "u.1")},
      {"tensors-swapped", "B and C change places", "body=s6 chunks=1",
       swapArguments("B", "C")},
      {"reverse-start", "a reverse scan starts at the first step, going down",
       "body=s6 chunks=1 reverse=1 order=bld complex=0",
       on(each(startsAtEnd), becomeConstant(0))},
      {"reverse-ignored", "a reverse scan runs forwards",
       "body=s6 chunks=1 reverse=1 order=bld complex=0",
       both(on(each(startsAtEnd), becomeConstant(0)),
            on(each(in(Part::Main) && inTiles() && is<SubIOp>() &&
                    constantOperand(0, 0)),
               becomeOperand(1)))},
  };
}

std::vector<Mutant> mutation::indexMutants() {
  std::vector<Mutant> mutants = placeMutants();
  llvm::append_range(mutants, vectorMutants());
  llvm::append_range(mutants, strideMutants());
  return mutants;
}
