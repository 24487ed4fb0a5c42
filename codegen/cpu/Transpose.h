//===- Transpose.h - Square transpose in registers --------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_TRANSPOSE_H
#define MAMBA_CODEGEN_CPU_TRANSPOSE_H

#include "codegen/cpu/Emit.h"

namespace mlir::ssm::cpu {

/// Replaces `rows`, W vectors of W elements with W a power of two, by their
/// transpose: rows[i][j] becomes rows[j][i].
void transposeRows(Emit &e, SmallVectorImpl<Value> &rows);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_TRANSPOSE_H
