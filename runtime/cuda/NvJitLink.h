//===- NvJitLink.h - PTX to machine code without a GPU ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NVIDIA's linker library holds the assembler that the driver has, for every
// architecture. Opened with dlopen when first used, and never linked. It takes
// PTX for a part of a program, as `ptxas -c` does, and no option changes that:
// the S6 layer at 262,144 steps gets 3,568 instructions on sm_90, with spills,
// and 2,568 without from ptxas (Assembler.h).
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_NVJITLINK_H
#define MAMBA_RUNTIME_CUDA_NVJITLINK_H

#include "runtime/Status.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mamba::cuda {

struct NvJitLinkHandle;

/// A loaded nvJitLink. Thread-safe.
class NvJitLink {
public:
  /// The library of this process, loaded on the first call. The object lives
  /// for ever. NotFound with every place tried and where to get it.
  static Result<const NvJitLink *> get();
  /// Loads the first library of `paths` that opens and has all functions.
  static Result<std::unique_ptr<NvJitLink>>
  load(std::span<const std::string> paths);

  /// The cubin of `ptx`, called `name` in messages, for `target`, such as
  /// "sm_90". Unsupported if the library does not know that; CompileError with
  /// the library's log.
  Result<std::string> assemble(std::string_view ptx, const std::string &name,
                               std::string_view target) const;

  /// "nvJitLink 13.0".
  std::string version() const;

private:
  int (*nvJitLinkCreate)(NvJitLinkHandle **, uint32_t, const char **) = nullptr;
  int (*nvJitLinkDestroy)(NvJitLinkHandle **) = nullptr;
  int (*nvJitLinkAddData)(NvJitLinkHandle *, int, const void *, size_t,
                          const char *) = nullptr;
  int (*nvJitLinkComplete)(NvJitLinkHandle *) = nullptr;
  int (*nvJitLinkGetLinkedCubinSize)(NvJitLinkHandle *, size_t *) = nullptr;
  int (*nvJitLinkGetLinkedCubin)(NvJitLinkHandle *, void *) = nullptr;
  int (*nvJitLinkGetErrorLogSize)(NvJitLinkHandle *, size_t *) = nullptr;
  int (*nvJitLinkGetErrorLog)(NvJitLinkHandle *, char *) = nullptr;
  int (*nvJitLinkVersion)(unsigned *, unsigned *) = nullptr;

  const char *resolve(void *library);
  Result<NvJitLinkHandle *> create(std::string_view target) const;
  std::string logOf(NvJitLinkHandle *handle) const;
  Result<std::string> assemble(NvJitLinkHandle *handle, std::string_view ptx,
                               const std::string &name) const;
};

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_NVJITLINK_H
