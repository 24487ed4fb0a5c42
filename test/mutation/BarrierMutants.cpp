//===- BarrierMutants.cpp - Waiting too little, or not together ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

std::vector<Mutant> mutation::barrierMutants() {
  auto without = [](Part part, Wait wait) {
    return on(first(in(part) && barrier(wait)), erase());
  };
  constexpr Part kMain = Part::Main;
  return {
      {"barrier-staged", "no barrier between staging and the first read",
       "body=s6 warps_l=1 lanes=8", without(kMain, Wait::Staged)},
      {"barrier-staged-read",
       "one buffer, and no barrier before it is staged again",
       "body=s6 warps_l=8 lanes=32 items=16", without(kMain, Wait::StagedRead)},
      {"barrier-carries", "no barrier before carries of other threads are read",
       "body=lti lanes=8 chunks=1 N=16", without(kMain, Wait::Carries)},
      {"barrier-totals", "no barrier after the warps' totals are written",
       "body=s6 warps_l=8 complex=0", without(kMain, Wait::Totals)},
      {"barrier-meet", "warps do not wait for what they read of each other",
       "body=s6 warps_l=4 complex=0", without(kMain, Wait::WarpsMeet)},
      {"barrier-up-level", "no barrier between levels of the up-sweep",
       "body=s6 warps_l=8 complex=0", without(kMain, Wait::UpLevel)},
      {"barrier-up-done", "no barrier before the root is cleared",
       "body=s6 warps_l=8 complex=0", without(kMain, Wait::UpDone)},
      {"barrier-root", "no barrier after the root is cleared",
       "body=s6 warps_l=8 complex=0", without(kMain, Wait::RootCleared)},
      {"barrier-down-level", "no barrier between levels of the down-sweep",
       "body=s6 warps_l=8 complex=0", without(kMain, Wait::DownLevel)},
      {"barrier-down-done", "no barrier before threads read what lies before",
       "body=s6 warps_l=8 complex=0", without(kMain, Wait::DownDone)},
      {"barrier-last-states", "no barrier before last states are stored",
       "body=s6 lanes=8 chunks=1 N=16", without(kMain, Wait::TilesDone)},
      {"barrier-chunk-carries",
       "no barrier before a chunk's carries are stored",
       "body=s6 lanes=8 chunks=3 N=16",
       without(Part::Carries, Wait::TilesDone)},
      {"barrier-weights", "no barrier before lanes join what they added up",
       "body=s6 lanes=8 chunks=3 N=16",
       on(last(in(Part::Carries) && barrier(Wait::TilesDone)), erase())},
      {"barrier-warp", "lanes use the carries without waiting for their warp",
       "body=s6 lanes=32 warps_l=1 chunks=1",
       on(each(in(kMain) && is<NVVM::SyncWarpOp>()), erase())},
      {"barrier-in-last-lane", "a barrier that only last lanes reach",
       "kind=verify body=s6 warps_l=8 lanes=8 N=8 complex=0 L=129",
       on(first(in(kMain) && barrier(Wait::Totals)), moveIntoIfBefore())},
      {"barrier-in-valid-channel", "a barrier that only valid channels reach",
       "body=s6 D=3 lanes=8",
       on(first(in(kMain) && barrier(Wait::TilesDone)), moveIntoIfAfter())},
  };
}
