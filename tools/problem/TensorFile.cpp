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

#include "tools/problem/TensorFile.h"

#include "runtime/DType.h"
#include "tools/io/Audio.h"
#include "tools/io/Npy.h"
#include "tools/io/Safetensors.h"
#include "tools/io/Spectrogram.h"

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
  for (std::string_view extension : {".npy", ".safetensors", ".wav", ".png"})
    if (path.ends_with(extension))
      return Status();
  return Status(
      StatusCode::InvalidArgument,
      fmt::format("{}: required is FILE.npy, .safetensors, .wav or .png",
                  path));
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

/// The sum over the last dimension, which becomes one element.
static Result<HostTensor> mixChannels(const TensorView &view) {
  std::vector<int64_t> shape(view.shape, view.shape + view.rank);
  shape.back() = 1;
  MAMBA_ASSIGN_OR_RETURN(HostTensor mixed,
                         HostTensor::create(view.dtype, shape));
  auto *base = static_cast<const std::byte *>(view.data);
  int64_t channels = view.shape[view.rank - 1];
  int64_t step = view.strides[view.rank - 1];
  forEachIndex(shape, [&](std::span<const int64_t> index) {
    std::complex<double> sum;
    for (int64_t k = 0; k < channels; ++k)
      sum += readElement(base + (offsetOf(view, index) + k * step) *
                                    byteSize(view.dtype),
                         view.dtype);
    mixed.set(index, sum);
  });
  return mixed;
}

static Status writePicture(const std::string &path, const TensorView &view) {
  if (isComplex(view.dtype) || view.rank > 2 ||
      (view.rank == 2 && view.shape[1] != 1))
    return Status(
        StatusCode::InvalidArgument,
        fmt::format("{}: found {}; a picture shows one real channel of one "
                    "recording: give --output=RESULT:CHANNEL=FILE.png, or "
                    "RESULT:mix",
                    path, view.describe()));
  auto *base = static_cast<const std::byte *>(view.data);
  std::vector<float> samples;
  forEachIndex({view.shape, static_cast<size_t>(view.rank)},
               [&](std::span<const int64_t> index) {
                 int64_t byte = offsetOf(view, index) * byteSize(view.dtype);
                 samples.push_back(static_cast<float>(
                     readElement(base + byte, view.dtype).real()));
               });
  return writePng(path, renderSpectrogram(samples));
}

Status mamba::writeTensorFiles(const std::vector<TensorOutput> &outputs,
                               int sampleRate) {
  std::map<std::string, std::vector<std::pair<std::string, TensorView>>>
      archives;
  std::vector<HostTensor> mixes;
  int rate = sampleRate ? sampleRate : kDefaultSampleRate;
  for (const TensorOutput &output : outputs) {
    TensorView view = output.view;
    if (output.mix) {
      MAMBA_ASSIGN_OR_RETURN(HostTensor mix, mixChannels(view));
      view = mix.view();
      mixes.push_back(std::move(mix));
    }
    if (output.path.ends_with(".safetensors"))
      archives[output.path].emplace_back(output.name, view);
    else if (output.path.ends_with(".wav"))
      MAMBA_RETURN_IF_ERROR(writeWav(output.path, withoutBatch(view), rate));
    else if (output.path.ends_with(".png"))
      MAMBA_RETURN_IF_ERROR(writePicture(output.path, withoutBatch(view)));
    else
      MAMBA_RETURN_IF_ERROR(writeNpy(output.path, view));
  }
  for (const auto &[path, tensors] : archives)
    MAMBA_RETURN_IF_ERROR(writeSafetensors(path, tensors));
  return Status();
}
