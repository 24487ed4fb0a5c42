//===- Audio.cpp - Sound in .wav and headerless files ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A .wav file is a RIFF container: chunks of a four-letter name, a length and
// that many bytes, padded to even length. Only "fmt " and "data" matter here.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Audio.h"

#include "runtime/DType.h"
#include "tools/io/File.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <vector>

using namespace mamba;

static_assert(std::endian::native == std::endian::little,
              "samples are copied as they lie in the file");

namespace {

/// Values of the field "format" that have a meaning here.
enum : uint16_t { kPcm = 1, kFloat = 3, kExtensible = 0xfffe };

/// The first fields of the chunk "fmt ".
struct Format {
  uint16_t format = 0;
  uint16_t channels = 0;
  uint32_t sampleRate = 0;
  uint32_t bytesPerSecond = 0;
  uint16_t bytesPerFrame = 0;
  uint16_t bits = 0;
};
static_assert(sizeof(Format) == 16);

/// Where the samples of a .wav file are.
struct Layout {
  Format format;
  int64_t dataOffset = -1;
  int64_t dataSize = 0;
};

Status corrupt(const InputFile &file, int64_t offset,
               std::string_view message) {
  return Status(StatusCode::CorruptData,
                fmt::format("{}: byte {}: {}", file.path(), offset, message));
}

Result<Format> readFormat(const InputFile &file, int64_t offset, int64_t size) {
  Format format;
  if (size < 16)
    return corrupt(
        file, offset,
        fmt::format("chunk 'fmt ' has {} bytes; required are 16", size));
  MAMBA_RETURN_IF_ERROR(file.read(
      offset, std::as_writable_bytes(std::span(&format, 1)), "chunk 'fmt '"));
  // The extensible form keeps the real format at byte 24.
  if (format.format == kExtensible && size >= 26)
    MAMBA_RETURN_IF_ERROR(file.read(
        offset + 24, std::as_writable_bytes(std::span(&format.format, 1)),
        "the format of chunk 'fmt '"));
  const bool pcm =
      format.format == kPcm &&
      (format.bits == 16 || format.bits == 24 || format.bits == 32);
  if (!pcm && !(format.format == kFloat && format.bits == 32))
    return Status(
        StatusCode::Unsupported,
        fmt::format("{}: byte {}: samples of format {} with {} bits are not "
                    "supported; required is format 1 (integers) with 16, 24 or "
                    "32 bits or format 3 (float) with 32: convert with "
                    "'sox IN -b 16 OUT.wav'",
                    file.path(), offset, format.format, format.bits));
  if (format.channels == 0 ||
      format.bytesPerFrame != format.channels * (format.bits / 8))
    return corrupt(file, offset,
                   fmt::format("{} channels of {} bits with {} bytes a frame "
                               "contradict each other",
                               format.channels, format.bits,
                               format.bytesPerFrame));
  if (format.sampleRate == 0 || format.sampleRate > INT32_MAX)
    return corrupt(
        file, offset,
        fmt::format("a rate of {} samples a second", format.sampleRate));
  return format;
}

Result<Layout> findChunks(const InputFile &file) {
  MAMBA_ASSIGN_OR_RETURN(const std::string riff,
                         file.read(0, 12, "the RIFF header"));
  if (!riff.starts_with("RIFF") || !riff.ends_with("WAVE"))
    return corrupt(file, 0,
                   "not a .wav file: it does not start with RIFF....WAVE");
  Layout layout;
  bool haveFormat = false;
  for (int64_t offset = 12; layout.dataOffset < 0 || !haveFormat;) {
    const bool atEnd = offset >= file.size();
    if (atEnd)
      return corrupt(file, offset,
                     fmt::format("the file ends without a chunk '{}'",
                                 haveFormat ? "data" : "fmt "));
    MAMBA_ASSIGN_OR_RETURN(const std::string head,
                           file.read(offset, 8, "the head of a chunk"));
    uint32_t size;
    std::memcpy(&size, head.data() + 4, sizeof(size));
    offset += 8;
    if (head.starts_with("fmt ")) {
      MAMBA_ASSIGN_OR_RETURN(layout.format, readFormat(file, offset, size));
      haveFormat = true;
    } else if (head.starts_with("data")) {
      layout.dataOffset = offset;
      layout.dataSize = size;
    }
    offset += size + (size & 1);
  }
  return layout;
}

/// The sample of `bits` bits at `bytes`.
float decode(const char *bytes, uint16_t format, int bits) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, bits / 8);
  if (format == kFloat)
    return std::bit_cast<float>(word);
  // Shifted to the top, so that the sign is where an int32 has it.
  const auto value = static_cast<int32_t>(word << (32 - bits));
  return static_cast<float>(value * 0x1p-31);
}

/// Samples decoded at a time.
constexpr int64_t kBlockSamples = 1 << 18;

