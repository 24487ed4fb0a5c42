//===- Transpose.cpp - Square transpose in registers ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Transpose.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm::cpu;

/// Elements [from, from + W/2) of `a` and `b`, alternating.
static Value interleaveHalf(Emit &e, Value a, Value b, int64_t from) {
  int64_t width = cast<VectorType>(a.getType()).getNumElements();
  SmallVector<int64_t> mask;
  for (int64_t i = from; i < from + width / 2; ++i) {
    mask.push_back(i);
    mask.push_back(width + i);
  }
  return vector::ShuffleOp::create(e, a, b, mask);
}

/// Interleaving row i with row i + W/2 rotates the bits of the combined index
/// (row, column) by one place; log2 W rotations exchange row and column.
void mlir::ssm::cpu::transposeRows(Emit &e, SmallVectorImpl<Value> &rows) {
  size_t width = rows.size();
  for (size_t stage = 1; stage < width; stage *= 2) {
    SmallVector<Value> next;
    for (size_t i = 0; i < width / 2; ++i) {
      next.push_back(interleaveHalf(e, rows[i], rows[i + width / 2], 0));
      next.push_back(
          interleaveHalf(e, rows[i], rows[i + width / 2], width / 2));
    }
    rows.assign(next);
  }
}
