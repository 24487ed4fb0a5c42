//===- ArtifactIO.h - Artifacts as bytes ---------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stored kernel is code that will be run, so its bytes carry a checksum,
// every length is checked before it is used, and the result is validated.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_ARTIFACTIO_H
#define MAMBA_RUNTIME_ARTIFACTIO_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <string>
#include <string_view>

namespace mamba {

/// The bytes of `artifact`: magic, format version, checksum, payload, all
/// little-endian. Equal artifacts give equal bytes.
std::string serialize(const Artifact &artifact);

/// The artifact that serialize() wrote. CorruptData if `bytes` were cut or
/// changed anywhere, or are of another format version; never reads outside.
Result<Artifact> deserializeArtifact(std::string_view bytes);

/// Writes `artifact` to a file (through a temporary one in the same folder) or
/// reads it. Errors name the path.
Status writeArtifact(const std::string &path, const Artifact &artifact);
Result<Artifact> readArtifact(const std::string &path);

} // namespace mamba

#endif // MAMBA_RUNTIME_ARTIFACTIO_H