/// Decodes `size` bytes from `offset` on.
Result<Audio> readSamples(const InputFile &file, int64_t offset, int64_t size,
                          const Format &format) {
  if (size % format.bytesPerFrame != 0)
    return corrupt(file, offset,
                   fmt::format("found {} bytes of samples; required is a "
                               "multiple of {}",
                               size, format.bytesPerFrame));
  MAMBA_RETURN_IF_ERROR(file.checkRange(offset, size, "the samples"));
  Audio audio;
  audio.sampleRate = static_cast<int>(format.sampleRate);
  const int64_t shape[] = {size / format.bytesPerFrame, format.channels};
  MAMBA_ASSIGN_OR_RETURN(audio.samples, HostTensor::create(DType::F32, shape));
  auto *target = static_cast<float *>(audio.samples.view().data);
  const int step = format.bits / 8;
  // Block by block: a long recording lies in memory once, decoded.
  for (int64_t done = 0; done < size;) {
    const int64_t count = std::min<int64_t>(size - done, kBlockSamples * step);
    MAMBA_ASSIGN_OR_RETURN(const std::string block,
                           file.read(offset + done, count, "the samples"));
    for (int64_t at = 0; at < count; at += step)
      *target++ = decode(block.data() + at, format.format, format.bits);
    done += count;
  }
  return audio;
}

/// One channel without a header; nothing if the extension means another format.
std::optional<Format> headerlessFormat(const std::string &path) {
  if (path.ends_with(".s16"))
    return Format{kPcm, 1, 0, 0, 2, 16};
  if (path.ends_with(".raw") || path.ends_with(".f32"))
    return Format{kFloat, 1, 0, 0, 4, 32};
  return std::nullopt;
}

/// Appends `value`, or says why the format has no place for it.
std::optional<std::string_view> encode(float value, SampleFormat format,
                                       std::string &bytes) {
  if (!std::isfinite(value))
    return "required is a finite number";
  if (format == SampleFormat::Float32) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
    return std::nullopt;
  }
  if (std::fabs(value) > 1)
    return "16-bit samples hold -1 to 1: scale them, or write float samples";
  // Full scale is one step more than the largest positive value.
  const auto word = static_cast<int16_t>(
      std::min<long>(std::lround(value * 32768.0f), INT16_MAX));
  bytes.append(reinterpret_cast<const char *>(&word), sizeof(word));
  return std::nullopt;
}

/// Everything of a .wav file before the samples. Formats other than integers
/// need the size of an extension (none) and the number of frames.
std::string wavHeader(const Format &format, uint32_t dataSize) {
  std::string header;
  const auto append = [&header](const auto &field) {
    header.append(reinterpret_cast<const char *>(&field), sizeof(field));
  };
  const bool pcm = format.format == kPcm;
  const uint32_t formatSize = sizeof(Format) + (pcm ? 0 : sizeof(uint16_t));
  header += "RIFF";
  append(uint32_t{4 + 8 + formatSize + (pcm ? 0 : 12) + 8 + dataSize});
  header += "WAVEfmt ";
  append(formatSize);
  append(format);
  if (!pcm) {
    append(uint16_t{0});
    header += "fact";
    append(uint32_t{4});
    append(uint32_t{dataSize / format.bytesPerFrame});
  }
  header += "data";
  append(dataSize);
  return header;
}

} // namespace

bool mamba::isAudioPath(const std::string &path) {
  return path.ends_with(".wav") || headerlessFormat(path).has_value();
}

Result<Audio> mamba::readAudio(const std::string &path) {
  if (!isAudioPath(path))
    return Status(StatusCode::InvalidArgument,
                  fmt::format("{}: not the name of a recording; required is "
                              "the extension .wav, .raw, .f32 or .s16",
                              path));
  MAMBA_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  if (const std::optional<Format> format = headerlessFormat(path))
    return readSamples(file, 0, file.size(), *format);
  MAMBA_ASSIGN_OR_RETURN(const Layout layout, findChunks(file));
  return readSamples(file, layout.dataOffset, layout.dataSize, layout.format);
}

Status mamba::writeWav(const std::string &path, const TensorView &samples,
                       int sampleRate, SampleFormat format) {
  const int64_t channels = samples.rank == 2 ? samples.shape[1] : 1;
  if (isComplex(samples.dtype) || samples.rank < 1 || samples.rank > 2 ||
      channels < 1 || channels > 0xffff / 4 || sampleRate <= 0)
    return Status(
        StatusCode::InvalidArgument,
        fmt::format("{}: {} at {} Hz is no recording; required are real "
                    "samples of shape (length) or (length, channels) with 1 to "
                    "16383 channels, and a positive rate",
                    path, samples.describe(), sampleRate));
  const int sampleBytes = format == SampleFormat::Pcm16 ? 2 : 4;
  const int64_t count = samples.numElements();
  if (count > (int64_t{UINT32_MAX} - 64) / sampleBytes)
    return Status(StatusCode::Unsupported,
                  fmt::format("{}: {} samples pass the 4 GiB of a .wav file; "
                              "write .npy instead",
                              path, count));
  const std::string elements = rowMajorBytes(samples);
  std::string bytes;
  bytes.reserve(count * sampleBytes);
  for (int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(
        readElement(elements.data() + i * byteSize(samples.dtype),
                    samples.dtype)
            .real());
    if (auto reason = encode(value, format, bytes))
      return Status(StatusCode::InvalidArgument,
                    fmt::format("{}: sample {} of channel {} is {}; {}", path,
                                i / channels, i % channels, value, *reason));
  }
  const auto frame = static_cast<uint16_t>(channels * sampleBytes);
  const auto rate = static_cast<uint32_t>(sampleRate);
  const Format header = {format == SampleFormat::Pcm16 ? kPcm : kFloat,
                         static_cast<uint16_t>(channels),
                         rate,
                         rate * frame,
                         frame,
                         static_cast<uint16_t>(sampleBytes * 8)};
  return writeFile(path, {wavHeader(header, bytes.size()), bytes});
}
