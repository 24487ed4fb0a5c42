//===- Npy.cpp - NumPy's array files --------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The header is a Python dictionary literal. Only the three keys of the format
// are understood, in any order, which needs no general parser.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Npy.h"

#include "tools/io/File.h"

#include <bit>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <vector>

using namespace mamba;

static_assert(std::endian::native == std::endian::little,
              "elements are copied as they lie in the file");

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
/// What fits version 1; real headers have about a hundred bytes.
constexpr uint32_t kMaxHeaderSize = 65535;

struct NpyHeader {
  std::optional<std::string> descr;
  std::optional<bool> fortranOrder;
  std::optional<std::vector<int64_t>> shape;
};

/// Reads the header's dictionary. A failure leaves `position` where the text
/// stopped making sense.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  /// What was required at position(), or nothing if all went well.
  std::optional<std::string> parse(NpyHeader &header);
  size_t position() const { return position_; }

private:
  std::optional<std::string> parseEntry(NpyHeader &header);
  bool consume(std::string_view token);
  std::optional<std::string> quoted();
  std::optional<bool> boolean();
  std::optional<std::vector<int64_t>> tuple();

  std::string_view text_;
  size_t position_ = 0;
};

bool HeaderParser::consume(std::string_view token) {
  while (position_ < text_.size() &&
         (text_[position_] == ' ' || text_[position_] == '\n'))
    ++position_;
  if (!text_.substr(position_).starts_with(token))
    return false;
  position_ += token.size();
  return true;
}

std::optional<std::string> HeaderParser::quoted() {
  const std::string_view mark = consume("'") ? "'" : "\"";
  if (mark == "\"" && !consume("\""))
    return std::nullopt;
  const size_t end = text_.find(mark, position_);
  if (end == std::string_view::npos)
    return std::nullopt;
  std::string value(text_.substr(position_, end - position_));
  position_ = end + 1;
  return value;
}

std::optional<bool> HeaderParser::boolean() {
  if (consume("True"))
    return true;
  if (consume("False"))
    return false;
  return std::nullopt;
}

std::optional<std::vector<int64_t>> HeaderParser::tuple() {
  std::vector<int64_t> values;
  if (!consume("("))
    return std::nullopt;
  while (!consume(")")) {
    int64_t value = 0;
    const char *first = text_.data() + position_;
    const auto [end, error] =
        std::from_chars(first, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0)
      return std::nullopt;
    position_ += end - first;
    values.push_back(value);
    if (!consume(",") && !text_.substr(position_).starts_with(")"))
      return std::nullopt;
    consume("");
  }
  return values;
}

std::optional<std::string> HeaderParser::parseEntry(NpyHeader &header) {
  const std::optional<std::string> key = quoted();
  if (!key)
    return "a quoted key";
  if (!consume(":"))
    return "':'";
  if (*key == "descr") {
    if (!(header.descr = quoted()))
      return "a quoted element type (structured types are not supported)";
  } else if (*key == "fortran_order") {
    if (!(header.fortranOrder = boolean()))
      return "True or False";
  } else if (*key == "shape") {
    if (!(header.shape = tuple()))
      return "a tuple of extents, each at most 2^63 - 1";
  } else {
    return "one of the keys 'descr', 'fortran_order' and 'shape' before ':'";
  }
  return std::nullopt;
}

std::optional<std::string> HeaderParser::parse(NpyHeader &header) {
  if (!consume("{"))
    return "'{'";
  while (!consume("}")) {
    if (auto required = parseEntry(header))
      return required;
    if (!consume(",") && !text_.substr(position_).starts_with("}"))
      return "',' or '}'";
  }
  consume("");
  if (position_ != text_.size())
    return "the end of the header";
  if (!header.descr || !header.fortranOrder || !header.shape)
    return "all of the keys 'descr', 'fortran_order' and 'shape'";
  return std::nullopt;
}

struct TypeName {
  std::string_view descr;
  DType dtype;
};

/// The first name of a type is the one that is written.
constexpr TypeName kTypeNames[] = {
    {"<f4", DType::F32},  {"<f8", DType::F64},   {"<f2", DType::F16},
    {"<c8", DType::C64},  {"<c16", DType::C128}, {"<V2", DType::BF16},
    {"|V2", DType::BF16}, {"V2", DType::BF16},   {"bfloat16", DType::BF16},
};

Result<DType> elementType(const std::string &path, std::string_view descr) {
  for (const TypeName &name : kTypeNames)
    if (name.descr == descr)
      return name.dtype;
  if (descr.starts_with(">"))
    return Status(
        StatusCode::Unsupported,
        fmt::format("{}: elements are big-endian ('{}'); required are "
                    "little-endian ones: save array.astype('<{}') instead",
                    path, descr, descr.substr(1)));
  return Status(StatusCode::Unsupported,
                fmt::format("{}: element type '{}' is not supported; required "
                            "is one of <f2, <f4, <f8, <c8, <c16, and <V2 for "
                            "bfloat16: convert with array.astype()",
                            path, descr));
}

