//===- Assembler.h - PTX to machine code without a GPU ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ptxas makes the better code: kernels of nvJitLink may take more instructions
// and keep values in memory (bench/NOTES.md has one that takes 1.6 times as
// long).
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_ASSEMBLER_H
#define MAMBA_RUNTIME_CUDA_ASSEMBLER_H

#include "runtime/cuda/NvJitLink.h"
#include "runtime/cuda/Ptxas.h"

#include <functional>
#include <mutex>

namespace mamba::cuda {

/// Makes machine code by ptxas, or by nvJitLink where there is no ptxas or an
/// older one; of that it warns once. Thread-safe.
class Assembler {
public:
  /// With what is installed. The object lives for ever.
  static const Assembler &get();

  using OpenLinker = std::function<Result<const NvJitLink *>()>;
  /// `openLinker` is called only where ptxas will not do.
  Assembler(Result<const Ptxas *> ptxas, OpenLinker openLinker)
      : ptxas_(std::move(ptxas)), openLinker_(std::move(openLinker)) {}

  /// The cubin of `ptx`, called `name` in messages, for `target`, such as
  /// "sm_90". CompileError with the log; Unsupported if neither knows the
  /// target; NotFound, with every place tried, if neither is there.
  Result<std::string> assemble(std::string_view ptx, const std::string &name,
                               std::string_view target) const;

private:
  Result<std::string> assembleByLinker(std::string_view ptx,
                                       const std::string &name,
                                       std::string_view target,
                                       const Status &withoutPtxas) const;

  Result<const Ptxas *> ptxas_;
  OpenLinker openLinker_;
  mutable std::once_flag warned_;
};

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_ASSEMBLER_H
