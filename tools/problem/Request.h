//===- Request.h - What a variant is compiled for ---------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_REQUEST_H
#define MAMBA_TOOLS_PROBLEM_REQUEST_H

#include "tools/problem/Problem.h"

namespace mamba {

/// What a launch of `function` with these extents, and with memory as `options`
/// (ProblemOptions::forFunction) say, would compile; its target is the default
/// one. Without extents only the order of the dimensions is known, and the
/// variant takes tensors of every size and alignment.
Result<VariantRequest> makeRequest(const Function &function,
                                   const ProblemOptions &options,
                                   const Extents &extents,
                                   const FunctionInfo *partner = nullptr);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_REQUEST_H
