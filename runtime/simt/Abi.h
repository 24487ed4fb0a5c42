//===- Abi.h - What simulated kernels and the runtime share -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler turns a GPU kernel into a host function of one thread, which
// reads its thread's registers from a struct and calls the runtime through a
// table. Nothing is resolved by name, so programs need not export anything.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_ABI_H
#define MAMBA_RUNTIME_SIMT_ABI_H

#include <cstddef>
#include <cstdint>

namespace mamba::simt {

/// To be raised with every change of this file that changes compiled code.
inline constexpr uint64_t kAbiVersion = 4;

inline constexpr uint32_t kWarpSize = 32;
inline constexpr uint32_t kMaxThreads = 1024;

/// What an instruction that the runtime watches does.
enum class SiteKind : uint8_t {
  Load,
  Store,
  Atomic,
  Release, ///< An atomic store that orders what came before it.
  Acquire, ///< Behind an atomic load that orders what comes after it.
  Barrier,
  WarpSync,
  ShuffleUp,
  ShuffleDown,
  ShuffleButterfly,
  ShuffleIndex,
  VoteAll,
  VoteAny,
  VoteUniform,
  VoteBallot,
  PhaseInit, ///< Of an mbarrier, as are the next ones.
  PhaseArrive,
  PhaseWait
};

/// NVPTX's address spaces.
enum class Space : uint8_t { Generic = 0, Global = 1, Shared = 3 };

/// One watched instruction of a kernel; constant data of its object.
struct Site {
  const char *file; ///< Of its place in the source; null: unknown.
  const char *text; ///< The instruction as LLVM prints it.
  uint32_t line;
  uint32_t column; ///< 0: the place is that of the whole kernel.
  /// The kernel argument that the address was computed from; -1: several, or
  /// none.
  int32_t argument;
  uint32_t alignment; ///< Bytes that the instruction requires.
  SiteKind kind;
  Space space;
};

/// Special registers, in the order of Thread::registers.
enum class Register : uint32_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpSize
};
inline constexpr size_t kNumRegisters = 14;

struct Thread;

/// Runtime functions that kernels call. Those with a Site may suspend the
/// thread, and don't return once a check has failed.
struct Services {
  /// Checks an access of `bytes` bytes before it happens.
  void (*access)(Thread *, const void *address, uint64_t bytes, const Site *);
  /// Barrier `id` of the block; `count` threads take part, 0: all.
  void (*barrier)(Thread *, uint32_t id, uint32_t count, const Site *);
  void (*warpSync)(Thread *, uint32_t mask, const Site *);
  /// The value in the low half, the predicate in bit 32. `lane` and `clamp`
  /// are the operands b and c of PTX's shfl.sync.
  uint64_t (*shuffle)(Thread *, uint32_t mask, uint32_t value, uint32_t lane,
                      uint32_t clamp, const Site *);
  uint32_t (*vote)(Thread *, uint32_t mask, uint32_t predicate, const Site *);
  /// The mbarrier at `address`: makes it one of `count` arrivals a phase;
  /// arrives; returns once a phase of this parity is the last one that ended.
  void (*initPhases)(Thread *, const void *address, uint32_t count,
                     const Site *);
  void (*arrive)(Thread *, const void *address, const Site *);
  void (*waitForPhase)(Thread *, const void *address, uint32_t parity,
                       const Site *);
  /// Copies 16 bytes from global to shared memory, of which all but the first
  /// `bytes` are zeros: some time before finishCopies() returns.
  void (*copy)(Thread *, void *to, const void *from, uint32_t bytes);
  /// Ends a group of the thread's copies; returns once all of its groups but
  /// the last `most` are done.
  void (*commitCopies)(Thread *);
  void (*finishCopies)(Thread *, uint32_t most);
  /// The approximate instructions, .ftz.
  float (*exp2)(float);
  float (*log2)(float);
  float (*reciprocal)(float);
  float (*squareRoot)(float);
  float (*reciprocalSquareRoot)(float);
};

/// What a kernel sees of the thread that it runs as.
struct Thread {
  std::byte *shared; ///< The block's memory: static, then dynamic.
  const Services *services;
  uint32_t registers[kNumRegisters];
};

/// A kernel in an object, under the name of the launch's entry.
struct KernelImage {
  uint64_t abiVersion;
  /// Runs one thread; `args` are the launch's, 8 bytes each.
  void (*code)(Thread *thread, const int64_t *args);
  uint64_t staticSharedBytes;
  uint64_t requiredThreads; ///< A block's; 0: any number.
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_ABI_H
