//===- Arithmetic.h - Operations without effect as expressions --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the op computes, bit for bit: integers wrap as the IR's do, and a float
// operation is one operation of the file (see --ssm-contract-products for the
// fused ones).
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_ARITHMETIC_H
#define MAMBA_CODEGEN_CUDA_ARITHMETIC_H

#include "codegen/cuda/Expression.h"
#include "codegen/cuda/Prelude.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace mlir::ssm::cuda {

/// The value of `op`, which has one result, from those of its operands. Nothing
/// where no expression is known for it.
std::optional<Expression> arithmeticOf(Operation &op, ArrayRef<Expression> x,
                                       Prelude &prelude);

/// What to call the value of `op`: "sum", "exp"; numbers tell them apart.
StringRef stemFor(Operation &op);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_ARITHMETIC_H
