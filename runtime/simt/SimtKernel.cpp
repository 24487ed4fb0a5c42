//===- SimtKernel.cpp - Kernels loaded on the simt device -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of one launch may run in any order and at one time.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/SimtKernel.h"

#include "runtime/ThreadPool.h"
#include "runtime/simt/Permutation.h"

#include <algorithm>
#include <fmt/format.h>

namespace mamba::simt {

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

SimtKernel::SimtKernel(const Artifact &artifact,
                       std::shared_ptr<LoadedObject> object,
                       std::shared_ptr<Memory> memory, const Options &options)
    : object_(std::move(object)), memory_(std::move(memory)), options_(options),
      numInputs_(artifact.numInputs), numResults_(artifact.numResults) {
  for (const TensorSpec &tensor : artifact.tensors)
    tensorNames_.push_back(tensor.name);
}

Result<std::shared_ptr<SimtKernel>>
SimtKernel::create(const Artifact &artifact,
                   std::shared_ptr<LoadedObject> object,
                   std::shared_ptr<Memory> memory, const Options &options,
                   int64_t sharedBytesPerBlock) {
  std::shared_ptr<SimtKernel> kernel(
      new SimtKernel(artifact, std::move(object), std::move(memory), options));
  for (const LaunchSpec &spec : artifact.launches)
    MAMBA_RETURN_IF_ERROR(
        kernel->addEntry(spec, sharedBytesPerBlock)
            .withContext(fmt::format("entry '{}'", spec.entry)));
  return kernel;
}

Status SimtKernel::addEntry(const LaunchSpec &spec,
                            int64_t sharedBytesPerBlock) {
  auto unsupported = [](std::string text) {
    return Status(StatusCode::Unsupported, std::move(text));
  };
  // The symbol is data here, which the loader does not know.
  MAMBA_ASSIGN_OR_RETURN(CpuEntry symbol, object_->lookup(spec.entry));
  const auto &image = *reinterpret_cast<const KernelImage *>(symbol);
  if (image.abiVersion != kAbiVersion)
    return unsupported(fmt::format("it was compiled for version {} of the "
                                   "simulator, and this is version {}",
                                   image.abiVersion, kAbiVersion));
  if (spec.blockSize > kMaxThreads)
    return unsupported(fmt::format("{} threads a block are more than {}",
                                   spec.blockSize, kMaxThreads));
  if (image.requiredThreads && image.requiredThreads != spec.blockSize)
    return unsupported(fmt::format("a block of {} threads, required is {}",
                                   spec.blockSize, image.requiredThreads));
  int64_t shared = int64_t(image.staticSharedBytes) + spec.sharedBytes;
  if (shared > sharedBytesPerBlock)
    return unsupported(fmt::format("it needs {} bytes of shared memory a "
                                   "block, more than the {} there are",
                                   shared, sharedBytesPerBlock));
  specs_.push_back(spec);
  images_.push_back(&image);
  return Status();
}

EntryInfo SimtKernel::entryInfo(size_t index) const {
  EntryInfo info;
  info.staticSharedBytes = int64_t(images_[index]->staticSharedBytes);
  info.maxThreadsPerBlock = kMaxThreads;
  return info;
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

std::string SimtKernel::labelOf(size_t tensor) const {
  std::string_view kind = tensor < numInputs_                 ? "input"
                          : tensor < numInputs_ + numResults_ ? "result"
                                                              : "temporary";
  return fmt::format("{} '{}'", kind, tensorNames_[tensor]);
}

std::vector<ArgumentMemory>
SimtKernel::argumentMemory(const LaunchSpec &spec,
                           std::span<const int64_t> args) {
  std::vector<ArgumentMemory> memory(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    if (spec.args[i].kind != KernelArg::Kind::Pointer)
      continue;
    ArgumentMemory &one = memory[i];
    one.label = labelOf(spec.args[i].index);
    one.pointer = static_cast<uint64_t>(args[i]);
    one.allocation = memory_->find(one.pointer).value_or(Allocation());
    one.isReadOnly = spec.args[i].index < numInputs_;
  }
  // A view of an input and one of a result may lie in one allocation.
  for (ArgumentMemory &one : memory)
    for (size_t i = 0; i < args.size(); ++i)
      one.isReadOnly &= spec.args[i].kind != KernelArg::Kind::Pointer ||
                        spec.args[i].index < numInputs_ ||
                        memory[i].allocation.begin != one.allocation.begin;
  return memory;
}

Result<std::unique_ptr<Block>> BlockPool::acquire(uint32_t threads) {
  {
    std::lock_guard lock(mutex_);
    auto fits = std::find_if(free_.begin(), free_.end(), [&](const auto &one) {
      return one->maxThreads() >= threads;
    });
    if (fits != free_.end()) {
      std::unique_ptr<Block> block = std::move(*fits);
      free_.erase(fits);
      return block;
    }
  }
  return Block::create(threads);
}

void BlockPool::giveBack(std::unique_ptr<Block> block) {
  std::lock_guard lock(mutex_);
  free_.push_back(std::move(block));
}

Status SimtKernel::launch(size_t index, int64_t numBlocks,
                          std::span<const int64_t> args, void *) {
  const LaunchSpec &spec = specs_[index];
  Launch launch;
  launch.kernel = spec.entry;
  launch.image = images_[index];
  launch.args = args;
  launch.numBlocks = numBlocks;
  launch.blockSize = spec.blockSize;
  launch.sharedBytes =
      static_cast<uint32_t>(launch.image->staticSharedBytes) + spec.sharedBytes;
  launch.options = options_;
  launch.memory = memory_.get();
  launch.arguments = argumentMemory(spec, args);
  launch.firstRun = memory_->beginRuns(static_cast<uint32_t>(numBlocks));
  BlockOrder order(numBlocks, options_.seed);
  BlockPool &pool = blocks_.get();
  std::mutex mutex;
  Status failure;
  ThreadPool::global().parallelFor(numBlocks, [&](int64_t begin, int64_t end) {
    Result<std::unique_ptr<Block>> block = pool.acquire(spec.blockSize);
    if (!block.ok()) {
      std::lock_guard lock(mutex);
      failure = block.status();
      return;
    }
    for (int64_t i = begin; i < end && !launch.isOver(i); ++i)
      (*block)->run(launch, order.at(i), i);
    pool.giveBack(std::move(*block));
  });
  memory_->endRuns();
  return failure.ok() ? launch.status() : failure;
}

} // namespace mamba::simt
