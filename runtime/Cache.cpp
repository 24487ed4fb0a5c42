//===- Cache.cpp - Compiled code by content key ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory first, then disk, then the compiler. Whoever asks first for a key does
// the work; the others wait for the outcome.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cache.h"

#include "runtime/ArtifactIO.h"
#include "runtime/DiskStore.h"
#include "runtime/Environment.h"
#include "runtime/Warning.h"

#include <algorithm>
#include <condition_variable>
#include <fmt/format.h>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace mamba {

namespace {

/// Entries of up to a number of bytes, the least recently used dropped first.
class MemoryStore {
public:
  explicit MemoryStore(int64_t maxBytes) : maxBytes_(maxBytes) {}

  Cache::Bytes find(const std::string &key) {
    auto found = byKey_.find(key);
    if (found == byKey_.end())
      return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->bytes;
  }

  void insert(const std::string &key, Cache::Bytes bytes) {
    erase(key);
    storedBytes_ += static_cast<int64_t>(bytes->size());
    entries_.push_front({key, std::move(bytes)});
    byKey_[key] = entries_.begin();
    while (storedBytes_ > maxBytes_ && !entries_.empty())
      erase(std::string(entries_.back().key));
  }

  void erase(const std::string &key) {
    auto found = byKey_.find(key);
    if (found == byKey_.end())
      return;
    storedBytes_ -= static_cast<int64_t>(found->second->bytes->size());
    entries_.erase(found->second);
    byKey_.erase(found);
  }

private:
  struct Entry {
    std::string key;
    Cache::Bytes bytes;
  };

  int64_t maxBytes_;
  int64_t storedBytes_ = 0;
  std::list<Entry> entries_; ///< Most recently used first.
  std::unordered_map<std::string, std::list<Entry>::iterator> byKey_;
};

/// One computation that others wait for.
struct Flight {
  std::thread::id owner = std::this_thread::get_id();
  std::condition_variable landed;
  std::optional<Result<Cache::Bytes>> outcome;
};

/// Keys are file names.
bool isValidKey(const std::string &key) {
  auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  return !key.empty() && key.size() <= 128 &&
         std::all_of(key.begin(), key.end(), allowed);
}

} // namespace

struct Cache::State {
  explicit State(const CacheOptions &options)
      : memory(options.memoryBytes),
        disk(options.directory, options.diskBytes) {}

  /// From disk, or computed; not under the mutex.
  Result<Bytes> produce(const std::string &key, const Compute &compute);
  Bytes findOnDisk(const std::string &key);

  std::mutex mutex;
  MemoryStore memory;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights;
  CacheStatistics statistics;
  DiskStore disk;
};

Cache::Bytes Cache::State::findOnDisk(const std::string &key) {
  std::optional<std::string> found = disk.read(key);
  if (!found)
    return nullptr;
  auto bytes = std::make_shared<const std::string>(std::move(*found));
  std::lock_guard lock(mutex);
  ++statistics.diskHits;
  memory.insert(key, bytes);
  return bytes;
}

Result<Cache::Bytes> Cache::State::produce(const std::string &key,
                                           const Compute &compute) {
  if (Bytes bytes = findOnDisk(key))
    return bytes;
  Result<std::string> computed = compute();
  if (!computed.ok())
    return computed.status();
  auto bytes = std::make_shared<const std::string>(std::move(*computed));
  // What was computed is used as it is, whatever becomes of the file.
  disk.write(key, *bytes);
  std::lock_guard lock(mutex);
  ++statistics.computed;
  memory.insert(key, bytes);
  return Bytes(bytes);
}

Cache::Cache(CacheOptions options) : options_(std::move(options)) {}

Cache::~Cache() = default;

Cache::State &Cache::state() const {
  return state_.get([this] { return std::make_unique<State>(options_); });
}

