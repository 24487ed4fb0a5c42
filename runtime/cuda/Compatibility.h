//===- Compatibility.h - Which code runs on which GPU --------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rules of PTX versions and of sm_ targets, as text and numbers: no driver.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_COMPATIBILITY_H
#define MAMBA_RUNTIME_CUDA_COMPATIBILITY_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <string_view>

namespace mamba::cuda {

/// Newest PTX version (10 * major + minor) that a driver for this CUDA version
/// compiles, from the release table of the PTX ISA manual. Drivers newer than
/// the table count as its last row.
int maxPtxVersion(int cudaVersion);

/// Oldest CUDA version whose driver compiles this PTX version; 0 if it is
/// newer than the table.
int cudaVersionFor(int ptxVersion);

/// The number after ".version" in PTX text; 0 if there is none.
int ptxVersionOf(std::string_view ptx);

/// Unsupported, saying what to compile for, unless code for `target` ("sm_90",
/// "sm_90a", "sm_100f") runs on a device of `deviceTarget` ("sm_90"). PTX runs
/// on its architecture and later ones, machine code within a major version,
/// "a" code on its architecture only and "f" code within the major version.
Status checkTarget(ImageKind kind, std::string_view target,
                   std::string_view deviceTarget);

/// Whether checkTarget() is content.
bool architectureRunsOn(ImageKind kind, std::string_view target,
                        std::string_view deviceTarget);

/// 90 for "sm_90" and "sm_90a"; 0 if `target` is no GPU architecture.
int architectureNumber(std::string_view target);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_COMPATIBILITY_H
