//===- Export.h - Functions as bundles --------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes a folder that programs without a compiler load (runtime/bundle,
// runtime/loader). No GPU is needed.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_EXPORT_H
#define MAMBA_RUNTIME_JIT_EXPORT_H

#include "runtime/bundle/Manifest.h"
#include "runtime/jit/Training.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mamba {

/// A function, and what its variants are compiled for.
struct ExportedFunction {
  Function function;
  /// The request's target and back end mean nothing. The more general come
  /// later: the last should take all tensors.
  std::vector<VariantRequest> requests;
};

struct ExportOptions {
  /// What the bundle, its header and the header's functions are called; made an
  /// identifier.
  std::string name;
  /// GPU architectures. "cpu" and "simt-sm_90" give objects, which only
  /// programs with the compiler can load.
  std::vector<std::string> targets = {"sm_80", "sm_86",  "sm_89",
                                      "sm_90", "sm_100", "sm_120"};
  /// Forms of the code for GPUs, of cubin, ptx and cuda. Empty: all; cubins
  /// only where ptxas or nvJitLink is installed and knows the target, with a
  /// warning where neither does.
  std::vector<ImageKind> forms;
  /// Names the functions in `functions` that are such a pair.
  const TrainingPair *pair = nullptr;
  /// Called before each compilation: what, and how many are done and in all.
  std::function<void(std::string_view what, size_t done, size_t all)> onStep;
};

/// What was written.
struct ExportedBundle {
  Manifest manifest;
  size_t numVariants = 0;
  /// Names in the folder; the manifest is the last.
  std::vector<std::string> files;
  int64_t bytes = 0;
};

/// Compiles `functions`, with no stride fixed that the requests fix, and writes
/// the bundle to `folder`, which must not exist or be empty or an older bundle:
/// that is replaced. Errors are those of Function::compile; NotFound if cubins
/// were asked for and there is neither ptxas nor nvJitLink; IoError.
Result<ExportedBundle> exportBundle(const std::string &folder,
                                    std::span<const ExportedFunction> functions,
                                    const ExportOptions &options);

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_EXPORT_H
