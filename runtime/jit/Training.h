//===- Training.h - A function and its gradients ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gradients need the states of a scan, which are N times as large as its
// inputs, so no memory holds them: they are computed again. Forward can save
// some of them for that, at a price that the caller chooses.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_TRAINING_H
#define MAMBA_RUNTIME_JIT_TRAINING_H

#include "runtime/jit/Jit.h"

namespace mamba {

/// A function and the one of its gradients.
struct TrainingPair {
  /// Takes the function's arguments; returns its results, then what it saves.
  Function forward;
  /// Takes those arguments that gradients need, the gradient of a loss in each
  /// of the function's results (`dNAME`), then what forward saved, under the
  /// same names. Returns the gradient in each argument.
  Function backward;
  /// Steps from one saved state to the next; 0 where nothing is saved.
  int64_t saveEvery = 0;
  uint32_t numSaved = 0;

  /// The tensors that forward saves: its last results.
  std::span<const TensorSpec> saved() const;
  /// Their size. Takes extents that types do not tell.
  int64_t savedBytes(int64_t batch, int64_t length, int64_t channels) const;
};

/// Backward kernels walk tiles of this many steps, or some times that: states
/// saved more often have no use.
inline constexpr int64_t kFinestSaving = 32;

/// Makes the pair of `function` (empty: the module's only one) that saves
/// states before every `saveEvery`-th step; with 0, nothing. Errors are those
/// of Module::differentiate and Module::function; InvalidArgument for a
/// negative number.
Result<TrainingPair> makeTrainingPair(const Module &module,
                                      std::string_view function = {},
                                      int64_t saveEvery = kFinestSaving);

/// The finest saving of `function` that needs at most `bytes` for a problem of
/// these extents: steps from one state to the next, kFinestSaving times a power
/// of 2, or 0 where nothing but initial states would be saved.
Result<int64_t> savingWithin(const Module &module, std::string_view function,
                             int64_t bytes, int64_t batch, int64_t length,
                             int64_t channels);

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_TRAINING_H
