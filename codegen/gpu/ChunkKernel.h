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
  int64_t chunks;
  int64_t states; ///< The extent of n, 1 where they have none.
  bool isComplex;
};

/// Emits the kernel that turns the segment of each chunk into the segment of
/// all chunks before it, in place.
void buildChunkKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
                      LaunchPlan &plan, ChunkTensors tensors,
                      const ChunkShape &shape);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_CHUNKKERNEL_H
