//===- Worker.h - Users of a cache, and a vandal -------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the processes of a run do. Each is a child that ends by _exit.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_TORTURE_WORKER_H
#define MAMBA_TEST_TORTURE_WORKER_H

#include "runtime/Cache.h"
#include "test/torture/Entries.h"
#include "test/torture/Tally.h"

namespace mamba::torture {

/// What all processes of a run have in common.
struct Run {
  CacheOptions options;
  std::vector<Entry> entries;
  int64_t rounds = 0;
  Tally *tally = nullptr;
};

/// Counts warnings from now on: those of broken entries, and failures.
void countWarnings(Tally &tally);

/// Uses the cache until process `index` has done its rounds. Every fourth one
/// only reads; the others compile what is missing and remove a little.
void work(const Run &run, int index, uint64_t seed);

/// Cuts files of the cache's folder, flips bits in them and removes some, until
/// Tally::stopVandal.
void vandalize(const Run &run, uint64_t seed);

/// Looks an entry up; false, and a failure, if it holds wrong bytes.
bool readEntry(Cache &cache, const Entry &entry, Tally &tally);

} // namespace mamba::torture

#endif // MAMBA_TEST_TORTURE_WORKER_H
