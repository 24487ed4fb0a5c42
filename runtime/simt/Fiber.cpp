//===- Fiber.cpp - Stacks that take turns on one host thread --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Boost.Context switches; AddressSanitizer is told of every switch, or it would
// take one stack's frames for overflows of another.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/Fiber.h"

#include <boost/context/detail/fcontext.hpp>

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define MAMBA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAMBA_ASAN 1
#endif
#endif
#ifdef MAMBA_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace mamba::simt {

namespace context = boost::context::detail;

//===----------------------------------------------------------------------===//
// Fiber
//===----------------------------------------------------------------------===//

namespace {

/// What goes along with a switch.
struct Switch {
  Fiber *from;
  Fiber *to;
};

} // namespace

struct Fiber::Arrival {
  context::transfer_t transfer;
};

/// Notes where `from` stopped. `here` is the fiber that goes on.
void Fiber::arrive(Fiber *from, void *stopped, [[maybe_unused]] Fiber &here) {
  from->position_ = stopped;
#ifdef MAMBA_ASAN
  __sanitizer_finish_switch_fiber(here.fakeStack_, &from->bottom_,
                                  &from->bytes_);
#endif
}

void Fiber::start(Arrival arrival) {
  // A copy: the original lies on the stack of `from`.
  Switch change = *static_cast<Switch *>(arrival.transfer.data);
  arrive(change.from, arrival.transfer.fctx, *change.to);
  change.to->entry_(change.to->context_);
}

/// Stacks lie whole pages apart: if all began at the same place of a page, the
/// lines that threads use in turns would compete for a few sets of the cache.
static size_t startOffset(const std::byte *top) {
  constexpr size_t kLineBytes = 64, kPlaces = 61, kPageBytes = 4096;
  return reinterpret_cast<uintptr_t>(top) / kPageBytes % kPlaces * kLineBytes;
}

void Fiber::prepare(std::byte *top, size_t bytes, Entry entry, void *ctx) {
  entry_ = entry;
  context_ = ctx;
  bottom_ = top - bytes;
  bytes_ = bytes;
  fakeStack_ = nullptr;
#ifdef MAMBA_ASAN
  // Frames that never returned left their marks, which only a new mapping
  // wipes out: user poisoning may be switched off, and unpoisoning with it.
  ::mmap(top - bytes, bytes, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
#endif
  size_t offset = startOffset(top);
  position_ = context::make_fcontext(
      top - offset, bytes - offset,
      [](context::transfer_t transfer) { start({transfer}); });
}

void Fiber::switchTo(Fiber &from, Fiber &to) {
  Switch change{&from, &to};
#ifdef MAMBA_ASAN
  __sanitizer_start_switch_fiber(&from.fakeStack_, to.bottom_, to.bytes_);
#endif
  context::transfer_t back = context::jump_fcontext(to.position_, &change);
  arrive(static_cast<Switch *>(back.data)->from, back.fctx, from);
}

//===----------------------------------------------------------------------===//
// FiberStacks
//===----------------------------------------------------------------------===//

/// A kernel's frame holds its spilled registers and local arrays; the checks
/// need little more.
static constexpr size_t kStackBytes = 256 * 1024;

static size_t pageBytes() {
  static const auto bytes = static_cast<size_t>(::sysconf(_SC_PAGE_SIZE));
  return bytes;
}

size_t FiberStacks::bytes() { return kStackBytes; }

std::byte *FiberStacks::top(size_t index) const {
  return mapping_ + (index + 1) * (kStackBytes + pageBytes());
}

Result<std::unique_ptr<FiberStacks>> FiberStacks::create(size_t count) {
  size_t step = kStackBytes + pageBytes();
  void *mapping = ::mmap(nullptr, count * step, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  auto failure = [&] {
    return Status(StatusCode::OutOfMemory,
                  fmt::format("reserving {} stacks of {} bytes for simulated "
                              "threads: {}",
                              count, kStackBytes, std::strerror(errno)));
  };
  if (mapping == MAP_FAILED)
    return failure();
  std::unique_ptr<FiberStacks> stacks(
      new FiberStacks(static_cast<std::byte *>(mapping), count));
  for (size_t i = 0; i < count; ++i)
    if (::mprotect(stacks->mapping_ + i * step, pageBytes(), PROT_NONE) != 0)
      return failure();
  return stacks;
}

FiberStacks::~FiberStacks() {
  ::munmap(mapping_, count_ * (kStackBytes + pageBytes()));
}

} // namespace mamba::simt
