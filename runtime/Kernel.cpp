//===- Kernel.cpp - A compiled function, callable with tensors ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The warm path: bind, take the stream's workspace, launch. Loading happens
// once, behind a lock.
//
//===----------------------------------------------------------------------===//

#include "runtime/Kernel.h"

#include "runtime/Binding.h"
#include "runtime/Validate.h"
#include "runtime/Workspaces.h"

#include <fmt/format.h>

namespace mamba {

namespace {

/// The blocks of each launch. An artifact has few launches; more than fit here
/// are refused by create().
constexpr size_t kMaxLaunches = 64;

struct Grids {
  int64_t blocks[kMaxLaunches];
  bool anyWork = false;
};

Status computeGrids(const Artifact &artifact, const Binding &binding,
                    int64_t limit, Grids &grids) {
  for (size_t i = 0; i < artifact.launches.size(); ++i) {
    MAMBA_ASSIGN_OR_RETURN(grids.blocks[i],
                           binding.numBlocks(artifact.launches[i], limit));
    grids.anyWork |= grids.blocks[i] != 0;
  }
  return grids.anyWork ? Status() : binding.checkNothingToWrite();
}

} // namespace

Kernel::Kernel(std::shared_ptr<const Artifact> artifact,
               std::shared_ptr<Device> device)
    : artifact_(std::move(artifact)), device_(std::move(device)),
      signature_(std::make_unique<Signature>(*artifact_)) {}

Kernel::~Kernel() = default;

Result<std::shared_ptr<Kernel>>
Kernel::create(std::shared_ptr<const Artifact> artifact,
               std::shared_ptr<Device> device) {
  MAMBA_RETURN_IF_ERROR(validate(*artifact));
  if (artifact->launches.size() > kMaxLaunches)
    return Status(StatusCode::Unsupported,
                  fmt::format("kernel '{}' has {} launches; at most {} are "
                              "supported",
                              artifact->name, artifact->launches.size(),
                              kMaxLaunches));
  return std::shared_ptr<Kernel>(
      new Kernel(std::move(artifact), std::move(device)));
}

Status Kernel::named(Status status) const {
  if (status.ok())
    return status;
  return std::move(status).withContext(
      fmt::format("kernel '{}'", artifact_->name));
}

Status Kernel::check(std::span<const TensorView> tensors) const {
  Binding binding;
  Status status = binding.bind(*signature_, tensors);
  Grids grids;
  if (status.ok())
    status =
        computeGrids(*artifact_, binding, device_->info().maxBlocks, grids);
  return named(std::move(status));
}

Status Kernel::prepare(std::span<const TensorView> tensors, void *stream) {
  return named(run(tensors, stream, /*launches=*/false));
}

Status Kernel::launch(std::span<const TensorView> tensors, void *stream) {
  return named(run(tensors, stream, /*launches=*/true));
}

Status Kernel::run(std::span<const TensorView> tensors, void *stream,
                   bool launches) {
  Binding binding;
  MAMBA_RETURN_IF_ERROR(binding.bind(*signature_, tensors));
  Grids grids;
  MAMBA_RETURN_IF_ERROR(
      computeGrids(*artifact_, binding, device_->info().maxBlocks, grids));
  if (!grids.anyWork)
    return Status();
  MAMBA_RETURN_IF_ERROR(checkPointers(tensors));
  MAMBA_RETURN_IF_ERROR(ensureLoaded(stream));
  Workspaces &workspaces =
      workspaces_.get([&] { return std::make_unique<Workspaces>(device_); });
  // Held over all launches: another thread's launches on this stream must not
  // come between those that share the temporaries.
  MAMBA_ASSIGN_OR_RETURN(Workspaces::Lease lease,
                         workspaces.acquire(stream, binding.workspaceBytes()));
  if (!launches)
    return Status();
  if (binding.zeroedBytes() > 0)
    MAMBA_RETURN_IF_ERROR(
        device_->memset(lease.data(), 0, binding.zeroedBytes(), stream));
  LoadedKernel *loaded = ready_.load(std::memory_order_acquire);
  for (size_t i = 0; i < artifact_->launches.size(); ++i) {
    if (grids.blocks[i] == 0)
      continue;
    const LaunchSpec &launch = artifact_->launches[i];
    int64_t values[kMaxArgs];
    std::span<int64_t> args(values, launch.args.size());
    binding.fillArgs(launch, lease.data(), args);
    MAMBA_RETURN_IF_ERROR(loaded->launch(i, grids.blocks[i], args, stream));
  }
  return Status();
}

Status Kernel::checkPointers(std::span<const TensorView> tensors) const {
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].empty())
      continue;
    Status status = device_->checkPointer(tensors[i].data);
    if (!status.ok())
      return std::move(status).withContext(
          fmt::format("tensor '{}'", artifact_->tensors[i].name));
  }
  return Status();
}

Status Kernel::ensureLoaded(void *stream) {
  if (ready_.load(std::memory_order_acquire))
    return Status();
  MAMBA_ASSIGN_OR_RETURN(bool capturing, device_->isCapturing(stream));
  if (capturing)
    return Status(StatusCode::CaptureForbidden,
                  "its code would have to be loaded while the stream is being "
                  "captured; call prepare() before the capture");
  return load().status();
}

Result<std::shared_ptr<LoadedKernel>> Kernel::load() {
  std::lock_guard lock(loadMutex_.get());
  if (!loaded_) {
    MAMBA_ASSIGN_OR_RETURN(loaded_, device_->load(*artifact_));
    ready_.store(loaded_.get(), std::memory_order_release);
  }
  return loaded_;
}

} // namespace mamba
