//===- Tune.h - The fastest schedule, by measurement ------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     mamba::Result<mamba::TuneReport> report =
//         mamba::autotune(scan, device, {u, delta, A, B, C, y});
//
// Launches of the function with such tensors use what was found, in this
// process and in later ones.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_TUNE_H
#define MAMBA_RUNTIME_JIT_TUNE_H

#include "runtime/jit/Jit.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace mamba {

/// A schedule that the tuner tried.
struct TuneCandidate {
  enum class Outcome : uint8_t {
    Timed,
    Refused, ///< By the compiler or the device.
    Spills,  ///< Its threads keep registers in memory.
    Wrong    ///< Its results differ from the reference.
  };
  std::string schedule;
  Backend backend = Backend::Nvptx; ///< On CUDA devices.
  Outcome outcome = Outcome::Refused;
  /// Of a launch: the median where it could be the fastest, else the only
  /// measurement.
  double seconds = 0;
  /// The largest error of a result as a share of its bound (Verify.h).
  double errorOverBound = 0;
  int registers = 0;
  int blocksPerMultiprocessor = 0;
  std::string reason; ///< Why it was not timed.
};

/// Where a search is.
struct TuneProgress {
  double spentSeconds = 0;
  double budgetSeconds = 0;
  size_t tried = 0;
  /// The last one tried, and the fastest so far; valid during the call.
  const TuneCandidate *last = nullptr;
  const TuneCandidate *best = nullptr;
};

struct TuneOptions {
  /// After which no other schedule is tried; compiling and checking included.
  double seconds = 60;
  /// The road that candidates take on CUDA devices. Auto: nvptx, and the
  /// fastest one once more by nvrtc, where that is found.
  Backend backend = Backend::Auto;
  /// Search although a schedule is known.
  bool searchesAgain = false;
  /// Begin with the table of schedules that comes with the compiler too. Else
  /// the "default" of the report is what the model says of the problem, as it
  /// is for problems that the table does not have, and nothing is kept.
  bool usesTable = true;
  /// Measure these, and search and keep nothing; the first one must run.
  std::vector<std::string> schedules;
  /// Points of the iteration space that the reference computes, once.
  int64_t verifyPoints = int64_t(1) << 20;
  std::function<void(const TuneProgress &)> onProgress;
};

struct TuneReport {
  std::string problem;  ///< What the model knows of it; empty if known.
  std::string schedule; ///< The fastest.
  Backend backend = Backend::Nvptx; ///< By which it is.
  double seconds = 0;               ///< Of a launch with it.
  double defaultSeconds = 0; ///< With the default schedule; 0 if `wasKnown`.
  double spentSeconds = 0;
  bool wasKnown = false;    ///< Nothing was tried.
  bool isExhausted = false; ///< The search ended before the time did.
  std::vector<TuneCandidate> candidates; ///< In the order of the search.
};

/// Searches the schedules that `tensors` (inputs, then results, of `device`)
/// run fastest with, from the compiler's model on: in its neighbourhood, then
/// in that of the fastest so far, until nothing near is faster. Every
/// schedule's results are compared with the reference before it is timed. Reads
/// the inputs, writes to no tensor: it works on copies, of which there are
/// enough to overflow the L2 cache. InvalidArgument as Function::launch, and
/// for negative strides. Fails where the default schedule does.
Result<TuneReport> autotune(const Function &function,
                            const std::shared_ptr<Device> &device,
                            std::span<const TensorView> tensors,
                            const TuneOptions &options = {});

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_TUNE_H
