//===- Nvrtc.h - CUDA C++ compiled at run time ------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NVIDIA's compiler library, opened with dlopen when CUDA C++ is first to be
// compiled, and never linked. It needs no GPU and no driver.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_NVRTC_H
#define MAMBA_RUNTIME_CUDA_NVRTC_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mamba::cuda {

struct NvrtcProgram;

/// What NVRTC made of a file.
struct CudaCode {
  std::string ptx;   ///< Text.
  std::string cubin; ///< Machine code of the architecture asked for.
  std::string log;   ///< Warnings; empty if there were none.
};

/// A loaded NVRTC. Thread-safe.
class Nvrtc {
public:
  /// The library of this process, loaded on the first call. The object lives
  /// for ever. NotFound with every place tried and where to get NVRTC.
  static Result<const Nvrtc *> get();
  /// Loads the first library of `paths` that opens and has all functions.
  static Result<std::unique_ptr<Nvrtc>>
  load(std::span<const std::string> paths);

  /// Compiles `source`, called `name` in messages, for `target`, such as
  /// "sm_90"; contraction is off. CompileError with the library's log.
  Result<CudaCode> compile(const std::string &source, const std::string &name,
                           std::string_view target) const;

  /// As a cache key has it: "nvrtc 13.0".
  std::string version() const;
  /// The path that was opened.
  const std::string &path() const { return path_; }

private:
  int (*nvrtcVersion)(int *, int *) = nullptr;
  const char *(*nvrtcGetErrorString)(int) = nullptr;
  int (*nvrtcCreateProgram)(NvrtcProgram **, const char *, const char *, int,
                            const char *const *, const char *const *) = nullptr;
  int (*nvrtcDestroyProgram)(NvrtcProgram **) = nullptr;
  int (*nvrtcCompileProgram)(NvrtcProgram *, int,
                             const char *const *) = nullptr;
  int (*nvrtcGetPTXSize)(NvrtcProgram *, size_t *) = nullptr;
  int (*nvrtcGetPTX)(NvrtcProgram *, char *) = nullptr;
  int (*nvrtcGetCUBINSize)(NvrtcProgram *, size_t *) = nullptr;
  int (*nvrtcGetCUBIN)(NvrtcProgram *, char *) = nullptr;
  int (*nvrtcGetProgramLogSize)(NvrtcProgram *, size_t *) = nullptr;
  int (*nvrtcGetProgramLog)(NvrtcProgram *, char *) = nullptr;

  const char *resolve(void *library);
  Status check(int result, const char *call) const;
  Result<std::string> read(NvrtcProgram *program, const char *call,
                           int (*size)(NvrtcProgram *, size_t *),
                           int (*get)(NvrtcProgram *, char *)) const;
  Result<CudaCode> compile(NvrtcProgram *program,
                           std::string_view target) const;

  std::string path_;
};

/// Turns an artifact of CUDA C++ into one of machine code for `target`, such as
/// "sm_90"; other artifacts stay as they are.
Result<Artifact> compileSource(Artifact artifact, std::string_view target);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_NVRTC_H
