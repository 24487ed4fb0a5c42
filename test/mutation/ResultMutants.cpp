//===- ResultMutants.cpp - Results that are lost or in the wrong place ---===//
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

std::vector<Mutant> mutation::resultMutants() {
  Test isStore = in(Part::Main) && inTiles() && stores();
  return {
      {"store-full", "a step of full tiles is not stored",
       "body=s6 chunks=1 L=129 D=3",
       on(first(isStore && onTensor("result0")), erase())},
      {"store-tail", "a step of the last tile is not stored",
       "body=s6 chunks=1 L=33 items=4",
       on(last(isStore && onTensor("result0")), erase())},
      {"store-last-vector", "the last vector of a run is not stored",
       "body=s6 order=bdl pad=3 L=257 reverse=0 offset=0 spacing=1 out=y",
       on(last(isStore && ofVector() && onTensor("result0")), erase())},
      {"last-states-stride", "every other last state is not stored",
       "body=s6 chunks=1 lanes=1 warps_l=1 N=8",
       on(first(in(Part::Main) && afterTiles() && is<scf::ForOp>()),
          scaleOperand(2, 2))},
      {"last-states-owner", "every chunk stores the last states",
       "body=s6 chunks=8 L=1025",
       on(first(in(Part::Main) && afterTiles() && is<arith::AndIOp>()),
          becomeOperand(0))},
      {"result-batch", "sequences share the place of their results",
       "body=s6 chunks=1 B=2 D=3", ignoreArgument(Part::Main, "result0.0")},
      {"chunk-places", "chunks share the place of their carries",
       "body=s6 chunks=3 B=1", ignoreArgument(Part::Carries, "chunk_carry.1")},
      {"result-shifted", "results are stored one channel late",
       "body=s6 chunks=1 type=f32 order=bld D=3 complex=0",
       on(each(isStore && onTensor("result0") && !ofVector()), moveAddress(4))},
      {"write-to-input", "results are stored in place of an input",
       "body=s6 chunks=1 type=f32", useArgument("result0", "u")},
  };
}
