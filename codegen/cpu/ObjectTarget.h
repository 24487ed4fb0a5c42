//===- ObjectTarget.h - The host's processor as a target --------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_OBJECTTARGET_H
#define MAMBA_CODEGEN_CPU_OBJECTTARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/CodeGen.h"

#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

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

/// A machine that emits position-independent code for `target`. Fails, with an
/// error at `module`, where this LLVM has none.
FailureOr<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(ModuleOp module, const ObjectTarget &target);

/// `code` as an object or as assembly. Errors are reported at `module`.
FailureOr<std::string> emitFile(ModuleOp module, llvm::Module &code,
                                llvm::TargetMachine &machine,
                                llvm::CodeGenFileType kind);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_CPU_OBJECTTARGET_H
