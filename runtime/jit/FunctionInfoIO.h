//===- FunctionInfoIO.h - What functions take, as bytes ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layouts can only be deduced, and kernels only be looked up, once the axes of
// a function's tensors are known. Kept in the kernel cache, they are known
// without parsing.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_FUNCTIONINFOIO_H
#define MAMBA_RUNTIME_JIT_FUNCTIONINFOIO_H

#include "runtime/jit/Jit.h"

#include <optional>

namespace mamba {

std::string serializeInfo(const FunctionInfo &info);
/// Nothing if `bytes` are not what serializeInfo() wrote.
std::optional<FunctionInfo> deserializeInfo(std::string_view bytes);

std::string serializeNames(const std::vector<std::string> &names);
std::optional<std::vector<std::string>>
deserializeNames(std::string_view bytes);

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_FUNCTIONINFOIO_H
