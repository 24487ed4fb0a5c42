//===- TunedSchedules.cpp - Schedules that measurements chose -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/TunedSchedules.h"

#include "runtime/ByteStream.h"
#include "runtime/Cache.h"
#include "runtime/jit/BuildId.h"

#include <bit>
#include <fmt/format.h>

using namespace mamba;

/// Of the entry's format and of how the tuner measures.
static constexpr int kVersion = 2;

TunedSchedules::TunedSchedules(const ModuleSource &source,
                               const std::string &function,
                               const VariantRequest &request,
                               const Device &device) {
  // Schedules hang on the order of memory, not on how wide parents are.
  VariantRequest general = request;
  general.forgetFixedStrides();
  KernelKey key = source.keyOf(function, general);
  key.pipeline = fmt::format("tuned schedule, version {}", kVersion);
  key.compiler = compilerSourceId();
  key.target = fmt::format("{} on {} with {} multiprocessors", device.target(),
                           device.info().model, device.multiprocessors());
  key_ = key.hex();
}

std::optional<TunedSchedule> TunedSchedules::find() const {
  Cache::Bytes bytes = Cache::global().lookup(key_);
  if (!bytes)
    return std::nullopt;
  ByteReader reader(*bytes);
  TunedSchedule tuned;
  tuned.schedule = reader.text();
  tuned.seconds = std::bit_cast<double>(reader.number<uint64_t>());
  std::optional<Backend> backend = parseBackend(reader.text());
  if (!reader.finished() || tuned.schedule.empty() || !backend)
    return std::nullopt;
  tuned.backend = *backend;
  return tuned;
}

void TunedSchedules::store(const TunedSchedule &tuned) const {
  ByteWriter writer;
  writer.text(tuned.schedule);
  writer.number(std::bit_cast<uint64_t>(tuned.seconds));
  writer.text(toString(tuned.backend));
  Cache::global().store(key_, writer.take());
}

void TunedSchedules::remove() const { Cache::global().remove(key_); }
