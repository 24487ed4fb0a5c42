//===- AudioTest.cpp - Sound in .wav and headerless files -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every sample format with values worked out by hand, and damaged files.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Audio.h"

#include "test/unit/io/TemporaryFolder.h"

#include <array>
#include <cmath>
#include <limits>
#include <span>

using namespace mamba;

namespace {

using AudioTest = TemporaryFolder;

template <typename T> std::string bytesOf(T value) {
  return {reinterpret_cast<const char *>(&value), sizeof(value)};
}

std::string chunk(std::string_view name, std::string_view body) {
  return std::string(name) + bytesOf<uint32_t>(body.size()) +
         std::string(body) + std::string(body.size() & 1, '\0');
}

std::string formatChunk(uint16_t format, uint16_t channels, uint16_t bits) {
  const auto frame = static_cast<uint16_t>(channels * bits / 8);
  return chunk("fmt ", bytesOf(format) + bytesOf(channels) +
                           bytesOf<uint32_t>(48000) +
                           bytesOf<uint32_t>(48000u * frame) + bytesOf(frame) +
                           bytesOf(bits));
}

std::string riff(const std::string &chunks) {
  return "RIFF" + bytesOf<uint32_t>(4 + chunks.size()) + "WAVE" + chunks;
}

std::span<const float> samplesOf(const Audio &audio) {
  return {static_cast<const float *>(audio.samples.view().data),
          static_cast<size_t>(audio.samples.view().numElements())};
}

TEST_F(AudioTest, ReadsIntegersOf16Bits) {
  const Result<Audio> audio = readAudio(put(
      "x.wav",
      riff(formatChunk(1, 2, 16) +
           chunk("data", bytesOf<int16_t>(-32768) + bytesOf<int16_t>(16384) +
                             bytesOf<int16_t>(0) + bytesOf<int16_t>(-1)))));
  ASSERT_TRUE(audio.ok()) << audio.status().message();
  EXPECT_EQ(audio->sampleRate, 48000);
  EXPECT_EQ(audio->samples.view().describe(), "f32[2x2] strides [2, 1]");
  const float expected[] = {-1, 0.5, 0, -1 / 32768.0f};
  EXPECT_TRUE(std::ranges::equal(samplesOf(*audio), expected));
}

TEST_F(AudioTest, ReadsIntegersOf24And32Bits) {
  const std::string bits24("\x00\x00\x80\x01\x00\x00", 6);
  Result<Audio> audio = readAudio(
      put("x.wav", riff(formatChunk(1, 1, 24) + chunk("data", bits24))));
  ASSERT_TRUE(audio.ok()) << audio.status().message();
  const float expected24[] = {-1, 0x1p-23f};
  EXPECT_TRUE(std::ranges::equal(samplesOf(*audio), expected24));

  audio = readAudio(
      put("x.wav", riff(formatChunk(1, 1, 32) +
                        chunk("data", bytesOf<int32_t>(1 << 30) +
                                          bytesOf<int32_t>(INT32_MIN)))));
  ASSERT_TRUE(audio.ok()) << audio.status().message();
  const float expected32[] = {0.5, -1};
  EXPECT_TRUE(std::ranges::equal(samplesOf(*audio), expected32));
}

TEST_F(AudioTest, ReadsTheExtensibleFormAndSkipsOtherChunks) {
  // The extension: its size, bits that count, speakers, then the format as the
  // first two bytes of a GUID.
  const std::string extensible =
      chunk("fmt ", bytesOf<uint16_t>(0xfffe) + bytesOf<uint16_t>(1) +
                        bytesOf<uint32_t>(44100) + bytesOf<uint32_t>(176400) +
                        bytesOf<uint16_t>(4) + bytesOf<uint16_t>(32) +
                        bytesOf<uint16_t>(22) + bytesOf<uint16_t>(32) +
                        bytesOf<uint32_t>(4) + bytesOf<uint16_t>(3) +
                        std::string(14, 'g'));
  const Result<Audio> audio =
      readAudio(put("x.wav", riff(chunk("LIST", "odd") + extensible +
                                  chunk("data", bytesOf(0.25f)))));
  ASSERT_TRUE(audio.ok()) << audio.status().message();
  EXPECT_EQ(audio->sampleRate, 44100);
  EXPECT_EQ(samplesOf(*audio).front(), 0.25f);
}

TEST_F(AudioTest, ReadsHeaderlessFiles) {
  Result<Audio> audio = readAudio(put("x.raw", bytesOf(0.5f) + bytesOf(-2.0f)));
  ASSERT_TRUE(audio.ok()) << audio.status().message();
  EXPECT_EQ(audio->sampleRate, 0);
  EXPECT_EQ(audio->samples.view().describe(), "f32[2x1] strides [1, 1]");
  EXPECT_EQ(samplesOf(*audio)[1], -2.0f);

  audio = readAudio(put("x.s16", bytesOf<int16_t>(8192)));
  ASSERT_TRUE(audio.ok()) << audio.status().message();
  EXPECT_EQ(samplesOf(*audio)[0], 0.25f);

  EXPECT_ERROR(readAudio(put("x.f32", "abc")), StatusCode::CorruptData,
               "found 3 bytes of samples; required is a multiple of 4");
  EXPECT_ERROR(readAudio(put("x.mp3", "abcd")), StatusCode::InvalidArgument,
               "required is the extension .wav, .raw, .f32 or .s16");
}

TEST_F(AudioTest, RoundTripsFloat) {
  HostTensor samples(DType::F32, {100, 2});
  samples.fill([](int64_t i) { return std::sin(static_cast<double>(i)) * 3; });
  ASSERT_TRUE(writeWav(path("x.wav"), samples.view(), 16000).ok());
  const Result<Audio> back = readAudio(path("x.wav"));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->sampleRate, 16000);
  EXPECT_TRUE(std::ranges::equal(back->samples.bytes(), samples.bytes()));
}

