//===- CpuTesting.h - CPU kernels against the reference ------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes a function of fused ops through the CPU path, from text to a launch,
// and compares its results with the fp64 reference evaluator's.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_CODEGEN_CPUTESTING_H
#define MAMBA_TEST_UNIT_CODEGEN_CPUTESTING_H

#include "codegen/cpu/CompileCpu.h"
#include "codegen/reference/Reference.h"
#include "runtime/Kernel.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace mamba {

/// Extents of the dynamic axes.
struct Extents {
  int64_t b = 1;
  int64_t l = 1;
  int64_t d = 1;
};

/// A function of fused ops, compiled for this machine.
class CompiledFunction {
public:
  /// Adds a test failure, and is not ok(), where `source` does not compile.
  explicit CompiledFunction(
      const std::string &source,
      const mlir::ssm::ObjectTarget &target = mlir::ssm::ObjectTarget::host());

  bool ok() const { return kernel != nullptr; }

  /// Runs the kernel on seeded random inputs whose strides are padded and
  /// whose memory is misaligned, and expects every result to be as close to
  /// the reference as its type allows. Inputs are within [-1, 1].
  void expectAccurate(Extents extents);

  /// Runs the kernel on inputs, then results.
  Status launch(std::span<const TensorView> tensors) {
    return kernel->launch(tensors);
  }
  /// The ELF object.
  const std::string &object() const { return artifact->image; }

private:
  void compile(const mlir::ssm::ObjectTarget &target);
  HostTensor makeTensor(unsigned i, Extents extents) const;

  std::string source;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> model;
  std::shared_ptr<Artifact> artifact;
  std::shared_ptr<Kernel> kernel;
};

/// `text` with every occurrence of each first string replaced by the second.
std::string substitute(std::string text,
                       std::vector<std::pair<std::string, std::string>> words);

} // namespace mamba

#endif // MAMBA_TEST_UNIT_CODEGEN_CPUTESTING_H
