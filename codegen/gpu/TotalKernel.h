//===- TotalKernel.h - The last step of a total -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_TOTALKERNEL_H
#define MAMBA_CODEGEN_GPU_TOTALKERNEL_H

#include "codegen/PartialSums.h"
#include "codegen/gpu/Kernel.h"

namespace mlir::ssm {

/// Emits the kernel, if there are totals, that adds the partial sums of those
/// of `op`, each element in one thread and in a fixed order (sequences,
/// channels or steps, and for each of them its chunks), and writes them as
/// results: one launch, since some totals have few elements and wait for memory
/// alone, while others fill the GPU.
void buildTotalKernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
                      LaunchPlan &plan, FusedOp op,
                      ArrayRef<PartialSums> totals);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_TOTALKERNEL_H
