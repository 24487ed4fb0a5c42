//===- Graph.h - CUDA graphs of launches ------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_GRAPH_H
#define MAMBA_RUNTIME_CUDA_GRAPH_H

#include "runtime/Device.h"
#include "runtime/cuda/Context.h"

namespace mamba::cuda {

/// Captures what `body` queues on `stream`, in the current context. Where that
/// fails, the capture is ended.
Result<std::unique_ptr<LaunchGraph>>
captureGraph(std::shared_ptr<PrimaryContext> context, CUstream stream,
             const std::function<Status()> &body);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_GRAPH_H
