//===- Graph.cpp - CUDA graphs of launches --------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Graph.h"

#include "runtime/cuda/Driver.h"

using namespace mamba;
using namespace mamba::cuda;

namespace {

class Graph final : public LaunchGraph {
public:
  Graph(std::shared_ptr<PrimaryContext> context, CUgraphExec graph)
      : context(std::move(context)), graph(graph) {}

  ~Graph() override {
    ScopedContext scope(*context);
    if (scope.status().ok())
      (void)context->driver().cuGraphExecDestroy(graph);
  }

  Status launch(void *stream) override {
    ScopedContext scope(*context);
    MAMBA_RETURN_IF_ERROR(scope.status());
    return MAMBA_CUDA_CALL(context->driver(), cuGraphLaunch, graph,
                           static_cast<CUstream>(stream));
  }

private:
  std::shared_ptr<PrimaryContext> context;
  CUgraphExec graph;
};

} // namespace

Result<std::unique_ptr<LaunchGraph>>
cuda::captureGraph(std::shared_ptr<PrimaryContext> context, CUstream stream,
                   const std::function<Status()> &body) {
  const Driver &driver = context->driver();
  if (!driver.cuGraphInstantiateWithFlags)
    return Status(StatusCode::Unsupported, "the driver supports CUDA " +
                                               versionText(driver.version()) +
                                               ", required for graphs is 11.4");
  MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(driver, cuStreamBeginCapture_v2, stream,
                                        CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  Status recorded = body();
  CUgraph description = nullptr;
  Status ended =
      MAMBA_CUDA_CALL(driver, cuStreamEndCapture, stream, &description);
  // A capture that failed gives no graph, and the first reason counts.
  CUgraphExec graph = nullptr;
  Status made = recorded.ok() ? ended : recorded;
  if (made.ok())
    made = MAMBA_CUDA_CALL(driver, cuGraphInstantiateWithFlags, &graph,
                           description, 0);
  if (description)
    (void)driver.cuGraphDestroy(description);
  MAMBA_RETURN_IF_ERROR(made);
  return std::unique_ptr<LaunchGraph>(
      std::make_unique<Graph>(std::move(context), graph));
}
