//===- Cache.h - Compiled code by content key ----------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiling takes 10 to 100 ms, so each kernel is compiled once for a machine.
// The cache may vanish, be cut, be shared or be read-only at any time: then it
// is slow, never wrong.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CACHE_H
#define MAMBA_RUNTIME_CACHE_H

#include "runtime/Artifact.h"
#include "runtime/PerProcess.h"
#include "runtime/Status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace mamba {

struct CacheOptions {
  /// Folder of the entries; empty keeps everything in memory.
  std::string directory;
  /// Bytes on disk before the least recently used entries are removed.
  int64_t diskBytes = int64_t(1) << 30;
  /// Bytes of entries kept in memory.
  int64_t memoryBytes = int64_t(64) << 20;
};

/// Where lookups ended, since the cache was made.
struct CacheStatistics {
  int64_t memoryHits = 0;
  int64_t diskHits = 0;
  int64_t computed = 0;
};

/// Byte strings by key. Thread-safe; any number of processes may share a
/// folder. Trouble with the folder (read-only, full, foreign, missing) is one
/// warning, after which the cache works in memory alone.
class Cache {
public:
  using Bytes = std::shared_ptr<const std::string>;
  using Compute = std::function<Result<std::string>()>;

  /// Touches no file before the first lookup.
  explicit Cache(CacheOptions options);
  ~Cache();
  Cache(const Cache &) = delete;
  Cache &operator=(const Cache &) = delete;

  /// The cache that the environment (Environment.h) describes.
  static Cache &global();

  /// The entry of `key`, a string of 1 to 128 characters out of
  /// [0-9a-zA-Z_-] such as KeyHasher::hex(). On a miss `compute` runs, once
  /// even if several threads ask at a time, and its bytes are stored; its error
  /// goes to everyone who waited and is not stored.
  Result<Bytes> getOrCompute(const std::string &key, const Compute &compute);

  /// The entry, or null. A broken entry on disk is warned of, removed, and
  /// counts as missing.
  Bytes lookup(const std::string &key);
  /// Adds or replaces an entry in memory and, if possible, on disk.
  void store(const std::string &key, std::string bytes);
  /// Drops an entry from memory and from disk.
  void remove(const std::string &key);

  CacheStatistics statistics() const;
  const CacheOptions &options() const { return options_; }

private:
  struct State;
  State &state() const;

  CacheOptions options_;
  mutable PerProcess<State> state_;
};

/// Cache::getOrCompute for artifacts. An entry that does not parse (another
/// format version) is compiled anew and replaced.
Result<std::shared_ptr<const Artifact>>
getOrCompile(Cache &cache, const std::string &key,
             const std::function<Result<Artifact>()> &compile);

} // namespace mamba

#endif // MAMBA_RUNTIME_CACHE_H
