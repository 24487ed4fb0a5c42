//===- LaunchPlan.h - A lowered module's tensors and launches ---*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lowering decides how kernels are launched: grid, block, arguments and
// temporaries. The plan is what it decided. It travels in the lowered module
// as attributes (`ssm.plan` on the module, `ssm.launch` on each kernel), so
// that it can be printed, tested and read back from a file.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_LAUNCHPLAN_H
#define MAMBA_CODEGEN_LAUNCHPLAN_H

#include "dialect/SSMDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Artifact.h"

namespace mlir::ssm {

/// The tensors of one function of fused ops: its arguments, then its results,
/// then temporaries, each with a number that launches refer to.
class LaunchPlan {
public:
  /// Reads the signature, names, axes and layouts of `function`, whose body is
  /// fused ops and a return. Refuses, with a located error, anything else.
  static FailureOr<LaunchPlan> build(func::FuncOp function);

  /// The number of the tensor that `value` (an argument of the function or a
  /// result of a fused op in it) is stored in.
  unsigned tensorOf(Value value) const { return numbers.at(value); }
  /// False for a result of a fused op that nothing reads.
  bool isStored(Value value) const { return numbers.contains(value); }
  /// A known divisor of the channel extent.
  int64_t channelMultiple() const { return artifact.channelMultiple; }
  int64_t lengthMultiple() const { return artifact.lengthMultiple; }

  const mamba::TensorSpec &tensor(unsigned i) const {
    return artifact.tensors[i];
  }

  /// What kernels may assume of tensor `i`; temporaries are row-major and
  /// aligned to 16 bytes at their base.
  mamba::LayoutSpec layout(unsigned i) const;

  /// Adds a row-major temporary, through which launches, or blocks of one, tell
  /// others what they found; `isZeroed` before the first launch, if asked for.
  unsigned addTemporary(StringRef name, mamba::DType dtype,
                        ArrayRef<mamba::DimSpec> dims, bool isZeroed = false);
  bool isTemporary(unsigned i) const { return i >= artifact.layouts.size(); }

  /// Attaches a launch of `kernel` after the earlier ones.
  void addLaunch(Operation *kernel, mamba::LaunchSpec launch);

  /// Attaches everything but the launches to `module`.
  void attachTo(ModuleOp module) const;

  /// Reads a plan back from a lowered module: everything of an artifact but
  /// its image and target.
  static FailureOr<mamba::Artifact> read(ModuleOp module);

private:
  LogicalResult addResults(func::FuncOp function);

  llvm::DenseMap<Value, unsigned> numbers;
  mamba::Artifact artifact;
};

/// As the IR says it.
LayoutAttr layoutAttr(MLIRContext *context, const mamba::LayoutSpec &layout);

/// The runtime's element type for `type`, if it has one.
std::optional<mamba::DType> dtypeOf(Type type);

/// The runtime's name of an axis.
mamba::Axis runtimeAxis(Axis axis);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_LAUNCHPLAN_H
