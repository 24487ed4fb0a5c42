//===- Environment.h - Every environment variable, typed ------ -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No other file calls getenv, so this is the list of them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_ENVIRONMENT_H
#define MAMBA_RUNTIME_ENVIRONMENT_H

#include "runtime/simt/Options.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mamba {

/// The settings that a user can give by environment variables. Values that
/// can't be read are warned of and keep their default.
struct Environment {
  /// MAMBA_CACHE_DIR: the folder of the kernel cache. Default:
  /// $XDG_CACHE_HOME/mamba-mlir, or $HOME/.cache/mamba-mlir; empty if neither
  /// is set, which keeps the cache in memory only.
  std::string cacheDir;
  /// MAMBA_CACHE=off (or 0, false): nothing is read from or written to disk.
  bool diskCache = true;
  /// MAMBA_CACHE_BYTES: bytes on disk, with an optional suffix K, M or G.
  int64_t cacheBytes = int64_t(1) << 30;
  /// MAMBA_NUM_THREADS: threads of the CPU device, the caller's included.
  /// 0 (the default): one for each CPU this process may run on.
  int numThreads = 0;
  /// MAMBA_LIBCUDA: the only path to load the library from.
  std::string libcuda;
  /// MAMBA_LIBNVRTC: the only path to load NVRTC from.
  std::string libnvrtc;
  /// MAMBA_LIBNVJITLINK: the only path to load nvJitLink from.
  std::string libnvjitlink;
  /// MAMBA_PTXAS: the only path to run ptxas from.
  std::string ptxas;
  /// CUDA_HOME, CUDA_PATH: toolkits where these three are looked for.
  std::vector<std::string> cudaHomes;
  /// VIRTUAL_ENV, CONDA_PREFIX: Python's folders where they are looked for.
  std::vector<std::string> pythonPrefixes;

  /// MAMBA_SIMT_CHECKS=all (the default), none, or some of bounds, alignment,
  /// uninitialized, races, barriers, shuffles, with commas between them: what
  /// the simt device looks for. MAMBA_SIMT_SEED: a number that permutes its
  /// threads and blocks.
  simt::Options simt;

  /// Reads the variables now.
  static Environment read();
  /// What read() gave on the first call in this process.
  static const Environment &get();
};

} // namespace mamba

#endif // MAMBA_RUNTIME_ENVIRONMENT_H
