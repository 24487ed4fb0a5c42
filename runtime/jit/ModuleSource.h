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

/// A result's exact values and a kernel's, element by element.
struct ComparedResult {
  std::vector<std::complex<double>> exact;
  std::vector<std::complex<double>> found;
};

/// Thread-safe; calls that need the IR wait for each other.
class ModuleSource {
public:
  ModuleSource(std::string text, std::string name);
  ~ModuleSource();

  const std::string &text() const { return text_; }
  const std::string &name() const { return name_; }

  /// Names of the functions with a body.
  Result<std::vector<std::string>> functionNames();
  /// Fuses the function to see what its tensors' dimensions are.
  Result<FunctionInfo> describe(const std::string &function);
  Result<Artifact> compile(const std::string &function,
                           const VariantRequest &request,
                           const StageHook &onStage,
                           const LoweredHook &onLowered = nullptr);

  /// The function's results for `inputs` in host memory, computed in fp64 by
  /// the reference evaluator and rounded to the result types.
  Result<std::vector<HostTensor>> evaluate(const FunctionInfo &function,
                                           std::span<const TensorView> inputs);
  /// Exact results of a slice beside those in `results`, both in host memory.
  Result<std::vector<ComparedResult>>
  compareSlice(const FunctionInfo &function, std::span<const TensorView> inputs,
               std::span<const TensorView> results, const ProblemSlice &slice);

private:
  struct Parsed;
  /// The IR of this process, under its lock.
  struct Access;
  Result<Access> access();

  std::string text_;
  std::string name_;
  PerProcess<Parsed> parsed_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_MODULESOURCE_H
