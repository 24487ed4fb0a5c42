//===- Retarget.h - NVPTX LLVM IR as code of the host -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel becomes a function of one thread, and what only a GPU has becomes a
// call of the simulator, which runtime/simt/Abi.h describes. Address spaces
// stay in the IR: the host's pointers are the same in all of them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_RETARGET_H
#define MAMBA_CODEGEN_SIMT_RETARGET_H

#include "codegen/cpu/ObjectTarget.h"

namespace mlir::ssm {

/// Turns `code`, optimized LLVM IR for NVPTX whose debug locations are places
/// in the source, into a module for `machine`: a KernelImage under each
/// kernel's name. Fails, with an error at the place in the source or at
/// `module`, where the simulator does not know an instruction.
LogicalResult retargetToHost(ModuleOp module, llvm::Module &code,
                             const ObjectTarget &target,
                             llvm::TargetMachine &machine);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_RETARGET_H
