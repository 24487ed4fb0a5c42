//===- Safetensors.cpp - Named tensors in one file ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The JSON comes from strangers: it is parsed without exceptions, every value's
// type is checked before it is read, and no number is trusted before it is
// compared with the file's size.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Safetensors.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>

using namespace mamba;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "elements are copied as they lie in the file");

namespace {

/// The limit of the format's own library.
constexpr uint64_t kMaxHeaderSize = 100'000'000;
constexpr int64_t kPrefixSize = 8;

struct TypeName {
  std::string_view name;
  DType dtype;
};
constexpr TypeName kTypeNames[] = {{"F64", DType::F64},
                                   {"F32", DType::F32},
                                   {"F16", DType::F16},
                                   {"BF16", DType::BF16},
                                   {"C64", DType::C64}};

std::optional<DType> typeOf(std::string_view name) {
  for (const TypeName &type : kTypeNames)
    if (type.name == name)
      return type.dtype;
  return std::nullopt;
}

Status corrupt(const std::string &path, std::string_view message) {
  return Status(StatusCode::CorruptData, fmt::format("{}: {}", path, message));
}

Status corruptTensor(const std::string &path, const std::string &name,
                     std::string_view message) {
  return corrupt(path, fmt::format("tensor '{}': {}", name, message));
}

/// The numbers of a JSON array, or nothing if it is something else.
std::optional<std::vector<int64_t>> numbers(const json &value) {
  if (!value.is_array())
    return std::nullopt;
  std::vector<int64_t> result;
  for (const json &element : value) {
    if (!element.is_number_unsigned() ||
        element.get<uint64_t>() > uint64_t{INT64_MAX})
      return std::nullopt;
    result.push_back(element.get<int64_t>());
  }
  return result;
}

/// Checks that the entry's byte range fits its type and shape. Types that can't
/// be read have an unknown size.
Status checkSize(const std::string &path, const SafetensorsEntry &entry) {
  const std::optional<DType> dtype = typeOf(entry.dtype);
  if (!dtype)
    return Status::success();
  const std::optional<int64_t> size = checkedByteSize(*dtype, entry.shape);
  if (!size)
    return corruptTensor(path, entry.name,
                         fmt::format("shape [{}] has more than {} dimensions "
                                     "or 2^62 bytes",
                                     fmt::join(entry.shape, ", "), kMaxRank));
  if (entry.end - entry.begin != *size)
    return corruptTensor(
        path, entry.name,
        fmt::format("data_offsets [{}, {}] are {} bytes; {} of shape [{}] "
                    "requires {}",
                    entry.begin, entry.end, entry.end - entry.begin,
                    entry.dtype, fmt::join(entry.shape, ", "), *size));
  return Status::success();
}

Result<SafetensorsEntry> parseEntry(const std::string &path,
                                    const std::string &name,
                                    const json &value) {
  if (!value.is_object() || !value.contains("dtype") ||
      !value["dtype"].is_string() || !value.contains("shape") ||
      !value.contains("data_offsets"))
    return corruptTensor(path, name,
                         "required is an object with a string 'dtype', and "
                         "'shape' and 'data_offsets'");
  const auto shape = numbers(value["shape"]);
  const auto offsets = numbers(value["data_offsets"]);
  if (!shape)
    return corruptTensor(path, name,
                         "'shape' is no array of non-negative integers");
  if (!offsets || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1])
    return corruptTensor(path, name,
                         "'data_offsets' is no [begin, end] with begin <= end");
  SafetensorsEntry entry{name, value["dtype"].get<std::string>(), *shape,
                         (*offsets)[0], (*offsets)[1]};
  MAMBA_RETURN_IF_ERROR(checkSize(path, entry));
  return entry;
}

/// Sorts the entries by their bytes and checks that these are 0 to `size`, each
/// in one tensor: bytes in none could hide something, bytes in two alias.
Status checkCover(const std::string &path, int64_t size,
                  std::vector<SafetensorsEntry> &entries) {
  std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  int64_t covered = 0;
  for (const SafetensorsEntry &entry : entries) {
    if (entry.begin != covered)
      return corruptTensor(
          path, entry.name,
          fmt::format("bytes start at {}; required is {}, where the tensor "
                      "before ends (tensors may not overlap or leave gaps)",
                      entry.begin, covered));
    covered = entry.end;
  }
  if (covered != size)
    return corrupt(path, fmt::format("tensors end at byte {} of the data, but "
                                     "the file has {}; it is truncated or has "
                                     "bytes left over",
                                     covered, size));
  return Status::success();
}

