//===- ArtifactText.h - Parts of an artifact as text -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shapes, grids and arguments as expressions of the extents, the same in the
// heads of CUDA C++ files and in the manifests of bundles.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_ARTIFACTTEXT_H
#define MAMBA_RUNTIME_ARTIFACTTEXT_H

#include "runtime/Artifact.h"

#include <optional>
#include <string>
#include <string_view>

namespace mamba {

/// "l"; "n = 16" where the extent is fixed, "3" where it is no axis';
/// "ceil(l / 32)" for one entry a chunk.
std::string textOf(const DimSpec &dim);
std::optional<DimSpec> parseDim(std::string_view text);

/// "b", "ceil(l / 512)", "4".
std::string textOf(const GridTerm &term);
std::optional<GridTerm> parseGridTerm(std::string_view text);

/// "pointer(u)", "stride(u, 2)", "extent(l)"; tensors are called by name.
std::string textOf(const KernelArg &arg, const Artifact &artifact);
std::optional<KernelArg> parseArg(std::string_view text,
                                  const Artifact &artifact);

/// "ptx", "cubin", "object", "cuda".
std::string_view toString(ImageKind kind);
std::optional<ImageKind> parseImageKind(std::string_view name);

} // namespace mamba

#endif // MAMBA_RUNTIME_ARTIFACTTEXT_H
