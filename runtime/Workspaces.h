//===- Workspaces.h - Memory of a kernel's temporaries -------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One block for each stream: launches on a stream run one after another, so
// they may share it, while launches on different streams must not.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_WORKSPACES_H
#define MAMBA_RUNTIME_WORKSPACES_H

#include "runtime/Buffer.h"

#include <list>
#include <mutex>
#include <vector>

namespace mamba {

/// The temporaries' memory of one kernel. Thread-safe.
class Workspaces {
  struct Block;

public:
  explicit Workspaces(std::shared_ptr<Device> device);
  ~Workspaces();

  /// A block in use; others wait (CUDA: for the same stream) or get another
  /// block (CPU) until it is destroyed, which is after queueing, not after
  /// running, the launches.
  class Lease {
  public:
    Lease() = default;
    void *data() const { return data_; }

  private:
    friend class Workspaces;
    std::unique_lock<std::mutex> lock_;
    void *data_ = nullptr;
  };

  /// At least `bytes` bytes for launches on `stream`; an empty lease for 0.
  /// CaptureForbidden if memory has to be allocated while `stream` is captured.
  Result<Lease> acquire(void *stream, int64_t bytes);

private:
  /// The stream's block, locked.
  Block &lockBlock(void *stream, std::unique_lock<std::mutex> &lock);
  Status grow(Block &block, void *stream, int64_t bytes);

  std::shared_ptr<Device> device_;
  std::mutex mutex_;
  std::list<Block> blocks_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_WORKSPACES_H
