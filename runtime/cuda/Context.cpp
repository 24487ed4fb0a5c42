//===- Context.cpp - A device's primary context ---------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Retaining, and pushing around a call.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Context.h"

#include <fmt/format.h>
#include <mutex>

namespace mamba::cuda {

namespace {

struct Latest {
  std::mutex mutex;
  std::weak_ptr<PrimaryContext> context;
};

/// Never destroyed: static objects may hold devices.
Latest &latestContext() {
  static auto *instance = new PerProcess<Latest>;
  return instance->get();
}

} // namespace

Result<std::shared_ptr<PrimaryContext>>
PrimaryContext::retain(const Driver &driver, int ordinal) {
  std::shared_ptr<PrimaryContext> context(new PrimaryContext(driver));
  context->ordinal_ = ordinal;
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuDeviceGet, &context->device_, ordinal));
  MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(driver, cuDevicePrimaryCtxRetain,
                                        &context->context_, context->device_));
  std::lock_guard lock(latestContext().mutex);
  latestContext().context = context;
  return context;
}

std::shared_ptr<PrimaryContext> PrimaryContext::latest() {
  std::lock_guard lock(latestContext().mutex);
  return latestContext().context.lock();
}

PrimaryContext::~PrimaryContext() {
  // At exit the driver may be gone already; it then says so, and all is freed.
  if (context_ && !inForkedChild())
    (void)driver_.cuDevicePrimaryCtxRelease_v2(device_);
}

ScopedContext::ScopedContext(const PrimaryContext &context)
    : driver_(context.driver()) {
  if (context.inForkedChild())
    status_ = Status(StatusCode::Forked,
                     fmt::format("cuda:{} was opened before this process was "
                                 "forked, and can't be used in it: open the "
                                 "device only in the child, or start the child "
                                 "without fork (spawn)",
                                 context.ordinal()));
  else
    status_ = MAMBA_CUDA_CALL(driver_, cuCtxPushCurrent_v2, context.context_);
}

ScopedContext::~ScopedContext() {
  CUcontext popped;
  if (status_.ok())
    (void)driver_.cuCtxPopCurrent_v2(&popped);
}

} // namespace mamba::cuda
