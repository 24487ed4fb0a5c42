//===- CompileCpu.h - Lowered kernels to an object of the host --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_COMPILECPU_H
#define MAMBA_CODEGEN_CPU_COMPILECPU_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <string>

namespace mlir::ssm {

/// The processor to compile for.
struct ObjectTarget {
  std::string triple;
  /// As for clang's -mcpu: "znver4".
  std::string cpu;
  /// "+avx512f,-sse4a,...".
  std::string features;

  /// The machine that this process runs on.
  static ObjectTarget host();
  bool has(StringRef feature) const;
  /// Everything that decides what code runs: an artifact's target.
  std::string name() const { return triple + " " + cpu + " " + features; }
};

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