/// Parses the header. JSON allows a name twice and keeps one of the two, which
/// would let two readers of a file disagree: here it is an error.
Result<json> parseHeader(const std::string &path, const std::string &text) {
  std::set<std::string> names;
  std::string repeated;
  const auto note = [&](int depth, json::parse_event_t event, json &parsed) {
    if (event == json::parse_event_t::key && depth == 1 &&
        !names.insert(parsed.get_ref<const std::string &>()).second)
      repeated = parsed.get_ref<const std::string &>();
    return true;
  };
  json header = json::parse(text, note, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object())
    return corrupt(path, fmt::format("byte {}: the header of {} bytes is no "
                                     "JSON object",
                                     kPrefixSize, text.size()));
  if (!repeated.empty())
    return corruptTensor(path, repeated, "named twice in the header");
  return header;
}

} // namespace

Result<SafetensorsFile> SafetensorsFile::open(const std::string &path) {
  MAMBA_ASSIGN_OR_RETURN(InputFile file, InputFile::open(path));
  uint64_t headerSize = 0;
  MAMBA_RETURN_IF_ERROR(
      file.read(0, std::as_writable_bytes(std::span(&headerSize, 1)),
                "the length of the header"));
  if (headerSize > kMaxHeaderSize)
    return corrupt(path, fmt::format("byte 0: a header of {} bytes; the format "
                                     "allows {}",
                                     headerSize, kMaxHeaderSize));
  const auto size = static_cast<int64_t>(headerSize);
  MAMBA_ASSIGN_OR_RETURN(const std::string text,
                         file.read(kPrefixSize, size, "the header"));
  MAMBA_ASSIGN_OR_RETURN(const json header, parseHeader(path, text));
  std::vector<SafetensorsEntry> entries;
  for (const auto &[name, value] : header.items()) {
    if (name == "__metadata__")
      continue;
    MAMBA_ASSIGN_OR_RETURN(SafetensorsEntry entry,
                           parseEntry(path, name, value));
    entries.push_back(std::move(entry));
  }
  const int64_t dataOffset = kPrefixSize + size;
  MAMBA_RETURN_IF_ERROR(checkCover(path, file.size() - dataOffset, entries));
  return SafetensorsFile(std::move(file), dataOffset, std::move(entries));
}

Result<HostTensor> SafetensorsFile::read(std::string_view name) const {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const auto &entry) { return entry.name == name; });
  if (entry == entries_.end()) {
    constexpr size_t kListed = 20;
    std::vector<std::string_view> names;
    for (const SafetensorsEntry &known : entries_)
      if (names.size() < kListed)
        names.push_back(known.name);
    return Status(StatusCode::NotFound,
                  fmt::format("{}: no tensor '{}'; found {}: {}{}",
                              file_.path(), name, entries_.size(),
                              fmt::join(names, ", "),
                              entries_.size() > kListed ? ", ..." : ""));
  }
  const std::optional<DType> dtype = typeOf(entry->dtype);
  if (!dtype)
    return Status(StatusCode::Unsupported,
                  fmt::format("{}: tensor '{}': element type {} is not "
                              "supported; required is F64, F32, F16, BF16 or "
                              "C64",
                              file_.path(), name, entry->dtype));
  MAMBA_ASSIGN_OR_RETURN(HostTensor tensor,
                         HostTensor::create(*dtype, entry->shape));
  MAMBA_RETURN_IF_ERROR(
      file_.read(dataOffset_ + entry->begin, tensor.bytes(), name));
  return tensor;
}

Status mamba::writeSafetensors(
    const std::string &path,
    std::span<const std::pair<std::string, TensorView>> tensors) {
  json header = json::object();
  std::string data;
  for (const auto &[name, view] : tensors) {
    std::string_view typeName;
    for (const TypeName &type : kTypeNames)
      if (type.dtype == view.dtype)
        typeName = type.name;
    if (typeName.empty() || name == "__metadata__" || header.contains(name))
      return Status(StatusCode::InvalidArgument,
                    fmt::format("{}: tensor '{}' of {} can't be written: {}",
                                path, name, view.describe(),
                                typeName.empty()
                                    ? "the format has no such element type"
                                    : "the name is taken"));
    const size_t begin = data.size();
    data += rowMajorBytes(view);
    header[name] = {
        {"dtype", typeName},
        {"shape", std::vector<int64_t>(view.shape, view.shape + view.rank)},
        {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump(-1, ' ', /*ensure_ascii=*/false,
                                 json::error_handler_t::replace);
  // Spaces align the elements for readers that map the file.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t size = text.size();
  const std::string_view prefix(reinterpret_cast<const char *>(&size),
                                sizeof(size));
  return writeFile(path, {prefix, text, data});
}
