//===- Pipeline.h - From model IR to an artifact ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one place that knows the stages of a compilation and their order:
//
//   model -> fused -> schedule -> gpu -> llvm -> ptx
//                              |      |      '-> simt -> object
//                              |      '-> cuda
//                              -> cpu -> llvm -> object
//
// Tools dump them, mamba-opt runs them by name, the JIT runs all of them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_PIPELINE_H
#define MAMBA_CODEGEN_PIPELINE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <functional>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::ssm {

/// What a schedule is chosen for.
struct ScheduleRequest {
  /// "cpu" (the host), a GPU architecture such as "sm_90", or "simt-sm_90":
  /// code of that architecture for the simt device.
  std::string target = "cpu";
  /// Extents; -1 where unknown.
  int64_t batch = -1;
  int64_t length = -1;
  int64_t channels = -1;
  /// Threads of the CPU; 0 where unknown.
  int64_t threads = 0;
  /// A #ssm.schedule or #ssm.cpu_schedule in place of the default one.
  std::string schedule;

  bool isCpu() const { return target == "cpu"; }
  /// What the schedule is for: "cpu", or the GPU, simulated or not.
  StringRef machine() const;
};

/// One variant of one function.
struct CompileRequest {
  /// Empty: the only function that the module has.
  std::string function;
  ScheduleRequest schedule;
  /// One an input and result; empty: row-major memory everywhere.
  std::vector<mamba::LayoutSpec> layouts;
  /// A known divisor of the channel extent.
  int64_t channelMultiple = 1;
  /// A known divisor of the length.
  int64_t lengthMultiple = 1;
  /// For a GPU: the artifact's image is CUDA C++, for NVRTC or a reader, and
  /// not PTX.
  bool writesCuda = false;
  /// Receives the name and text of each stage: model, fused, schedule, gpu or
  /// cpu, llvm, ptx, cuda, simt or asm. Costs time, so leave it empty
  /// otherwise.
  std::function<void(StringRef stage, StringRef text)> onStage;
  /// For tests and tools: receives the module after the lowering, before code
  /// is made of it, and may change it. A failure ends the compilation.
  std::function<LogicalResult(ModuleOp)> onLowered;
};

/// Compiles one function of `module`, which stays as it is. An error's message
/// is what the compiler reported, each diagnostic with its place in the source.
mamba::Result<mamba::Artifact> compile(ModuleOp module,
                                       const CompileRequest &request);

/// The function called `name`; if `name` is empty, the only one with a body.
/// NotFound lists the functions there are.
mamba::Result<func::FuncOp> findFunction(ModuleOp module, StringRef name);

/// A module of its own with a copy of the request's function, fused: a chain of
/// ssm.fused ops and a return, with what the request says of memory and
/// extents.
mamba::Result<OwningOpRef<ModuleOp>> fuseFor(ModuleOp module,
                                             const CompileRequest &request);

/// A module of its own with a copy of the function called `function` and,
/// beside it, the function of its gradients (see --ssm-differentiate). With
/// `saveEvery`, after --ssm-recompute with that many steps.
mamba::Result<OwningOpRef<ModuleOp>>
differentiate(ModuleOp module, StringRef function,
              std::optional<int64_t> saveEvery = std::nullopt);

/// Stages as passes over a module: model -> fused, fused -> schedule, and
/// schedule -> gpu or cpu.
void addFusePasses(OpPassManager &passes);
void addSchedulePass(OpPassManager &passes, const ScheduleRequest &request);
void addLoweringPass(OpPassManager &passes, const ScheduleRequest &request);

/// Registers --ssm-to-gpu and --ssm-to-cpu: model IR to kernels.
void registerPipelines();

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_PIPELINE_H
