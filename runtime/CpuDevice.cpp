//===- CpuDevice.cpp - The host as a device -------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory from the C library, code from the ObjectLoader, tasks on the pool.
//
//===----------------------------------------------------------------------===//

#include "runtime/CpuDevice.h"

#include "runtime/ThreadPool.h"
#include "runtime/cuda/CudaDevice.h"

#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>
#include <vector>

namespace mamba {

namespace {

constexpr size_t kAlignment = 256;

/// Calls code of the JIT. The function sanitizer reads a signature in front of
/// each function that it knows; compiled kernels have none.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
void callEntry(CpuEntry entry, const int64_t *args, int64_t begin,
               int64_t end) {
  entry(args, begin, end);
}

class CpuKernel final : public LoadedKernel {
public:
  CpuKernel(std::shared_ptr<LoadedObject> object, std::vector<CpuEntry> entries)
      : object_(std::move(object)), entries_(std::move(entries)) {}

  Status launch(size_t index, int64_t numBlocks, std::span<const int64_t> args,
                void *) override {
    CpuEntry entry = entries_[index];
    const int64_t *values = args.data();
    ThreadPool::global().parallelFor(numBlocks,
                                     [=](int64_t begin, int64_t end) {
                                       callEntry(entry, values, begin, end);
                                     });
    return Status();
  }

  EntryInfo entryInfo(size_t) const override { return {}; }

private:
  std::shared_ptr<LoadedObject> object_;
  std::vector<CpuEntry> entries_;
};

} // namespace

CpuDevice::CpuDevice() {
  info_.name = "cpu";
  info_.architecture = "cpu";
  info_.target = loader_ ? loader_->target() : "";
  info_.model = "host CPU";
  info_.multiprocessors = ThreadPool::global().numThreads();
  info_.maxThreadsPerBlock = 1;
  info_.memoryBytes = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      ::sysconf(_SC_PAGE_SIZE);
}

Result<std::shared_ptr<LoadedKernel>>
CpuDevice::load(const Artifact &artifact) {
  auto failure = [&](StatusCode code, std::string_view text) {
    return Status(code, fmt::format("loading kernel '{}' on the CPU: {}",
                                    artifact.name, text));
  };
  if (artifact.kind != ImageKind::Object)
    return failure(StatusCode::Unsupported,
                   fmt::format("it was compiled for {}: compile it for the "
                               "CPU, or open a CUDA device",
                               artifact.target));
  if (Status status = requireLoader(); !status.ok())
    return failure(status.code(), status.message());
  if (artifact.target != info_.target)
    return failure(StatusCode::Unsupported,
                   fmt::format("it was compiled for '{}', and this CPU is "
                               "'{}': compile it here",
                               artifact.target, info_.target));
  Result<std::shared_ptr<LoadedObject>> object = loader_->load(artifact.image);
  if (!object.ok())
    return failure(object.code(), object.status().message());
  std::vector<CpuEntry> entries;
  for (const LaunchSpec &launch : artifact.launches) {
    Result<CpuEntry> entry = (*object)->lookup(launch.entry);
    if (!entry.ok())
      return failure(entry.code(), entry.status().message());
    entries.push_back(*entry);
  }
  return std::shared_ptr<LoadedKernel>(
      std::make_shared<CpuKernel>(std::move(*object), std::move(entries)));
}

Result<void *> CpuDevice::allocate(int64_t bytes) {
  // aligned_alloc wants a multiple of the alignment.
  size_t rounded =
      (static_cast<size_t>(bytes) + kAlignment - 1) / kAlignment * kAlignment;
  void *block = std::aligned_alloc(kAlignment, rounded);
  if (!block)
    return Status(StatusCode::OutOfMemory,
                  fmt::format("allocating {} bytes of host memory", bytes));
  return block;
}

void CpuDevice::free(void *pointer) { std::free(pointer); }

Status CpuDevice::checkPointer(const void *pointer) {
  int ordinal = cuda::ordinalOf(pointer);
  if (ordinal < 0)
    return Status();
  return Status(StatusCode::InvalidArgument,
                fmt::format("address {} is memory of cuda:{}; required is host "
                            "memory: copy the tensor there, or run on cuda:{}",
                            pointer, ordinal, ordinal));
}

} // namespace mamba
