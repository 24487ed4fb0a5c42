//===- Report.cpp - Defects as messages -----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A message names the kernel, the block and the thread, the memory, and the
// instruction with its place in the source.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Launch.h"

#include <chrono>
#include <fmt/format.h>

namespace mamba::simt {

namespace {

std::string_view verbOf(SiteKind kind) {
  switch (kind) {
  case SiteKind::Load:
    return "reads";
  case SiteKind::Store:
    return "writes";
  case SiteKind::Atomic:
  case SiteKind::Release:
  case SiteKind::Acquire:
    return "updates";
  case SiteKind::PhaseInit:
    return "prepares";
  case SiteKind::PhaseArrive:
    return "arrives at";
  case SiteKind::PhaseWait:
    return "waits for";
  case SiteKind::Barrier:
    return "waits at a barrier";
  case SiteKind::WarpSync:
    return "waits for its warp";
  case SiteKind::ShuffleUp:
  case SiteKind::ShuffleDown:
  case SiteKind::ShuffleButterfly:
  case SiteKind::ShuffleIndex:
    return "takes part in a shuffle";
  case SiteKind::VoteAll:
  case SiteKind::VoteAny:
  case SiteKind::VoteUniform:
  case SiteKind::VoteBallot:
    return "takes part in a vote";
  }
  return "is at an unknown instruction";
}

/// "at layer.mlir:12:5 (store float %3, ptr addrspace(3) %4, align 4)".
std::string placeOf(const Site &site) {
  if (!site.file)
    return fmt::format("at an unknown place ({})", site.text);
  // Without a column, the place is that of the whole kernel.
  if (site.column == 0)
    return fmt::format("in {}:{} ({})", site.file, site.line, site.text);
  return fmt::format("at {}:{}:{} ({})", site.file, site.line, site.column,
                     site.text);
}

/// What a thread does and where, or why it does not take part.
std::string describe(const Launch &launch, const Party &party) {
  if (party.thread >= launch.blockSize)
    return fmt::format("there is no thread {} of {}", party.thread,
                       launch.blockSize);
  if (!party.site)
    return fmt::format("thread {} of block {} {}", party.thread, party.block,
                       party.isNamed ? "has exited"
                                     : "is not among the lanes that it names");
  return fmt::format("thread {} of block {} {} {}", party.thread, party.block,
                     verbOf(party.site->kind), placeOf(*party.site));
}

/// The argument whose memory `violation` is about, or null.
const ArgumentMemory *findArgument(const Launch &launch,
                                   const Violation &violation) {
  int32_t number = violation.culprit.site->argument;
  if (number >= 0 && static_cast<size_t>(number) < launch.arguments.size())
    return &launch.arguments[number];
  const ArgumentMemory *nearest = nullptr;
  for (const ArgumentMemory &candidate : launch.arguments)
    if (candidate.allocation.holds(violation.address, 1) &&
        candidate.pointer <= violation.address &&
        (!nearest || candidate.pointer > nearest->pointer))
      nearest = &candidate;
  return nearest;
}

/// "4 bytes at byte 12 of input 'u'".
std::string describeMemory(const Launch &launch, const Violation &violation) {
  if (violation.isShared)
    return fmt::format("{} bytes at byte {} of shared memory", violation.bytes,
                       static_cast<int64_t>(violation.address));
  const ArgumentMemory *argument = findArgument(launch, violation);
  if (!argument)
    return fmt::format("{} bytes at address {:#x}", violation.bytes,
                       violation.address);
  return fmt::format(
      "{} bytes at byte {} of {}", violation.bytes,
      static_cast<int64_t>(violation.address - argument->pointer),
      argument->label);
}

/// What the memory has, where an access left it.
std::string describeBounds(const Launch &launch, const Violation &violation) {
  if (violation.isShared)
    return fmt::format("a block has {}", launch.sharedBytes);
  const ArgumentMemory *argument = findArgument(launch, violation);
  if (!argument || argument->allocation.end == 0)
    return "no memory of the device is there";
  return fmt::format(
      "its memory is bytes {} to {}",
      static_cast<int64_t>(argument->allocation.begin - argument->pointer),
      static_cast<int64_t>(argument->allocation.end - argument->pointer));
}

std::string describeRace(const Launch &launch, const Violation &violation) {
  const Party &other = violation.other;
  if (!other.site)
    return fmt::format("; thread {} of block {} uses them too", other.thread,
                       other.block);
  if (other.block == violation.culprit.block)
    return fmt::format("; {}, with no barrier between",
                       describe(launch, other));
  return fmt::format("; {}, and nothing orders the blocks of a launch",
                     describe(launch, other));
}

/// What is wrong, as the name of its kind and the rest of a sentence.
std::pair<std::string_view, std::string> explain(const Launch &launch,
                                                 const Violation &violation) {
  switch (violation.defect) {
  case Defect::OutOfBounds:
    return {"out of bounds", "; " + describeBounds(launch, violation)};
  case Defect::ReadOnly:
    return {"write to an input", "; kernels may only read inputs"};
  case Defect::Misaligned:
    return {"misaligned",
            fmt::format("; required is a multiple of {}, found {:#x}",
                        violation.culprit.site->alignment, violation.address)};
  case Defect::Uninitialized:
    return {"uninitialized", "; nothing was written there before"};
  case Defect::Race:
    return {"race", describeRace(launch, violation)};
  case Defect::DivergentBarrier:
    return {"divergent barrier", "; " + describe(launch, violation.other)};
  case Defect::OpenPhase:
    return {"open phase", "; no thread is left that could end the phase"};
  case Defect::InactiveLane:
    return {"inactive lane", "; " + describe(launch, violation.other)};
  }
  return {"unknown defect", ""};
}

std::string messageOf(const Launch &launch, const Violation &violation) {
  auto [name, rest] = explain(launch, violation);
  const Party &culprit = violation.culprit;
  std::string action = fmt::format("{}", verbOf(culprit.site->kind));
  if (violation.bytes)
    action += " " + describeMemory(launch, violation);
  return fmt::format("{}: in '{}', thread {} of block {} {} {}{}", name,
                     launch.kernel, culprit.thread, culprit.block, action,
                     placeOf(*culprit.site), rest);
}

} // namespace

void Launch::report(int64_t order, const Violation &violation) {
  std::lock_guard lock(mutex_);
  if (order >= failedAt_.load(std::memory_order_relaxed))
    return;
  failedAt_.store(order, std::memory_order_relaxed);
  violation_ = violation;
}

void Launch::publish(uint64_t address, std::vector<Order> known) {
  {
    std::lock_guard lock(mutex_);
    published_[address] = std::move(known);
    ++releases_;
  }
  released_.notify_all();
}

/// A block that polls would keep a processor from the block that it waits for.
/// The store follows its release here, and failures tell no one: so not for
/// long.
std::vector<Order> Launch::published(uint64_t address, uint64_t &seen) {
  constexpr std::chrono::microseconds kMoment(500);
  std::unique_lock lock(mutex_);
  released_.wait_for(lock, kMoment, [&] { return releases_ != seen; });
  seen = releases_;
  auto found = published_.find(address);
  return found == published_.end() ? std::vector<Order>() : found->second;
}

Status Launch::status() const {
  if (!violation_)
    return Status();
  return Status(StatusCode::Internal, messageOf(*this, *violation_));
}

} // namespace mamba::simt
