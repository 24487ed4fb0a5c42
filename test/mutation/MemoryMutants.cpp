//===- MemoryMutants.cpp - Tables, alignment and widths ------------------===//
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

std::vector<Mutant> mutation::memoryMutants() {
  Test isLoad = in(Part::Main) && inTiles() && loads();
  return {
      {"staged-unwritten", "a value is read that was not staged",
       "body=s6 chunks=1",
       on(first(in(Part::Main) && inTiles() && !inStates() && stores() &&
                onShared() && !onCarries()),
          erase())},
      {"tables-swapped", "two staged tables change places when they are read",
       "body=s6 chunks=1", swapStagedReads()},
      {"tables-overlap", "the table of carries starts in the one before it",
       "body=s6 chunks=1 N=8 channels=1",
       on(each(in(Part::Main) && onCarries()), moveAddress(-16))},
      {"misaligned-shared", "a vector in shared memory starts a word late",
       "body=s6 chunks=1 items=4",
       on(first(isLoad && onShared() && ofVector()), moveAddress(4))},
      {"misaligned-global", "a vector in memory starts a word late",
       "body=s6 chunks=1 items=8 order=bdl type=f32 offset=0",
       on(first(isLoad && !onShared() && ofVector()), moveAddress(4))},
      {"wide-load", "a wider load than the layout promises to be aligned",
       "body=s6 chunks=1",
       on(first(isLoad && !onShared() && !ofVector()), claimAlignment(16))},
      {"bf16-half", "the lower half of a word is not moved up",
       "body=s6 type=bf16 order=bdl items=8 offset=0",
       on(first(in(Part::Main) && inTiles() && is<arith::ShLIOp>()),
          becomeOperand(0))},
  };
}
