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

/// Emits the kernels that add the partial sums of the totals of `op`, each
/// element in one thread and in the order of the temporary, and write them as
/// results: one for all totals whose elements differ by groups and states
/// alone.
void buildTotalKernels(Emit &e, gpu::GPUModuleOp module, const Twine &name,
                       LaunchPlan &plan, FusedOp op,
                       ArrayRef<PartialSums> totals);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_TOTALKERNEL_H
