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
#include <atomic>
#include <fmt/format.h>

namespace mamba::simt {

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

SimtKernel::SimtKernel(const Artifact &artifact,
                       std::shared_ptr<LoadedObject> object,
                       std::shared_ptr<Memory> memory,
                       std::shared_ptr<BlockPool> blocks,
                       const Options &options)
    : object_(std::move(object)), memory_(std::move(memory)),
      blocks_(std::move(blocks)), options_(options),
      numInputs_(artifact.numInputs), numResults_(artifact.numResults) {
  for (const TensorSpec &tensor : artifact.tensors)
    tensorNames_.push_back(tensor.name);
}

Result<std::shared_ptr<SimtKernel>> SimtKernel::create(
    const Artifact &artifact, std::shared_ptr<LoadedObject> object,
    std::shared_ptr<Memory> memory, std::shared_ptr<BlockPool> blocks,
    const Options &options, int64_t sharedBytesPerBlock) {
  std::shared_ptr<SimtKernel> kernel(
      new SimtKernel(artifact, std::move(object), std::move(memory),
                     std::move(blocks), options));
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

void SimtKernel::prepare(Launch &launch, const LaunchSpec &spec,
                         std::span<const int64_t> args) {
  launch.kernel = spec.entry;
  launch.args = args;
  launch.blockSize = spec.blockSize;
  launch.sharedBytes =
      static_cast<uint32_t>(launch.image->staticSharedBytes) + spec.sharedBytes;
  launch.options = options_;
  launch.memory = memory_.get();
  launch.arguments = argumentMemory(spec, args);
}

/// Each host thread takes the next block when it has done one.
Status SimtKernel::runBlocks(Launch &launch) {
  BlockOrder order(launch.numBlocks, options_.seed);
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  Status failure;
  auto run = [&](int64_t, int64_t) {
    int64_t position = next++;
    if (position >= launch.numBlocks)
      return;
    Result<std::unique_ptr<Block>> block = blocks_->acquire(launch.blockSize);
    if (!block.ok()) {
      std::lock_guard lock(mutex);
      failure = block.status();
      return;
    }
    for (; position < launch.numBlocks && !launch.isOver(position);
         position = next++)
      (*block)->run(launch, order.at(position), position);
    blocks_->giveBack(std::move(*block));
  };
  int64_t atOnce =
      std::min<int64_t>({launch.numBlocks, ThreadPool::global().numThreads(),
                         std::max<int64_t>(1, kMaxFibers / launch.blockSize)});
  ThreadPool::global().parallelFor(atOnce, run);
  return failure.ok() ? launch.status() : failure;
}

Status SimtKernel::launch(size_t index, int64_t numBlocks,
                          std::span<const int64_t> args, void *) {
  Launch launch;
  launch.image = images_[index];
  launch.numBlocks = numBlocks;
  prepare(launch, specs_[index], args);
  launch.firstRun = memory_->beginRuns(static_cast<uint32_t>(numBlocks));
  Status status = runBlocks(launch);
  memory_->endRuns();
  return status;
}

} // namespace mamba::simt
