//===- FunctionInfoIO.cpp - What functions take, as bytes -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The cache checks its entries' checksums; here only the structure is checked.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/FunctionInfoIO.h"

#include "runtime/ByteStream.h"
#include "runtime/Validate.h"

using namespace mamba;

static void writeTensor(ByteWriter &writer, const TensorSpec &tensor) {
  writer.text(tensor.name);
  writer.number(tensor.dtype);
  writer.number<uint64_t>(tensor.dims.size());
  for (const DimSpec &dim : tensor.dims) {
    writer.number(dim.axis);
    writer.number(dim.extent);
    writer.number(dim.divisor);
  }
}

static TensorSpec readTensor(ByteReader &reader) {
  TensorSpec tensor;
  tensor.name = reader.text();
  tensor.dtype = reader.number<DType>();
  tensor.dims.resize(reader.count(sizeof(uint8_t) + 2 * sizeof(int64_t)));
  for (DimSpec &dim : tensor.dims) {
    dim.axis = reader.number<Axis>();
    dim.extent = reader.number<int64_t>();
    dim.divisor = reader.number<int64_t>();
  }
  return tensor;
}

std::string mamba::serializeInfo(const FunctionInfo &info) {
  ByteWriter writer;
  writer.text(info.name);
  writer.number(info.numInputs);
  writer.number(info.numResults);
  writer.number(static_cast<uint8_t>(info.hasSoftplus));
  writer.number(static_cast<uint8_t>(info.sumsPoints));
  writer.number(static_cast<uint8_t>(info.roundsBetween));
  writer.text({reinterpret_cast<const char *>(info.exponentials.data()),
               info.exponentials.size()});
  writer.number<uint64_t>(info.tensors.size());
  for (const TensorSpec &tensor : info.tensors)
    writeTensor(writer, tensor);
  return writer.take();
}

std::optional<FunctionInfo> mamba::deserializeInfo(std::string_view bytes) {
  ByteReader reader(bytes);
  FunctionInfo info;
  info.name = reader.text();
  info.numInputs = reader.number<uint32_t>();
  info.numResults = reader.number<uint32_t>();
  info.hasSoftplus = reader.number<uint8_t>() != 0;
  info.sumsPoints = reader.number<uint8_t>() != 0;
  info.roundsBetween = reader.number<uint8_t>() != 0;
  std::string_view exponentials = reader.text();
  info.exponentials.assign(exponentials.begin(), exponentials.end());
  info.tensors.resize(reader.count(3 * sizeof(uint8_t)));
  for (TensorSpec &tensor : info.tensors)
    tensor = readTensor(reader);
  bool fits = info.tensors.size() == size_t(info.numInputs) + info.numResults;
  if (!reader.finished() || !fits)
    return std::nullopt;
  return info;
}

std::string mamba::serializeNames(const std::vector<std::string> &names) {
  ByteWriter writer;
  writer.number<uint64_t>(names.size());
  for (const std::string &name : names)
    writer.text(name);
  return writer.take();
}

std::optional<std::vector<std::string>>
mamba::deserializeNames(std::string_view bytes) {
  ByteReader reader(bytes);
  std::vector<std::string> names(reader.count(sizeof(uint64_t)));
  for (std::string &name : names)
    name = reader.text();
  if (!reader.finished())
    return std::nullopt;
  return names;
}
