//===- Worker.cpp - Users of a cache --------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A round is one call of the cache, and a check of what it gave.
//
//===----------------------------------------------------------------------===//

#include "test/torture/Worker.h"

#include "runtime/Warning.h"

#include <fmt/format.h>
#include <memory>
#include <random>

namespace mamba::torture {

namespace {

/// For the handler of warnings, which takes no context.
Tally *counted = nullptr;

void fail(Tally &tally, std::string_view text) {
  ++tally.failures;
  fmt::print(stderr, "cache-torture: {}\n", text);
}

void compileEntry(Cache &cache, const Entry &entry, Tally &tally) {
  bool compiled = false;
  auto artifact = getOrCompile(cache, entry.key, [&]() -> Result<Artifact> {
    compiled = true;
    return entry.artifact;
  });
  tally.misses += compiled;
  if (!artifact.ok())
    return fail(tally, artifact.status().toString());
  if ((*artifact)->image != entry.artifact.image)
    fail(tally, fmt::format("'{}' has wrong code", entry.key));
}

void doRound(Cache &cache, const Run &run, bool onlyReads,
             std::mt19937_64 &random) {
  // Some entries are wanted more often than others.
  double place = std::uniform_real_distribution<double>(0, 1)(random);
  const Entry &entry =
      run.entries[static_cast<size_t>(place * place * run.entries.size())];
  Tally &tally = *run.tally;
  int64_t hits = cache.statistics().diskHits;
  uint64_t choice = random() % 64;
  if (onlyReads || choice < 8) {
    readEntry(cache, entry, tally);
  } else if (choice == 8) {
    cache.remove(entry.key);
    ++tally.removals;
  } else {
    compileEntry(cache, entry, tally);
  }
  tally.hits += cache.statistics().diskHits - hits;
}

} // namespace

void countWarnings(Tally &tally) {
  counted = &tally;
  setWarningHandler([](std::string_view text) {
    if (text.starts_with("cache entry '"))
      ++counted->warnings;
    else
      fail(*counted, fmt::format("unexpected warning: {}", text));
  });
}

bool readEntry(Cache &cache, const Entry &entry, Tally &tally) {
  Cache::Bytes bytes = cache.lookup(entry.key);
  if (!bytes) {
    ++tally.misses;
    return true;
  }
  if (*bytes == entry.bytes)
    return true;
  fail(tally, fmt::format("'{}' has wrong bytes", entry.key));
  return false;
}

void work(const Run &run, int index, uint64_t seed) {
  countWarnings(*run.tally);
  std::mt19937_64 random(seed);
  std::unique_ptr<Cache> cache;
  for (std::atomic<int64_t> &done = run.tally->rounds[index]; done < run.rounds;
       ++done) {
    // Most rounds go to the disk: programs start often and live short.
    if (!cache || random() % 8 == 0)
      cache = std::make_unique<Cache>(run.options);
    doRound(*cache, run, index % 4 == 3, random);
  }
}

} // namespace mamba::torture
