//===- Workspaces.cpp - Memory of a kernel's temporaries ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block that became too small is kept: kernels in flight use it, and a
// captured graph has its address for good. Sizes at least double, so what is
// kept is less than what is in use.
//
//===----------------------------------------------------------------------===//

#include "runtime/Workspaces.h"

#include <fmt/format.h>

namespace mamba {

namespace {

/// CUDA's name for the default stream of whichever thread uses it.
void *const kPerThreadStream = reinterpret_cast<void *>(2);

/// Tells threads apart while they live.
const void *threadIdentity() {
  static thread_local char identity;
  return &identity;
}

} // namespace

struct Workspaces::Block {
  void *stream = nullptr;
  /// Set if the stream's handle means another stream in another thread.
  const void *thread = nullptr;
  std::mutex inUse;
  DeviceBuffer memory;
  std::vector<DeviceBuffer> outgrown;
};

Workspaces::Workspaces(std::shared_ptr<Device> device)
    : device_(std::move(device)) {}

Workspaces::~Workspaces() = default;

Result<Workspaces::Lease> Workspaces::acquire(void *stream, int64_t bytes) {
  Lease lease;
  if (bytes == 0)
    return lease;
  Block &block = lockBlock(stream, lease.lock_);
  if (block.memory.bytes() < bytes)
    MAMBA_RETURN_IF_ERROR(grow(block, stream, bytes));
  lease.data_ = block.memory.data();
  // What an earlier launch left there is no value for this one.
  device_->mark(lease.data_, bytes, MemoryContent::Unwritten);
  return lease;
}

Workspaces::Block &Workspaces::lockBlock(void *stream,
                                         std::unique_lock<std::mutex> &lock) {
  const void *thread = stream == kPerThreadStream ? threadIdentity() : nullptr;
  std::unique_lock tableLock(mutex_);
  for (Block &block : blocks_) {
    if (!device_->isCuda()) {
      // A CPU kernel has ended when its lease does: any free block will do.
      lock = std::unique_lock(block.inUse, std::try_to_lock);
      if (lock)
        return block;
    } else if (block.stream == stream && block.thread == thread) {
      tableLock.unlock();
      lock = std::unique_lock(block.inUse);
      return block;
    }
  }
  Block &block = blocks_.emplace_back();
  block.stream = stream;
  block.thread = thread;
  lock = std::unique_lock(block.inUse);
  return block;
}

Status Workspaces::grow(Block &block, void *stream, int64_t bytes) {
  MAMBA_ASSIGN_OR_RETURN(bool capturing, device_->isCapturing(stream));
  if (capturing)
    return Status(StatusCode::CaptureForbidden,
                  fmt::format("{} bytes for temporaries would have to be "
                              "allocated while the stream is being captured; "
                              "call prepare() with the same tensors and stream "
                              "before the capture",
                              bytes));
  int64_t larger = std::max(bytes, 2 * block.memory.bytes());
  Result<DeviceBuffer> memory = DeviceBuffer::allocate(device_, larger);
  if (!memory.ok() && memory.code() == StatusCode::OutOfMemory)
    memory = DeviceBuffer::allocate(device_, bytes);
  if (!memory.ok())
    return memory.status().withContext("temporaries");
  if (device_->isCuda() && block.memory.data())
    block.outgrown.push_back(std::move(block.memory));
  block.memory = std::move(*memory);
  return Status();
}

} // namespace mamba
