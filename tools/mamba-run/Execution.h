//===- Execution.h - A problem on a device ----------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Results start as NaN between guard bytes, so that what a kernel forgets to
// write, or writes where it must not, is seen.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_MAMBA_RUN_EXECUTION_H
#define MAMBA_TOOLS_MAMBA_RUN_EXECUTION_H

#include "runtime/Buffer.h"
#include "runtime/LaunchTimer.h"
#include "runtime/jit/Verify.h"
#include "tools/problem/Choice.h"
#include "tools/problem/GuardedResult.h"

namespace mamba {

/// The tensors of one launch.
struct DeviceProblem {
  std::vector<DeviceTensor> inputs;
  std::vector<GuardedResult> results;

  static Result<DeviceProblem> create(const HostProblem &problem,
                                      const std::shared_ptr<Device> &device);
  /// Inputs, then results.
  std::vector<TensorView> views() const;
};

/// Runs `function` once on `tensors` and brings their results to
/// problem.results.
Status runOnce(const Function &function, const std::shared_ptr<Device> &device,
               const LaunchOptions &options, const DeviceProblem &tensors,
               HostProblem &problem);

/// Compares what `kernel`, launched on a problem of `part`'s extents, gives
/// with the reference; the problem is drawn as `options` say, in the memory of
/// one of the extents `whole`.
Result<Verification> verifyPart(const Choice &choice,
                                const std::shared_ptr<Device> &device,
                                Kernel &kernel, const ProblemPart &part,
                                const Extents &whole,
                                const InputOptions &options);

/// Times launches on `tensors` and as many copies of them as together are more
/// than twice the L2 cache; with `inGraph` as a CUDA graph.
Result<Timing> timeLaunches(const Function &function,
                            const std::shared_ptr<Device> &device,
                            const LaunchOptions &options, DeviceProblem tensors,
                            const HostProblem &problem, int64_t repeats,
                            bool inGraph = false);

} // namespace mamba

#endif // MAMBA_TOOLS_MAMBA_RUN_EXECUTION_H
