//===- Audio.h - Sound in .wav and headerless files -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How recordings come in and filtered ones go out. A headerless file is samples
// and nothing else; its extension says of which type.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_AUDIO_H
#define MAMBA_TOOLS_IO_AUDIO_H

#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <string>

namespace mamba {

/// A recording. `samples` is f32 of shape (length, channels), row-major, full
/// scale -1 to 1.
struct Audio {
  HostTensor samples;
  /// Samples a second; 0 if the file doesn't say.
  int sampleRate = 0;
};

/// How samples are stored.
enum class SampleFormat : uint8_t {
  Pcm16,  ///< Integers of 16 bits.
  Float32 ///< IEEE binary32.
};

/// True if readAudio takes files with this extension: .wav, or without header
/// .raw and .f32 (binary32) and .s16 (16-bit integers), all little-endian.
bool isAudioPath(const std::string &path);

/// Reads a recording, its format told by the extension. A .wav may hold 16-,
/// 24- or 32-bit integers or binary32, with any number of channels; integers
/// are divided by 2^(bits - 1). A headerless file has one channel and no rate.
Result<Audio> readAudio(const std::string &path);

/// Writes `samples`, real of shape (length) or (length, channels), as .wav.
/// Fails on samples that are not finite or, with Pcm16, beyond -1 to 1:
/// nothing is clipped.
Status writeWav(const std::string &path, const TensorView &samples,
                int sampleRate, SampleFormat format = SampleFormat::Float32);

} // namespace mamba

#endif // MAMBA_TOOLS_IO_AUDIO_H
