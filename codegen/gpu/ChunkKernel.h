//===- ChunkKernel.h - The scan over chunks of a sequence -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_CHUNKKERNEL_H
#define MAMBA_CODEGEN_GPU_CHUNKKERNEL_H

#include "codegen/gpu/ScanKernel.h"

namespace mlir::ssm {

/// What a scan's temporaries of chunks hold.
struct ChunkShape {
  int64_t segments; ///< Found before the chunks.
  int64_t parts;    ///< Of a chunk: so many segments of it follow each other.
  int64_t states;   ///< The extent of n, 1 where they have none.
  bool isComplex;
};

/// Emits the kernel that turns the segments, in place, into what lies before
/// each chunk: where its first segment was, and behind the last one for the
/// last chunk.
void buildChunkKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
                      LaunchPlan &plan, ChunkTensors tensors,
                      const ChunkShape &shape);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_CHUNKKERNEL_H
