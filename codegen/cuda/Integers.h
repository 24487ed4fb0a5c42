//===- Integers.h - Operations on integers as expressions -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_INTEGERS_H
#define MAMBA_CODEGEN_CUDA_INTEGERS_H

#include "codegen/cuda/Expression.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <optional>

namespace mlir::ssm::cuda {

/// arithmeticOf() for ops whose operands are integers: shifts and quotients
/// are done with the sign that the op gives them, and what follows keeps it
/// until an op asks for the other.
std::optional<Expression> integerOf(Operation &op, ArrayRef<Expression> x);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_INTEGERS_H
