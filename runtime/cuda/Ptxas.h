//===- Ptxas.h - PTX to machine code by NVIDIA's assembler ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The program of the CUDA toolkit. It sees whole kernels; nvJitLink compiles
// the same PTX as a part of something larger, with fewer registers for it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_PTXAS_H
#define MAMBA_RUNTIME_CUDA_PTXAS_H

#include "runtime/Status.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mamba::cuda {

/// A ptxas that runs. Thread-safe: each call is a process of its own, and is
/// waited for.
class Ptxas {
public:
  /// The program that this process uses, looked for on the first call. The
  /// object lives for ever. NotFound with every place tried and where to get
  /// it.
  static Result<const Ptxas *> get();
  /// The first program of `paths` that runs and says which release it is of.
  static Result<std::unique_ptr<Ptxas>>
  load(std::span<const std::string> paths);

  /// `cudaVersion` as the driver counts: 13000 for 13.0.
  Ptxas(std::string path, int cudaVersion)
      : path_(std::move(path)), cudaVersion_(cudaVersion) {}

  /// The cubin of `ptx`, called `name` in messages, for `target`, such as
  /// "sm_90". Unsupported if this release does not know the target or the
  /// version of PTX; CompileError with what the program wrote.
  Result<std::string> assemble(std::string_view ptx, const std::string &name,
                               std::string_view target) const;

  /// "ptxas 13.0 (/usr/local/cuda/bin/ptxas)".
  std::string version() const;

private:
  Result<std::string> run(std::string_view ptx, const std::string &name,
                          std::string_view target) const;
  Status checkKnown(std::string_view ptx, const std::string &name,
                    std::string_view target) const;

  std::string path_;
  int cudaVersion_;
};

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_PTXAS_H