TEST_F(AudioTest, RoundTripsIntegers) {
  // Every value that a 16-bit file can hold comes back as it was.
  HostTensor samples(DType::F64, {65536});
  samples.fill(
      [](int64_t i) { return (static_cast<double>(i) - 32768) / 32768; });
  ASSERT_TRUE(
      writeWav(path("x.wav"), samples.view(), 8000, SampleFormat::Pcm16).ok());
  const Result<Audio> back = readAudio(path("x.wav"));
  ASSERT_TRUE(back.ok()) << back.status().message();
  for (int64_t i = 0; i < 65536; ++i)
    ASSERT_EQ(samplesOf(*back)[i], static_cast<float>((i - 32768) / 32768.0));
}

TEST_F(AudioTest, RefusesSamplesWithoutAPlace) {
  HostTensor samples(DType::F32, {2, 2});
  samples.set(std::array<int64_t, 2>{1, 0}, 1.5);
  EXPECT_ERROR(
      writeWav(path("x.wav"), samples.view(), 8000, SampleFormat::Pcm16),
      StatusCode::InvalidArgument, "sample 1 of channel 0 is 1.5; 16-bit");
  samples.set(std::array<int64_t, 2>{0, 1},
              std::numeric_limits<double>::quiet_NaN());
  EXPECT_ERROR(writeWav(path("x.wav"), samples.view(), 8000),
               StatusCode::InvalidArgument, "sample 0 of channel 1 is nan");
  EXPECT_ERROR(writeWav(path("x.wav"), samples.view(), 0),
               StatusCode::InvalidArgument, "at 0 Hz is no recording");
  HostTensor complex(DType::C64, {2});
  EXPECT_ERROR(writeWav(path("x.wav"), complex.view(), 8000),
               StatusCode::InvalidArgument, "required are real samples");
}

TEST_F(AudioTest, EveryTruncationIsAnError) {
  HostTensor samples(DType::F32, {4});
  ASSERT_TRUE(writeWav(path("x.wav"), samples.view(), 8000).ok());
  const std::string bytes = get(path("x.wav"));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_ERROR(readAudio(put("cut.wav", bytes.substr(0, size))),
                 StatusCode::CorruptData, "cut.wav: byte ");
}

TEST_F(AudioTest, NoDamagedByteCrashes) {
  HostTensor samples(DType::F32, {4});
  ASSERT_TRUE(writeWav(path("x.wav"), samples.view(), 8000).ok());
  const std::string bytes = get(path("x.wav"));
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; value += 37) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      const Result<Audio> result = readAudio(put("x.wav", damaged));
      EXPECT_TRUE(result.ok() || !result.status().message().empty());
    }
  }
}

TEST_F(AudioTest, RefusesWhatItCannotDecode) {
  const std::string data = chunk("data", "abcd");
  EXPECT_ERROR(readAudio(put("x.wav", "ID3 an mp3 file")),
               StatusCode::CorruptData, "not a .wav file");
  EXPECT_ERROR(readAudio(put("x.wav", riff(formatChunk(1, 1, 8) + data))),
               StatusCode::Unsupported, "format 1 with 8 bits");
  EXPECT_ERROR(readAudio(put("x.wav", riff(formatChunk(17, 1, 16) + data))),
               StatusCode::Unsupported, "format 17 with 16 bits");
  EXPECT_ERROR(readAudio(put("x.wav", riff(formatChunk(1, 0, 16) + data))),
               StatusCode::CorruptData, "contradict each other");
  EXPECT_ERROR(readAudio(put("x.wav", riff(formatChunk(1, 3, 16) + data))),
               StatusCode::CorruptData, "required is a multiple of 6");
  std::string noRate = riff(formatChunk(1, 1, 16) + data);
  noRate.replace(24, 4, 4, '\0');
  EXPECT_ERROR(readAudio(put("x.wav", noRate)), StatusCode::CorruptData,
               "a rate of 0 samples a second");
  EXPECT_ERROR(readAudio(put("x.wav", riff(data))), StatusCode::CorruptData,
               "without a chunk 'fmt '");
  EXPECT_ERROR(readAudio(put("x.wav", riff(formatChunk(1, 1, 16)))),
               StatusCode::CorruptData, "without a chunk 'data'");
}

} // namespace