Cache &Cache::global() {
  // Never destroyed: other threads may compile while the program ends.
  static Cache *cache = [] {
    const Environment &environment = Environment::get();
    CacheOptions options;
    if (environment.diskCache) {
      options.directory = environment.cacheDir;
      if (options.directory.empty())
        warn("compiled kernels are cached in memory only: neither "
             "MAMBA_CACHE_DIR nor XDG_CACHE_HOME nor HOME is set to a folder");
    }
    options.diskBytes = environment.cacheBytes;
    return new Cache(std::move(options));
  }();
  return *cache;
}

Result<Cache::Bytes> Cache::getOrCompute(const std::string &key,
                                         const Compute &compute) {
  if (!isValidKey(key))
    return Status(StatusCode::InvalidArgument,
                  fmt::format("'{}' is no cache key: required are 1 to 128 "
                              "letters, digits, '_' or '-'",
                              key));
  State &state = this->state();
  std::unique_lock lock(state.mutex);
  if (Bytes bytes = state.memory.find(key)) {
    ++state.statistics.memoryHits;
    return bytes;
  }
  std::shared_ptr<Flight> &slot = state.flights[key];
  if (slot && slot->owner == std::this_thread::get_id())
    return Status(
        StatusCode::Internal,
        fmt::format("computing the cache entry '{}' asks for itself", key));
  if (slot) {
    std::shared_ptr<Flight> flight = slot;
    flight->landed.wait(lock, [&] { return flight->outcome.has_value(); });
    return *flight->outcome;
  }
  auto flight = slot = std::make_shared<Flight>();
  lock.unlock();
  Result<Bytes> outcome = state.produce(key, compute);
  lock.lock();
  flight->outcome = outcome;
  state.flights.erase(key);
  flight->landed.notify_all();
  return outcome;
}

Cache::Bytes Cache::lookup(const std::string &key) {
  if (!isValidKey(key))
    return nullptr;
  State &state = this->state();
  {
    std::lock_guard lock(state.mutex);
    if (Bytes bytes = state.memory.find(key)) {
      ++state.statistics.memoryHits;
      return bytes;
    }
  }
  return state.findOnDisk(key);
}

void Cache::store(const std::string &key, std::string bytes) {
  if (!isValidKey(key))
    return warn(fmt::format("'{}' is no cache key, nothing is stored", key));
  State &state = this->state();
  state.disk.write(key, bytes);
  std::lock_guard lock(state.mutex);
  state.memory.insert(key,
                      std::make_shared<const std::string>(std::move(bytes)));
}

void Cache::remove(const std::string &key) {
  if (!isValidKey(key))
    return;
  State &state = this->state();
  {
    std::lock_guard lock(state.mutex);
    state.memory.erase(key);
  }
  state.disk.remove(key);
}

CacheStatistics Cache::statistics() const {
  State &state = this->state();
  std::lock_guard lock(state.mutex);
  return state.statistics;
}

Result<std::shared_ptr<const Artifact>>
getOrCompile(Cache &cache, const std::string &key,
             const std::function<Result<Artifact>()> &compile) {
  std::shared_ptr<const Artifact> compiled;
  auto compute = [&]() -> Result<std::string> {
    MAMBA_ASSIGN_OR_RETURN(Artifact artifact, compile());
    std::string bytes = serialize(artifact);
    compiled = std::make_shared<const Artifact>(std::move(artifact));
    return bytes;
  };
  MAMBA_ASSIGN_OR_RETURN(Cache::Bytes bytes, cache.getOrCompute(key, compute));
  if (compiled)
    return compiled;
  Result<Artifact> stored = deserializeArtifact(*bytes);
  if (stored.ok())
    return std::make_shared<const Artifact>(std::move(*stored));
  warn(fmt::format("cached kernel '{}' is compiled again: {}", key,
                   stored.status().message()));
  cache.remove(key);
  MAMBA_ASSIGN_OR_RETURN(std::string fresh, compute());
  cache.store(key, std::move(fresh));
  return compiled;
}

} // namespace mamba
