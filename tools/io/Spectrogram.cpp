//===- Spectrogram.cpp - Sound as a picture -------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The Fourier transform is Debian's kissfft (libkissfft-dev), whose C++ form is
// one header. Colours follow matplotlib's "magma": even steps of loudness look
// even, also in print and to the colour-blind.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Spectrogram.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <complex>
#include <kissfft/kissfft.hh>
#include <numbers>

using namespace mamba;

namespace {

using Color = std::array<float, 3>;

/// The colour of loudness `t` in [0, 1]: a polynomial of degree 6 fitted to
/// magma's table (Matt Zucker's coefficients, public domain).
Color magma(float t) {
  static constexpr Color kCoefficients[] = {
      {-0.002136f, -0.000750f, -0.005386f},
      {0.251661f, 0.677523f, 2.494027f},
      {8.353717f, -3.577720f, 0.314468f},
      {-27.668733f, 14.264731f, -13.649213f},
      {52.176140f, -27.943606f, 12.944169f},
      {-50.768525f, 29.046583f, 4.234153f},
      {18.655705f, -11.489774f, -5.601962f}};
  Color color = {0, 0, 0};
  for (int power = 6; power >= 0; --power)
    for (int i = 0; i < 3; ++i)
      color[i] = color[i] * t + kCoefficients[power][i];
  return color;
}

std::vector<float> hann(int window) {
  std::vector<float> weights(window);
  for (int i = 0; i < window; ++i)
    weights[i] = static_cast<float>(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / window));
  return weights;
}

/// Column by column, `rows` powers each, lowest frequency first.
std::vector<float> powers(std::span<const float> samples, int window,
                          int64_t hop, int columns) {
  const int rows = window / 2;
  const std::vector<float> weights = hann(window);
  kissfft<float> transform(window, /*inverse=*/false);
  std::vector<std::complex<float>> frame(window), spectrum(window);
  std::vector<float> result;
  result.reserve(static_cast<size_t>(columns) * rows);
  for (int column = 0; column < columns; ++column) {
    const int64_t first = column * hop - rows;
    for (int i = 0; i < window; ++i) {
      const int64_t at = first + i;
      const bool inside =
          at >= 0 && at < std::ssize(samples) && std::isfinite(samples[at]);
      frame[i] = inside ? samples[at] * weights[i] : 0.0f;
    }
    transform.transform(frame.data(), spectrum.data());
    for (int row = 0; row < rows; ++row) {
      // Samples far beyond full scale may overflow.
      const float power = std::norm(spectrum[row]);
      result.push_back(std::isfinite(power) ? power : FLT_MAX);
    }
  }
  return result;
}

/// The step between columns for `length` samples.
int64_t chooseHop(int64_t length, int window, int wanted) {
  constexpr int64_t kMaxColumns = 32768;
  // A step much shorter than the window shows nothing new.
  const int64_t step =
      wanted > 0 ? wanted : std::max<int64_t>(length / 1000, window / 16);
  return std::max({step, length / kMaxColumns + 1, int64_t{1}});
}

} // namespace

Picture mamba::renderSpectrogram(std::span<const float> samples,
                                 const SpectrogramOptions &options) {
  const int window = std::max(2, options.window & ~1);
  const int64_t hop = chooseHop(std::ssize(samples), window, options.hop);
  Picture picture;
  picture.width = static_cast<int>(std::ssize(samples) / hop + 1);
  picture.height = window / 2;
  picture.rgb.resize(picture.offset(0, picture.height));

  const std::vector<float> power = powers(samples, window, hop, picture.width);
  // A floor keeps the logarithm of silence finite.
  const float loudest =
      std::max(*std::max_element(power.begin(), power.end()), 1e-20f);
  for (int x = 0; x < picture.width; ++x) {
    for (int y = 0; y < picture.height; ++y) {
      const size_t row = picture.height - 1 - y;
      const float ratio =
          power[static_cast<size_t>(x) * picture.height + row] / loudest;
      const float decibels = 10 * std::log10(std::max(ratio, 1e-20f));
      const Color color =
          magma(std::clamp(1 + decibels / options.rangeDb, 0.0f, 1.0f));
      for (int i = 0; i < 3; ++i)
        picture.rgb[picture.offset(x, y) + i] = static_cast<uint8_t>(
            std::lround(255 * std::clamp(color[i], 0.0f, 1.0f)));
    }
  }
  return picture;
}
