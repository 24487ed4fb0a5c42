//===- TotalKernel.h - The last step of a total -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_TOTALKERNEL_H
#define MAMBA_CODEGEN_CPU_TOTALKERNEL_H

#include "codegen/cpu/TaskEmitter.h"

namespace mlir::ssm::cpu {

/// Emits the kernel that adds the partial sums of one total, each element in
/// one task and in the order of the temporary, and writes them as its result.
void emitTotalKernel(const KernelRequest &request, const PartialSums &sums,
                     LaunchPlan &plan);

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_TOTALKERNEL_H
