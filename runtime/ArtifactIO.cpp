//===- ArtifactIO.cpp - Artifacts as bytes --------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layout: magic, version, checksum of the payload, payload. Changing what the
// payload holds means a new version; there is no reader for old ones, since
// whatever wrote them can compile again.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactIO.h"

#include "runtime/ByteStream.h"
#include "runtime/FileIO.h"
#include "runtime/Hash.h"
#include "runtime/Validate.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace mamba {

namespace {

constexpr std::string_view kMagic = "MAMBAKRN";
constexpr uint32_t kVersion = 5;
constexpr size_t kHeaderBytes = 8 + 4 + 16;

void write(ByteWriter &out, const TensorSpec &tensor) {
  out.text(tensor.name);
  out.number(tensor.dtype);
  out.number<uint64_t>(tensor.dims.size());
  for (const DimSpec &dim : tensor.dims) {
    out.number(dim.axis);
    out.number(dim.extent);
    out.number(dim.divisor);
  }
  out.number<uint8_t>(tensor.isZeroed);
}

void write(ByteWriter &out, const LaunchSpec &launch) {
  out.text(launch.entry);
  out.number(launch.blockSize);
  out.number(launch.sharedBytes);
  out.number<uint64_t>(launch.grid.size());
  for (const GridTerm &term : launch.grid) {
    out.number(term.axis);
    out.number(term.divisor);
    out.number<uint8_t>(term.isAdded);
  }
  out.number<uint64_t>(launch.args.size());
  for (const KernelArg &arg : launch.args) {
    out.number(arg.kind);
    out.number(arg.index);
    out.number(arg.dim);
  }
}

std::string payloadOf(const Artifact &artifact) {
  ByteWriter out;
  out.text(artifact.name);
  out.text(artifact.target);
  out.number(artifact.kind);
  out.text(artifact.image);
  out.number<uint64_t>(artifact.tensors.size());
  for (const TensorSpec &tensor : artifact.tensors)
    write(out, tensor);
  out.number(artifact.numInputs);
  out.number(artifact.numResults);
  out.number<uint64_t>(artifact.layouts.size());
  for (const LayoutSpec &layout : artifact.layouts) {
    out.number(layout.unitDim);
    out.number(layout.alignment);
    out.number(layout.fixedDim);
    out.number(layout.fixedStride);
  }
  out.number(artifact.channelMultiple);
  out.number(artifact.lengthMultiple);
  out.number<uint64_t>(artifact.launches.size());
  for (const LaunchSpec &launch : artifact.launches)
    write(out, launch);
  out.text(artifact.schedule);
  return out.take();
}

TensorSpec readTensor(ByteReader &in) {
  TensorSpec tensor;
  tensor.name = in.text();
  tensor.dtype = in.number<DType>();
  tensor.dims.resize(in.count(17));
  for (DimSpec &dim : tensor.dims) {
    dim.axis = in.number<Axis>();
    dim.extent = in.number<int64_t>();
    dim.divisor = in.number<int64_t>();
  }
  tensor.isZeroed = in.truth();
  return tensor;
}

LaunchSpec readLaunch(ByteReader &in) {
  LaunchSpec launch;
  launch.entry = in.text();
  launch.blockSize = in.number<uint32_t>();
  launch.sharedBytes = in.number<uint32_t>();
  launch.grid.resize(in.count(10));
  for (GridTerm &term : launch.grid) {
    term.axis = in.number<Axis>();
    term.divisor = in.number<int64_t>();
    term.isAdded = in.truth();
  }
  launch.args.resize(in.count(5));
  for (KernelArg &arg : launch.args) {
    arg.kind = in.number<KernelArg::Kind>();
    arg.index = in.number<uint16_t>();
    arg.dim = in.number<uint16_t>();
  }
  return launch;
}

Artifact readPayload(ByteReader &in) {
  Artifact artifact;
  artifact.name = in.text();
  artifact.target = in.text();
  artifact.kind = in.number<ImageKind>();
  artifact.image = in.text();
  artifact.tensors.resize(in.count(18));
  for (TensorSpec &tensor : artifact.tensors)
    tensor = readTensor(in);
  artifact.numInputs = in.number<uint32_t>();
  artifact.numResults = in.number<uint32_t>();
  artifact.layouts.resize(in.count(11));
  for (LayoutSpec &layout : artifact.layouts) {
    layout.unitDim = in.number<int8_t>();
    layout.alignment = in.number<uint8_t>();
    layout.fixedDim = in.number<int8_t>();
    layout.fixedStride = in.number<int64_t>();
  }
  artifact.channelMultiple = in.number<int64_t>();
  artifact.lengthMultiple = in.number<int64_t>();
  artifact.launches.resize(in.count(32));
  for (LaunchSpec &launch : artifact.launches)
    launch = readLaunch(in);
  artifact.schedule = in.text();
  return artifact;
}

Status corrupt(std::string text) {
  return Status(StatusCode::CorruptData, std::move(text));
}

} // namespace

std::string serialize(const Artifact &artifact) {
  std::string payload = payloadOf(artifact);
  Hash128 checksum = hash128(payload);
  ByteWriter header;
  header.number(kVersion);
  header.number(checksum.high);
  header.number(checksum.low);
  return fmt::format("{}{}{}", kMagic, header.take(), payload);
}

Result<Artifact> deserializeArtifact(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic))
    return corrupt("not a mamba-mlir kernel: the first bytes are not "
                   "MAMBAKRN, or the file ends within its header");
  ByteReader header(bytes.substr(kMagic.size()));
  auto version = header.number<uint32_t>();
  if (version != kVersion)
    return corrupt(fmt::format("kernel format version {}; this build reads {}: "
                               "compile the kernel again",
                               version, kVersion));
  Hash128 stored;
  stored.high = header.number<uint64_t>();
  stored.low = header.number<uint64_t>();
  std::string_view payload = bytes.substr(kHeaderBytes);
  if (hash128(payload) != stored)
    return corrupt("the kernel's checksum does not match its bytes: it was cut "
                   "or changed");
  ByteReader in(payload);
  Artifact artifact = readPayload(in);
  if (!in.finished())
    return corrupt("the kernel's fields do not fill its bytes");
  if (Status status = validate(artifact); !status.ok())
    return corrupt(status.message());
  return artifact;
}

Status writeArtifact(const std::string &path, const Artifact &artifact) {
  return replaceFile(AT_FDCWD, path, serialize(artifact), 0644);
}

Result<Artifact> readArtifact(const std::string &path) {
  MAMBA_ASSIGN_OR_RETURN(std::string bytes, readFile(path));
  Result<Artifact> artifact = deserializeArtifact(bytes);
  if (!artifact.ok())
    return artifact.status().withContext(path);
  return artifact;
}

} // namespace mamba
