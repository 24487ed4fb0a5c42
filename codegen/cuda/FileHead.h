//===- FileHead.h - What a translated file says of itself -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_FILEHEAD_H
#define MAMBA_CODEGEN_CUDA_FILEHEAD_H

#include "mlir/Support/LLVM.h"
#include "runtime/Artifact.h"

#include <string>

namespace mlir::ssm::cuda {

/// A comment with all that a launch must know: formula, schedule, tensors,
/// geometry, and how to compile the file.
std::string fileHead(const mamba::Artifact &artifact, StringRef formula);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_FILEHEAD_H
