//===- Spectrogram.h - Sound as a picture -----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A picture of what a filter did to a recording, for the audio example: time to
// the right, frequency upwards, loudness as colour.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_SPECTROGRAM_H
#define MAMBA_TOOLS_IO_SPECTROGRAM_H

#include "tools/io/Png.h"

#include <span>

namespace mamba {

struct SpectrogramOptions {
  /// Samples of one Fourier transform, even; the picture has half as many rows.
  int window = 1024;
  /// Samples between two columns; 0 picks one that makes about 1,000 columns.
  /// Raised where the picture would have more than 32,768.
  int hop = 0;
  /// Decibels from the loudest point (brightest) down to black.
  float rangeDb = 80;
};

/// The magnitudes of a Fourier transform under a sliding Hann window, in
/// decibels below the loudest one. The lowest row is 0 Hz, the top one is just
/// under half the sample rate. The recording is padded with silence by half a
/// window at both ends, so column c is centred on sample c * hop. A recording
/// of silence, or of no samples, is black. Samples that are not finite count as
/// silence.
Picture renderSpectrogram(std::span<const float> samples,
                          const SpectrogramOptions &options = {});

} // namespace mamba

#endif // MAMBA_TOOLS_IO_SPECTROGRAM_H
