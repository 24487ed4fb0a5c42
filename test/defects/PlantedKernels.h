//===- PlantedKernels.h - Kernels with one defect each ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the simt device and compute-sanitizer are compared on. The device
// compiles what LLVM's O3 left, so a defect that was optimized away would not
// be reported there either.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_DEFECTS_PLANTEDKERNELS_H
#define MAMBA_TEST_DEFECTS_PLANTEDKERNELS_H

#include "test/defects/HandKernel.h"

#include <string_view>

namespace mamba::test {

/// One line of the table.
struct PlantedKernel {
  std::string name;
  /// The tool of compute-sanitizer that must report the defect: memcheck,
  /// racecheck, initcheck, synccheck; "initcheck-shared" for initcheck of
  /// shared memory, which older versions lack; "none" for what no tool is known
  /// to see; "all" for a kernel without a defect: none of them may report it.
  std::string tool;
  /// How a report of the simt device begins; empty without a defect.
  std::string kind;
  /// The defect, in words.
  std::string what;
  HandKernel kernel;
  /// Floats of %x, which are 0, 1, 2, ..., and of %y.
  size_t inputs = 64;
  size_t outputs = 64;

  /// What %x holds.
  std::vector<float> x() const;
};

/// All kernels, those without a defect last.
const std::vector<PlantedKernel> &plantedKernels();

/// The kernel called `name`; NotFound lists the names there are.
Result<const PlantedKernel *> findPlanted(std::string_view name);

} // namespace mamba::test

#endif // MAMBA_TEST_DEFECTS_PLANTEDKERNELS_H
