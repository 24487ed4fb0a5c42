//===- TensorFile.cpp - Tensors by file name ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dispatch to tools/io.
//
//===----------------------------------------------------------------------===//

#include "tools/mamba-run/TensorFile.h"

#include "tools/io/Audio.h"
#include "tools/io/Npy.h"
#include "tools/io/Safetensors.h"

#include <fmt/format.h>
#include <map>

using namespace mamba;

/// The rate of recordings that were made from nothing.
static constexpr int kDefaultSampleRate = 48000;

Result<LoadedTensor> mamba::readTensorFile(const std::string &path) {
  LoadedTensor loaded;
  if (path.ends_with(".npy")) {
    MAMBA_ASSIGN_OR_RETURN(loaded.tensor, readNpy(path));
    return loaded;
  }
  size_t colon = path.rfind(".safetensors:");
  if (colon != std::string::npos) {
    size_t end = colon + std::string_view(".safetensors").size();
    MAMBA_ASSIGN_OR_RETURN(SafetensorsFile file,
                           SafetensorsFile::open(path.substr(0, end)));
    MAMBA_ASSIGN_OR_RETURN(loaded.tensor, file.read(path.substr(end + 1)));
    return loaded;
  }
  if (isAudioPath(path)) {
    MAMBA_ASSIGN_OR_RETURN(Audio audio, readAudio(path));
    loaded.tensor = std::move(audio.samples);
    loaded.sampleRate = audio.sampleRate;
    return loaded;
  }
  return Status(StatusCode::InvalidArgument,
                fmt::format("{}: required is FILE.npy, FILE.safetensors:KEY, "
                            "or a recording (.wav, .raw, .f32, .s16)",
                            path));
}

Status mamba::checkOutputPath(const std::string &path) {
  if (path.ends_with(".npy") || path.ends_with(".safetensors") ||
      path.ends_with(".wav"))
    return Status();
  return Status(
      StatusCode::InvalidArgument,
      fmt::format("{}: required is FILE.npy, .safetensors or .wav", path));
}

/// The view without leading dimensions of one element, down to rank 2: a
/// recording has no batch.
static TensorView withoutBatch(const TensorView &view) {
  TensorView result = view;
  while (result.rank > 2 && result.shape[0] == 1) {
    std::span<const int64_t> shape(result.shape + 1, result.rank - 1);
    std::span<const int64_t> strides(result.strides + 1, result.rank - 1);
    result = TensorView(result.data, result.dtype, shape, strides);
  }
  return result;
}

Status mamba::writeTensorFiles(const std::vector<TensorOutput> &outputs,
                               int sampleRate) {
  std::map<std::string, std::vector<std::pair<std::string, TensorView>>>
      archives;
  int rate = sampleRate ? sampleRate : kDefaultSampleRate;
  for (const TensorOutput &output : outputs) {
    if (output.path.ends_with(".safetensors"))
      archives[output.path].emplace_back(output.name, output.view);
    else if (output.path.ends_with(".wav"))
      MAMBA_RETURN_IF_ERROR(
          writeWav(output.path, withoutBatch(output.view), rate));
    else
      MAMBA_RETURN_IF_ERROR(writeNpy(output.path, output.view));
  }
  for (const auto &[path, tensors] : archives)
    MAMBA_RETURN_IF_ERROR(writeSafetensors(path, tensors));
  return Status();
}
