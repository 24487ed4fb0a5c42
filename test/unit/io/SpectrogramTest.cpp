//===- SpectrogramTest.cpp - Sound as a picture ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pictures whose bright spots are known, and the .png file decoded again.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Spectrogram.h"

#include "test/unit/io/TemporaryFolder.h"

#include <cmath>
#include <limits>
#include <numbers>

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb/stb_image.h>

using namespace mamba;

namespace {

using PngTest = TemporaryFolder;

int brightness(const Picture &picture, int x, int y) {
  const size_t at = picture.offset(x, y);
  return picture.rgb[at] + picture.rgb[at + 1] + picture.rgb[at + 2];
}

std::vector<float> tone(int length, double cyclesPerSample) {
  std::vector<float> samples(length);
  for (int i = 0; i < length; ++i)
    samples[i] = static_cast<float>(
        std::sin(2 * std::numbers::pi * cyclesPerSample * i));
  return samples;
}

TEST(SpectrogramTest, ToneIsABrightLineAtItsFrequency) {
  // Bin 32 of 256: row 32 from the bottom of 128 rows.
  const Picture picture =
      renderSpectrogram(tone(4096, 32.0 / 256), {.window = 256, .hop = 64});
  EXPECT_EQ(picture.width, 65);
  ASSERT_EQ(picture.height, 128);
  for (int x = 2; x < 60; ++x) {
    for (int y = 0; y < 128; ++y) {
      if (y == 127 - 32)
        EXPECT_GT(brightness(picture, x, y), 600);
      else if (std::abs(y - (127 - 32)) > 2)
        EXPECT_LT(brightness(picture, x, y), 60);
    }
  }
}

TEST(SpectrogramTest, TimeRunsToTheRight) {
  std::vector<float> samples(8192);
  samples[6144] = 1;
  const Picture picture =
      renderSpectrogram(samples, {.window = 256, .hop = 64});
  EXPECT_GT(brightness(picture, 96, 64), 600);
  EXPECT_LT(brightness(picture, 32, 64), 10);
}

TEST(SpectrogramTest, RangeSetsTheDarkest) {
  std::vector<float> samples = tone(4096, 0.25);
  for (size_t i = 2048; i < samples.size(); ++i)
    samples[i] *= 0.01f; // 40 dB less.
  const SpectrogramOptions wide = {.window = 256, .hop = 64, .rangeDb = 80};
  const SpectrogramOptions narrow = {.window = 256, .hop = 64, .rangeDb = 30};
  EXPECT_GT(brightness(renderSpectrogram(samples, wide), 48, 63), 200);
  EXPECT_LT(brightness(renderSpectrogram(samples, narrow), 48, 63), 10);
}

TEST(SpectrogramTest, SilenceAndBadSamplesAreBlack) {
  std::vector<float> samples(2000, std::numeric_limits<float>::quiet_NaN());
  samples[7] = std::numeric_limits<float>::infinity();
  for (const Picture &picture :
       {renderSpectrogram({}), renderSpectrogram(samples)})
    for (uint8_t value : picture.rgb)
      ASSERT_LT(value, 3);
}

TEST(SpectrogramTest, HugeSamplesStayInRange) {
  const std::vector<float> samples(2000, std::numeric_limits<float>::max());
  const Picture picture = renderSpectrogram(samples, {.window = 64});
  EXPECT_GT(brightness(picture, picture.width / 2, picture.height - 1), 600);
}

TEST_F(PngTest, DecodesToTheSamePixels) {
  Picture picture;
  picture.width = 37;
  picture.height = 19;
  for (size_t i = 0; i < picture.offset(0, 19); ++i)
    picture.rgb.push_back(static_cast<uint8_t>(i * 7 + i / 11));
  ASSERT_TRUE(writePng(path("x.png"), picture).ok());

  const std::string bytes = get(path("x.png"));
  int width = 0, height = 0, channels = 0;
  stbi_uc *pixels = stbi_load_from_memory(
      reinterpret_cast<const stbi_uc *>(bytes.data()),
      static_cast<int>(bytes.size()), &width, &height, &channels, 0);
  ASSERT_NE(pixels, nullptr);
  EXPECT_EQ(width, 37);
  EXPECT_EQ(height, 19);
  ASSERT_EQ(channels, 3);
  EXPECT_TRUE(std::equal(picture.rgb.begin(), picture.rgb.end(), pixels));
  stbi_image_free(pixels);
}

TEST_F(PngTest, RefusesEmptyPicturesAndMissingFolders) {
  EXPECT_ERROR(writePng(path("x.png"), {}), StatusCode::InvalidArgument,
               "a picture of 0 x 0 pixels");
  const Picture dot = {1, 1, {0, 0, 0}};
  EXPECT_ERROR(writePng(path("none/x.png"), dot), StatusCode::NotFound,
               "cannot create");
}

} // namespace
