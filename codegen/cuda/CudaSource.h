//===- CudaSource.h - Lowered kernels to CUDA C++ ---------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The second road to a GPU's machine code: a file to read, to change, to put
// into a project of one's own, or to compile at run time without LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_CUDASOURCE_H
#define MAMBA_CODEGEN_CUDA_CUDASOURCE_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/Artifact.h"

#include <string>

namespace mlir::ssm {

/// The kernels of `module` (after --ssm-lower-to-gpu; changed in place) as one
/// file of CUDA C++ that includes nothing; compiled without contraction
/// (-fmad=false) it computes the bits that the nvptx road computes. `artifact`
/// is the module's plan with target and schedule; the entries of its launches
/// become the names of the file's functions. `formula` is what the kernels
/// compute, for the reader.
FailureOr<std::string>
translateToCuda(ModuleOp module, mamba::Artifact &artifact, StringRef formula);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_CUDA_CUDASOURCE_H
