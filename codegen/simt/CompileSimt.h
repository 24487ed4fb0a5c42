//===- CompileSimt.h - Lowered GPU kernels to host objects ---- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_COMPILESIMT_H
#define MAMBA_CODEGEN_SIMT_COMPILESIMT_H

#include "codegen/gpu/Ptx.h"

namespace mlir::ssm {

/// The GPU architecture of a target for the simt device: "sm_90" of
/// "simt-sm_90"; nothing for other targets.
std::optional<StringRef> simulatedChip(StringRef target);

/// Receives the name and text of a stage.
using SimtStageHook = function_ref<void(StringRef stage, StringRef text)>;

/// Compiles the kernels of `module` (after --ssm-lower-to-gpu; changed in
/// place) into an object for the simt device: the LLVM IR that would become PTX
/// for `target`, made code of the host. `onStage`, if given, receives that IR
/// as "llvm", and the host's as "simt". Errors are reported at their place in
/// the source.
FailureOr<std::string> compileSimtModule(ModuleOp module,
                                         const PtxTarget &target,
                                         SimtStageHook onStage = nullptr);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_COMPILESIMT_H
