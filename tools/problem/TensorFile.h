//===- TensorFile.h - Tensors by file name ----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The extension chooses the format.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_TENSORFILE_H
#define MAMBA_TOOLS_PROBLEM_TENSORFILE_H

#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <string>
#include <utility>
#include <vector>

namespace mamba {

/// A tensor from a file.
struct LoadedTensor {
  HostTensor tensor;
  /// Samples a second where the file is a recording; else 0.
  int sampleRate = 0;
};

/// Reads FILE.npy, FILE.safetensors:KEY, or a recording (.wav, .raw, .f32,
/// .s16).
Result<LoadedTensor> readTensorFile(const std::string &path);

/// One tensor to write, and where.
struct TensorOutput {
  std::string path;
  std::string name;
  TensorView view;
  /// Write the sum over the last dimension.
  bool mix = false;
};

/// Fails unless `path` ends in .npy, .safetensors, .wav or .png.
Status checkOutputPath(const std::string &path);

/// Writes all; those that name the same .safetensors file share it. A .wav is
/// written at `sampleRate`, or 48000 if that is 0; a .png is the spectrogram of
/// one channel.
Status writeTensorFiles(const std::vector<TensorOutput> &outputs,
                        int sampleRate);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_TENSORFILE_H
