//===- Mutants.cpp - All mutants, numbered -------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

std::vector<Mutant> mutation::allMutants() {
  std::vector<Mutant> all = {{"none", "no mistake: every case passes", "",
                              [](ModuleOp) { return true; }}};
  for (auto *table :
       {barrierMutants, boundMutants, resultMutants, carryMutants, laneMutants,
        relayMutants, sweepMutants, indexMutants, offsetMutants, memoryMutants,
        copyMutants, splitMutants, sumMutants})
    llvm::append_range(all, table());
  return all;
}
