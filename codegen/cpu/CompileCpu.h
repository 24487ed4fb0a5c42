//===- CompileCpu.h - Lowered kernels to an object of the host --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_COMPILECPU_H
#define MAMBA_CODEGEN_CPU_COMPILECPU_H

#include "codegen/cpu/ObjectTarget.h"

namespace mlir::ssm {

/// Turns a module that --ssm-lower-to-cpu made into one of LLVM's dialect.
LogicalResult convertCpuModuleToLLVM(ModuleOp lowered,
                                     const ObjectTarget &target);

/// Compiles a module that --ssm-lower-to-cpu made, which it consumes, into a
/// position-independent ELF object. Kernels keep their names; undefined
/// symbols are functions of libm. Errors are reported at the module.
FailureOr<std::string> compileCpuModule(ModuleOp lowered,
                                        const ObjectTarget &target);

/// The optimized LLVM IR of the same, as text.
FailureOr<std::string> printCpuLLVM(ModuleOp lowered,
                                    const ObjectTarget &target);

/// The assembly of the same, as text.
FailureOr<std::string> printCpuAssembly(ModuleOp lowered,
                                        const ObjectTarget &target);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_CPU_COMPILECPU_H
