//===- Context.h - A device's primary context ----------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The primary context is the one that PyTorch and the CUDA runtime use too, so
// memory and streams of theirs work with ours. It is current during our calls
// only.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_CONTEXT_H
#define MAMBA_RUNTIME_CUDA_CONTEXT_H

#include "runtime/PerProcess.h"
#include "runtime/cuda/Driver.h"

#include <memory>

namespace mamba::cuda {

/// A retained primary context.
class PrimaryContext {
public:
  /// Retains the context of device `ordinal`.
  static Result<std::shared_ptr<PrimaryContext>> retain(const Driver &driver,
                                                        int ordinal);
  /// The one retained last in this process, if someone holds it, else null.
  static std::shared_ptr<PrimaryContext> latest();
  /// Releases it, unless this is a forked child, where it must not be touched.
  ~PrimaryContext();

  const Driver &driver() const { return driver_; }
  CUdevice device() const { return device_; }
  int ordinal() const { return ordinal_; }
  bool inForkedChild() const { return generation_ != forkGeneration(); }

private:
  friend class ScopedContext;

  explicit PrimaryContext(const Driver &driver) : driver_(driver) {}

  const Driver &driver_;
  int ordinal_ = 0;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  uint32_t generation_ = forkGeneration();
};

/// Makes a context current while it lives. Nothing may be called if status() is
/// an error.
class ScopedContext {
public:
  explicit ScopedContext(const PrimaryContext &context);
  ~ScopedContext();
  ScopedContext(const ScopedContext &) = delete;
  ScopedContext &operator=(const ScopedContext &) = delete;

  const Status &status() const { return status_; }

private:
  const Driver &driver_;
  Status status_;
};

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_CONTEXT_H
