//===- Verify.h - Kernels against the reference -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How far a kernel's results are from the exact ones, and how far they may be.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_VERIFY_H
#define MAMBA_RUNTIME_JIT_VERIFY_H

#include "runtime/jit/ModuleSource.h"

#include <optional>

namespace mamba {

/// One result compared with the reference.
struct ResultCheck {
  std::string name;
  DType dtype = DType::F32;
  int64_t elements = 0; ///< That were compared.
  /// |found - exact| / |exact|, 2-norms over all finite elements; |found| where
  /// the exact norm is 0. Infinite where one of the two has an infinity or a
  /// NaN that the other has not.
  double error = 0;
  /// What `error` may be: 1e-5 for fp32 (also complex), 1e-12 for fp64, and for
  /// halves 1.05 times the error of rounding the exact result, at least 1e-5.
  double bound = 0;

  bool passed() const { return error <= bound; }
};

/// The first steps of the first channels of the first sequences of a problem.
/// A kernel of the problem runs on them as it is: what divides an extent
/// divides theirs.
struct ProblemPart {
  int64_t batch = 0;
  int64_t length = 0;
  int64_t channels = 0;

  /// The part of `view`, which `spec` describes.
  TensorView of(const TensorView &view, const TensorSpec &spec) const;
  std::vector<TensorView> of(std::span<const TensorView> views,
                             const FunctionInfo &info) const;
};

struct Verification {
  std::vector<ResultCheck> results;
  /// 0: everything was compared; else that many slices of the problem.
  int64_t slices = 0;
  /// What was compared instead, if the results are sums over too many points.
  std::optional<ProblemPart> part;

  bool passed() const;
};

struct VerifyOptions {
  /// Points of the iteration space (b, l, d, n) that the reference may compute.
  int64_t maxPoints = int64_t(1) << 22;
  /// Chooses the slices of a larger problem; the first and the last channel are
  /// always in one.
  uint64_t seed = 0;
};

/// The part to compare where results are sums over sequences or channels, of
/// which slices tell nothing: of a problem of more points than the options
/// allow, as far as its types leave the extents open. None: compare all of it.
std::optional<ProblemPart> partToVerify(const FunctionInfo &info,
                                        std::span<const TensorView> tensors,
                                        const VerifyOptions &options = {});

/// What the reference gives for some inputs, to compare several kernels'
/// results with. Problems of more points than `maxPoints` are compared on
/// slices: some channels of some sequences.
class Verifier {
public:
  /// Evaluates the reference. `inputs` are in host memory; of `results` only
  /// the shapes count.
  static Result<Verifier> create(const Function &function,
                                 std::span<const TensorView> inputs,
                                 std::span<const TensorView> results,
                                 const VerifyOptions &options = {});

  /// Compares results in host memory.
  Result<Verification> check(std::span<const TensorView> results) const;

private:
  explicit Verifier(Function function) : function_(std::move(function)) {}

  Function function_;
  std::vector<ProblemSlice> slices_;
  std::vector<SliceValues> exact_; ///< One a slice.
  bool isWhole_ = true;
};

/// Compares one kernel's results.
Result<Verification> verify(const Function &function,
                            std::span<const TensorView> inputs,
                            std::span<const TensorView> results,
                            const VerifyOptions &options = {});

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_VERIFY_H