/// What stands before the elements: `dataOffset` bytes.
struct Preamble {
  NpyHeader header;
  int64_t dataOffset = 0;
};

Result<Preamble> readPreamble(const InputFile &file) {
  MAMBA_ASSIGN_OR_RETURN(
      const std::string start,
      file.read(0, kMagic.size() + 2, "the magic string and the version"));
  if (!start.starts_with(kMagic))
    return Status(StatusCode::CorruptData,
                  fmt::format("{}: byte 0: not an .npy file: it does not start "
                              "with \\x93NUMPY",
                              file.path()));
  const int version = static_cast<unsigned char>(start[kMagic.size()]);
  if (version < 1 || version > 3)
    return Status(StatusCode::Unsupported,
                  fmt::format("{}: byte 6: .npy format version {} is not "
                              "supported; required is 1, 2 or 3",
                              file.path(), version));
  const int64_t lengthSize = version == 1 ? 2 : 4;
  const int64_t lengthOffset = std::ssize(start);
  uint32_t length = 0;
  MAMBA_RETURN_IF_ERROR(
      file.read(lengthOffset,
                std::as_writable_bytes(std::span(&length, 1)).first(lengthSize),
                "the length of the header"));
  const int64_t headerOffset = lengthOffset + lengthSize;
  if (length > kMaxHeaderSize)
    return Status(StatusCode::CorruptData,
                  fmt::format("{}: byte {}: a header of {} bytes; at most {} "
                              "are read",
                              file.path(), lengthOffset, length,
                              kMaxHeaderSize));
  MAMBA_ASSIGN_OR_RETURN(const std::string text,
                         file.read(headerOffset, length, "the header"));
  Preamble preamble;
  HeaderParser parser(text);
  if (auto required = parser.parse(preamble.header))
    return Status(StatusCode::CorruptData,
                  fmt::format("{}: byte {}: malformed header; required is {}",
                              file.path(), headerOffset + parser.position(),
                              *required));
  preamble.dataOffset = headerOffset + length;
  return preamble;
}

std::vector<int64_t> columnMajorStrides(std::span<const int64_t> shape) {
  std::vector<int64_t> strides;
  int64_t stride = 1;
  for (int64_t extent : shape) {
    strides.push_back(stride);
    stride *= std::max<int64_t>(extent, 1);
  }
  return strides;
}

} // namespace

Result<HostTensor> mamba::readNpy(const std::string &path) {
  MAMBA_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  MAMBA_ASSIGN_OR_RETURN(const Preamble preamble, readPreamble(file));
  MAMBA_ASSIGN_OR_RETURN(const DType dtype,
                         elementType(path, *preamble.header.descr));
  const std::vector<int64_t> &shape = *preamble.header.shape;
  const std::optional<int64_t> size = checkedByteSize(dtype, shape);
  if (!size)
    return Status(StatusCode::Unsupported,
                  fmt::format("{}: shape ({}) has more than {} dimensions or "
                              "2^62 bytes",
                              path, fmt::join(shape, ", "), kMaxRank));
  const int64_t found = file.size() - preamble.dataOffset;
  if (found != *size)
    return Status(StatusCode::CorruptData,
                  fmt::format("{}: byte {}: found {} bytes of elements; shape "
                              "({}) of {} requires {}",
                              path, preamble.dataOffset, found,
                              fmt::join(shape, ", "), *preamble.header.descr,
                              *size));
  MAMBA_ASSIGN_OR_RETURN(
      HostTensor tensor,
      *preamble.header.fortranOrder
          ? HostTensor::create(dtype, shape, columnMajorStrides(shape))
          : HostTensor::create(dtype, shape));
  MAMBA_RETURN_IF_ERROR(
      file.read(preamble.dataOffset, tensor.bytes(), "the elements"));
  return tensor;
}

Status mamba::writeNpy(const std::string &path, const TensorView &view) {
  std::string_view descr;
  for (const TypeName &name : kTypeNames)
    if (descr.empty() && name.dtype == view.dtype)
      descr = name.descr;
  // A tuple of one element needs its comma.
  std::string header = fmt::format(
      "{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
      fmt::join(std::span(view.shape, view.rank), ", "),
      view.rank == 1 ? "," : "");
  // Elements start at a multiple of 64 bytes, and the header ends its line.
  const size_t prefix = kMagic.size() + 4;
  const size_t padded = (prefix + header.size() + 1 + 63) / 64 * 64 - prefix;
  header.resize(padded - 1, ' ');
  header += '\n';
  const char version[] = {1, 0, static_cast<char>(padded & 0xff),
                          static_cast<char>(padded >> 8)};
  const std::string elements = rowMajorBytes(view);
  return writeFile(path, {kMagic, std::string_view(version, sizeof(version)),
                          header, elements});
}
