//===- VectorAtomics.h - Several floats added to memory ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_VECTORATOMICS_H
#define MAMBA_CODEGEN_GPU_VECTORATOMICS_H

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::ssm {

/// Makes an atomic sum of each float of those of vectors.
void splitVectorAtomics(llvm::Module &module);

/// Makes PTX's `red.v4.f32` of atomic sums of four floats, which LLVM's NVPTX
/// backend has no instruction for. It needs sm_90 and PTX 8.1.
void reduceVectors(llvm::Module &module);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_VECTORATOMICS_H
