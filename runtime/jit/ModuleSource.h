//===- ModuleSource.h - A module's text and, on demand, its IR --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The door to the compiler, free of MLIR's headers. The IR is made when first
// asked for: a process that finds its kernels in the cache never makes any.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_MODULESOURCE_H
#define MAMBA_RUNTIME_JIT_MODULESOURCE_H

#include "runtime/KernelKey.h"
#include "runtime/PerProcess.h"
#include "runtime/jit/Jit.h"

#include <complex>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
struct LogicalResult;
} // namespace llvm
namespace mlir {
class ModuleOp;
} // namespace mlir

namespace mamba {

/// Receives a lowered module: CompileRequest::onLowered.
using LoweredHook = std::function<llvm::LogicalResult(mlir::ModuleOp)>;

/// A part of a problem: some sequences and the channels [channelBegin,
/// channelEnd) of each, which are whole groups or lie within one.
struct ProblemSlice {
  std::vector<int64_t> batches;
  int64_t channelBegin = 0;
  int64_t channelEnd = 0;
  /// Channels of the whole problem.
  int64_t numChannels = 0;
};

/// The elements of a slice of each result, in row-major order.
using SliceValues = std::vector<std::vector<std::complex<double>>>;

/// Thread-safe; calls that need the IR wait for each other.
class ModuleSource {
public:
  ModuleSource(std::string text, std::string name);
  ~ModuleSource();

  const std::string &text() const { return text_; }
  const std::string &name() const { return name_; }

  /// The part of a cache key that a variant of a function decides. Left to the
  /// caller: pipeline, compiler and target.
  KernelKey keyOf(const std::string &function,
                  const VariantRequest &request) const;

  /// Names of the functions with a body.
  Result<std::vector<std::string>> functionNames();
  /// Fuses the function to see what its tensors' dimensions are.
  Result<FunctionInfo> describe(const std::string &function);
  /// The text of a module with the function and the one of its gradients; see
  /// Module::differentiate.
  Result<std::string> differentiate(const std::string &function,
                                    std::optional<int64_t> saveEvery);
  Result<Artifact> compile(const std::string &function,
                           const VariantRequest &request,
                           const StageHook &onStage,
                           const LoweredHook &onLowered = nullptr);

  /// The function's results for `inputs` in host memory, computed in fp64 by
  /// the reference evaluator and rounded to the result types.
  Result<std::vector<HostTensor>> evaluate(const FunctionInfo &function,
                                           std::span<const TensorView> inputs);
  /// The error of each of the gradients that `backward` returns beside
  /// differences of `forward`: see codegen/reference/GradientCheck.h.
  Result<std::vector<double>> checkGradients(const std::string &forward,
                                             const std::string &backward,
                                             std::span<const TensorView> inputs,
                                             uint64_t seed);
  /// The exact results of a slice, for inputs in host memory.
  Result<SliceValues> evaluateSlice(const FunctionInfo &function,
                                    std::span<const TensorView> inputs,
                                    const ProblemSlice &slice);

  /// Schedules for the function's kernels that a search begins with, as text:
  /// codegen/Proposals.h.
  Result<std::vector<std::string>>
  proposeSchedules(const std::string &function, const VariantRequest &request,
                   bool usesTable);
  /// Those one decision away from the schedule `from`.
  Result<std::vector<std::string>>
  proposeNeighbours(const std::string &function, const VariantRequest &request,
                    std::string_view from);
  /// All that the compiler's model chooses a schedule by, as one line.
  Result<std::string> describeProblem(const std::string &function,
                                      const VariantRequest &request);

private:
  struct Parsed;
  /// The IR of this process, under its lock.
  struct Access;
  Result<Access> access();

  std::string text_;
  std::string name_;
  PerProcess<Parsed> parsed_;
};

/// A slice of a kernel's results in host memory.
Result<SliceValues> readSlice(const FunctionInfo &function,
                              std::span<const TensorView> results,
                              const ProblemSlice &slice);

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_MODULESOURCE_H
