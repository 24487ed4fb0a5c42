//===- KernelPart.h - What the kernels of a fused op are for ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where blocks share a sequence, or recurrences are replayed, several kernels
// make up a fused op. They leave numbers for each other in temporaries.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_KERNELPART_H
#define MAMBA_CODEGEN_GPU_KERNELPART_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::ssm {

/// Temporaries of one recurrence where blocks share a sequence: numbers of
/// tensors (b, chunk, d[, n]) in the plan.
struct ChunkTensors {
  unsigned decay = 0;
  unsigned carry = 0;
};

/// What a kernel computes: everything from start to end, the segment that
/// each chunk is to its recurrences, everything given what lies before each
/// chunk, or everything, where chunks hand their states on. Of recurrences that
/// are replayed: the states to do that from, and each chunk's segments for it.
enum class KernelPart {
  Whole,
  ChunkCarries,
  ChunkMain,
  Handoff,
  Checkpoints,
  ReplayCarries
};

/// Runs what is replayed alone, for its states at the start of tiles.
inline bool isForReplay(KernelPart part) {
  return part == KernelPart::Checkpoints || part == KernelPart::ReplayCarries;
}

/// Computes no results, but what tiles hand on.
inline bool isAhead(KernelPart part) {
  return part == KernelPart::ChunkCarries || isForReplay(part);
}

/// Temporaries of a launch whose chunks hand their states on: numbers of
/// tensors in the plan.
struct HandoffTensors {
  unsigned ticket = 0;          ///< One word: how many blocks have started.
  unsigned progress = 0;        ///< (b, d): chunks done, at a block's first d.
  SmallVector<unsigned> states; ///< (b, d[, n]) of each recurrence.
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_KERNELPART_H
