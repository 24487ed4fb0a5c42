//===- Kernel.h - A compiled function, callable with tensors -- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Binds tensors to the arguments of an artifact's launches, after refusing
// every call that the compiled code was not made for.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_KERNEL_H
#define MAMBA_RUNTIME_KERNEL_H

#include "runtime/Artifact.h"
#include "runtime/Device.h"
#include "runtime/PerProcess.h"
#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>

namespace mamba {

class Signature;
class Workspaces;

/// One artifact on one device. Thread-safe. Must outlive the launches it
/// started and the CUDA graphs they were captured into, since it owns the
/// temporaries.
class Kernel {
public:
  /// Checks that the artifact is consistent. Loads nothing: the first
  /// prepare() or launch() does.
  static Result<std::shared_ptr<Kernel>>
  create(std::shared_ptr<const Artifact> artifact,
         std::shared_ptr<Device> device);
  ~Kernel();

  const Artifact &artifact() const { return *artifact_; }
  const std::shared_ptr<Device> &device() const { return device_; }

  /// Whether a launch with these tensors (inputs, then results) is possible:
  /// ranks, types, extents, layouts, overlap, sizes. Calls no driver.
  Status check(std::span<const TensorView> tensors) const;

  /// Does all that a launch with these tensors on `stream` needs to do once:
  /// loads the code, allocates temporaries. After it such a launch may be
  /// captured in a CUDA graph.
  Status prepare(std::span<const TensorView> tensors, void *stream = nullptr);

  /// Runs the function on `tensors` (inputs, then results). On CUDA the work
  /// is queued on `stream`; on the CPU it is done on return. Results must not
  /// overlap any other tensor or themselves. Temporaries belong to (this,
  /// stream): a stream must be idle when it is destroyed. CaptureForbidden if
  /// `stream` is being captured and prepare() was not called.
  Status launch(std::span<const TensorView> tensors, void *stream = nullptr);

  /// Loads the code if it isn't, and returns it.
  Result<std::shared_ptr<LoadedKernel>> load();

private:
  Kernel(std::shared_ptr<const Artifact> artifact,
         std::shared_ptr<Device> device);
  Status named(Status status) const;
  Status run(std::span<const TensorView> tensors, void *stream, bool launches);
  Status checkPointers(std::span<const TensorView> tensors) const;
  Status ensureLoaded(void *stream);

  std::shared_ptr<const Artifact> artifact_;
  std::shared_ptr<Device> device_;
  std::unique_ptr<Signature> signature_;
  PerProcess<Workspaces> workspaces_;
  PerProcess<std::mutex> loadMutex_;
  std::shared_ptr<LoadedKernel> loaded_;
  /// loaded_.get() once it is set, read without the lock.
  std::atomic<LoadedKernel *> ready_{nullptr};
};

} // namespace mamba

#endif // MAMBA_RUNTIME_KERNEL_H
